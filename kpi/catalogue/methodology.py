"""Named constants of methodologies. The name of a set is stored with every answer.

Emissions of one year differ by 15 % between the sets of global warming potentials, and by half
between the generations of slopes: a number without its set says nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from kpi.kpi import Constant, ParameterSet

FARADAY: Final = ParameterSet(
    "faraday-2019",
    "M(Al) 26.9815384 g/mol (IUPAC), 3 electrons, F = e N_A of the SI of 2019",
    {
        "yield_": Constant(
            26.9815384e-3 * 3.6e6 / (3 * 1.602176634e-19 * 6.02214076e23), "kg/(kA h)"
        )
    },
)

_SLOPE: Final = "kg/t/(min/d)"
_IPCC: Final = "IPCC 2006 Guidelines, volume 3, chapter 4, table 4.16 (Tier 2)"
_CBAM: Final = "Implementing Regulation (EU) 2025/2547, Annex II, B.7"

#: Generation -> source, and technology -> slope of CF4 [(kg/t)/(min/d)] and C2F6 to CF4 by mass.
#: PFPB_L and PFPB_M are point-fed prebake cells, legacy and modern; a modern one without fully
#: automated intervention (PFPB_MW) takes the numbers of CWPB.
_SLOPES: Final[Mapping[str, tuple[str, Mapping[str, tuple[float, float]]]]] = {
    "cbam-2025": (
        f"{_CBAM}, table 2",
        {
            "pfpb-m": (0.104, 0.057),
            "pfpb-l": (0.122, 0.097),
            "pfpb-mw": (0.143, 0.121),
            "cwpb": (0.143, 0.121),
            "swpb": (0.233, 0.280),
            "vss": (0.058, 0.086),
            "hss": (0.165, 0.077),
        },
    ),
    "ipcc-2006": (
        _IPCC,
        {
            "cwpb": (0.143, 0.121),
            "swpb": (0.272, 0.252),
            "vss": (0.092, 0.053),
            "hss": (0.099, 0.085),
        },
    ),
}
#: The same in both generations.
_OVERVOLTAGE: Final = {"cwpb": (1.16, 0.121), "swpb": (3.65, 0.252)}

#: Report -> 100-year potentials of CF4 and C2F6 [kg CO2e/kg].
GWP_REPORTS: Final = {
    "ar5": (6630.0, 11100.0),
    "ar6": (7380.0, 12400.0),
    "ar4": (7390.0, 12200.0),
    "sar": (6500.0, 9200.0),
}

_CARBON: Final = {
    "cbam-2025": (
        f"{_CBAM}: 3.664 t CO2/t C; carbon as analysed",
        {"sulfur": 0.0, "ash": 0.0, "oxidation": 3.664},
    ),
    "ipcc-2006": (
        "IPCC 2006 Guidelines, volume 3, equation 4.21: sulfur 2 %, ash 0.4 %, 44/12 t CO2/t C",
        {"sulfur": 0.02, "ash": 0.004, "oxidation": 44 / 12},
    ),
}


def _set(name: str, source: str, **constants: tuple[float, str]) -> ParameterSet:
    return ParameterSet(
        name, source, {given: Constant(*number) for given, number in constants.items()}
    )


SLOPES: Final = tuple(
    _set(
        f"{generation}-{technology}",
        source,
        slope=(slope, _SLOPE),
        c2f6_share=(share, "1"),
    )
    for generation, (source, table) in _SLOPES.items()
    for technology, (slope, share) in table.items()
)

OVERVOLTAGES: Final = tuple(
    _set(
        f"{generation}-{technology}",
        source,
        coefficient=(coefficient, "kg/t/mV"),
        c2f6_share=(share, "1"),
    )
    for generation, source in (("cbam-2025", f"{_CBAM}, table 3"), ("ipcc-2006", _IPCC))
    for technology, (coefficient, share) in _OVERVOLTAGE.items()
)

POTENTIALS: Final = tuple(
    _set(
        name,
        f"100-year global warming potentials of IPCC {name.upper()}",
        gwp_cf4=(cf4, "kg/kg"),
        gwp_c2f6=(c2f6, "kg/kg"),
    )
    for name, (cf4, c2f6) in GWP_REPORTS.items()
)

ANODE_CARBON: Final = tuple(
    _set(name, source, **{given: (number, "1") for given, number in numbers.items()})
    for name, (source, numbers) in _CARBON.items()
)


def joined(*sets: ParameterSet, name: str | None = None) -> ParameterSet:
    """The constants of all of *sets* under one name."""
    return ParameterSet(
        name or "-".join(given.name for given in sets),
        "; ".join(dict.fromkeys(given.source for given in sets)),
        {key: constant for given in sets for key, constant in given.constants.items()},
    )


def only(sets: Iterable[ParameterSet], *names: str) -> tuple[ParameterSet, ...]:
    """The same sets with these constants alone: what a formula does not take is not stored."""
    return tuple(
        ParameterSet(given.name, given.source, {name: given.constants[name] for name in names})
        for given in sets
    )


#: Slopes and potentials; beside each generation of slopes all reports.
PFC: Final = tuple(joined(slopes, gwp) for slopes in SLOPES for gwp in POTENTIALS)

#: As PFC, with the carbon of the anodes by the rules of the same generation.
SMELTER_CARBON: Final = tuple(
    joined(pfc, carbon, name=pfc.name)
    for pfc in PFC
    for carbon in ANODE_CARBON
    if pfc.name.startswith(carbon.name)
)

#: Of liquor: caustic expressed as ...; kg Na2CO3 that stand for 1 kg of it.
_NA2CO3: Final = 105.98854
BASES: Final = tuple(
    _set(
        f"caustic-as-{name}",
        f"C of the tags is expressed as {title}, at 25 degC",
        to_soda=(_NA2CO3 / mass, "1"),
    )
    for name, title, mass in (
        ("na2co3", "Na2CO3", _NA2CO3),
        ("na2o", "Na2O", 61.97854),
        ("naoh", "NaOH (two for one Na2CO3)", 2 * 39.99677),
    )
)
#: mol Na2O to mol Al2O3 where A is to C, as Na2CO3, as one to one by mass.
MOLAR: Final = tuple(
    joined(
        basis,
        _set(
            "",
            "M(Al2O3) 101.96008, M(Na2CO3) 105.98854 g/mol (IUPAC)",
            moles=(101.96008 / _NA2CO3, "1"),
        ),
        name=basis.name,
    )
    for basis in BASES
)
