"""The voltage of the pots: level, resistance, drift and unrest."""

from kpi.catalogue.inputs import IN_SMELTER, POT, active, mean_of, time_of
from kpi.formula import Operand
from kpi.kpi import Input, declare

_BANDS = "No standard defines pot noise (Banta, Dai, Biedler, Light Metals 2003): band as declared"


@declare(
    unit="V",
    assets=IN_SMELTER,
    inputs=mean_of("voltage", POT, "V", "Pot voltage"),
    source="Time-weighted mean; OPC 10000-13 TimeAverage2",
    valid=(0.0, 10.0),
    minimum_coverage=0.9,
)
def pot_voltage(level: Operand, time: Operand) -> Operand:
    """Mean pot voltage.

    Time mean of the pot voltage, over all pots that report one.
    """
    return level / time


@declare(
    unit="uohm",
    assets=IN_SMELTER,
    inputs=mean_of("resistance", POT, "uohm", "Pseudo-resistance"),
    source="Banta, Dai, Biedler: Noise classification in the aluminum reduction process, 2003",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def pot_resistance(level: Operand, time: Operand) -> Operand:
    """Pseudo-resistance.

    Time mean of (V - V ext) / I, by the rule `pseudo_resistance`. The extrapolated voltage is a
    constant of the plant.
    """
    return level / time


@declare(
    unit="V",
    assets=IN_SMELTER,
    inputs=mean_of("normal_voltage", POT, "V", "Normalised voltage"),
    source="Dupuis, MMM 2007: (V - V ext) I nominal / I + V ext",
    valid=(0.0, 10.0),
    minimum_coverage=0.9,
)
def normal_voltage(level: Operand, time: Operand) -> Operand:
    """Normalised pot voltage.

    Time mean of the voltage that the pots would have at the nominal current, by the rule
    `normal_voltage`: it is free of what the line current does to all pots at once.
    """
    return level / time


@declare(
    unit="mV/min",
    assets=IN_SMELTER,
    inputs=mean_of("voltage_slope", POT, "V/min", "Slope of the voltage"),
    source="Dupuis, MMM 2007: straight line through 5 s means over 5 min",
    valid=(-1000.0, 1000.0),
    minimum_coverage=0.9,
)
def voltage_slope(level: Operand, time: Operand) -> Operand:
    """Slope of the normalised voltage.

    Time mean of the slope by least squares, window by window. It is not the slope over the whole
    span: slopes of windows do not add up to that of a longer one.
    """
    return level / time


@declare(
    unit="mV",
    assets=IN_SMELTER,
    inputs=mean_of("noise_fast", POT, "V", "Fast noise"),
    source=_BANDS,
    valid=(0.0, 1000.0),
    minimum_coverage=0.9,
)
def noise_fast(level: Operand, time: Operand) -> Operand:
    """Pot noise, fast band.

    Time mean of the standard deviation of the normalised voltage about its mean of each minute:
    bubbles and anode trouble.
    """
    return level / time


@declare(
    unit="mV",
    assets=IN_SMELTER,
    inputs=mean_of("noise_slow", POT, "V", "Slow noise"),
    source=_BANDS,
    valid=(0.0, 5000.0),
    minimum_coverage=0.9,
)
def noise_slow(level: Operand, time: Operand) -> Operand:
    """Pot noise, slow band.

    Time mean of the swing (largest less smallest) of the 10 s means of the normalised voltage in
    each window of 5 min: waves of the metal.
    """
    return level / time


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(
        Input("alarm", "Time above the alarm", "s", (active("noise_alarm", POT),)),
        time_of("noise_alarm", POT),
    ),
    source=_BANDS,
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def noise_alarm_share(alarm: Operand, time: Operand) -> Operand:
    """Share of time with noise above the alarm.

    Time in which the slow noise of pots is above the limit of the plant.
    """
    return alarm / time
