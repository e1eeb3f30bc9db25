"""Rules of the pot: resistance, normalised voltage, bath and metal."""

from kpi.derivation.level import level
from kpi.formula import Operand, active, at_least


@level(
    unit="uohm",
    operands={"voltage": "V", "line_current": "kA"},
    constants={"external_voltage": "V"},
)
def pseudo_resistance(
    voltage: Operand, line_current: Operand, external_voltage: Operand
) -> Operand:
    """Pseudo-resistance of a pot.

    ``external_voltage`` is where the line through voltage over current meets zero current, 1.6 to
    1.7 V. Source: Banta, Dai, Biedler: Noise classification in the aluminum reduction process,
    Light Metals 2003, with 1.65 V.
    """
    return (voltage - external_voltage) / line_current


@level(
    unit="V",
    operands={"voltage": "V", "line_current": "kA"},
    constants={"external_voltage": "V", "nominal_current": "kA"},
)
def normal_voltage(
    voltage: Operand, line_current: Operand, external_voltage: Operand, nominal_current: Operand
) -> Operand:
    """Voltage that the pot would have at the nominal current.

    It is free of what the line current does to all pots at once. Source: Dupuis, MMM 2007.
    """
    return (voltage - external_voltage) * nominal_current / line_current + external_voltage


@level(
    unit="V",
    operands={"voltage": "V", "voltage_target": "V", "anode_effect": "1"},
)
def overvoltage(voltage: Operand, voltage_target: Operand, anode_effect: Operand) -> Operand:
    """Voltage above the target during anode effects, 0 outside them.

    What is below the target counts against it (algebraic overvoltage). Source: Implementing
    Regulation (EU) 2025/2547, Annex II, B.7.2.
    """
    return (voltage - voltage_target) * active(anode_effect)


@level(
    unit="percent",
    operands={"bath_ratio": "1", "alumina": "percent", "caf2": "percent"},
    constants={"lif": "percent", "mgf2": "percent"},
    empirical=True,
)
def excess_alf3(
    bath_ratio: Operand, alumina: Operand, caf2: Operand, lif: Operand, mgf2: Operand
) -> Operand:
    """AlF3 beyond cryolite, by mass of the bath.

    ``bath_ratio`` is NaF to AlF3 by mass, 1.5 in cryolite; the cryolite ratio by moles is twice as
    much. What is neither NaF nor AlF3 is taken off first.
    """
    fluorides = 100.0 - alumina - caf2 - lif - mgf2
    return fluorides * (1.5 - bath_ratio) / (1.5 * (1.0 + bath_ratio))


@level(
    unit="delta_degC",
    operands={
        "bath_temperature": "degC",
        "excess_alf3": "percent",
        "alumina": "percent",
        "caf2": "percent",
    },
    constants={"lif": "percent", "kf": "percent"},
    empirical=True,
)
def superheat(
    *,
    bath_temperature: Operand,
    excess_alf3: Operand,
    alumina: Operand,
    caf2: Operand,
    lif: Operand,
    kf: Operand,
) -> Operand:
    """Bath temperature above the liquidus.

    Liquidus for cryolite ratios of 2.2 to 3 and 2 to 4 % alumina. Source: Journal of Mining and
    Metallurgy B, 2014, doaj.org/article/9f29dbb7b88b4a42a414bd756b0794ed.
    """
    x, a, c, l, k = excess_alf3, alumina, caf2, lif, kf  # noqa: E741 - as the source names them
    liquidus = (
        1011.0
        + 0.7 * x
        - 0.232 * x**2
        - 7.65 * a
        + 0.523 * a**2
        - 8.96 * l
        + 0.043 * l**2
        - 3.32 * k
        - 0.12 * k**2
        - 3.28 * c
        + 0.037 * c**2
        + 0.091 * x * l
        + 0.074 * x * k
        + 0.084 * x * c
        - 0.27 * a * l
    )
    return bath_temperature - liquidus


@level(unit="percent", operands={"impurity": "percent"}, empirical=True, many=True)
def purity(*impurities: Operand) -> Operand:
    """What is no impurity of the metal: 100 % less all that was found."""
    return 100.0 - sum(impurities[1:], start=impurities[0])


@level(
    unit=lambda metal, *_: metal,
    operands={"metal": None, "purity": "percent", "iron": "percent", "silicon": "percent"},
    constants={"purity_limit": "percent", "iron_limit": "percent", "silicon_limit": "percent"},
    at_first=True,
)
def on_grade(
    *,
    metal: Operand,
    purity: Operand,
    iron: Operand,
    silicon: Operand,
    purity_limit: Operand,
    iron_limit: Operand,
    silicon_limit: Operand,
) -> Operand:
    """Metal of each tap if it is within the grade, else 0.

    P1020A: 99.70 % aluminium at least, iron 0.20 and silicon 0.10 % at most (LME, primary
    aluminium).
    """
    within = at_least(purity, purity_limit) * at_least(iron_limit, iron)
    return metal * within * at_least(silicon_limit, silicon)
