"""What many KPIs are made of: types of asset, and the inputs of metal, alumina and energy."""

from typing import Final

from kpi.kpi import Amount, Input, Source

POT: Final = frozenset({"pot"})
LINE: Final = frozenset({"potline"})
RECTIFIER: Final = frozenset({"rectifier"})
CALCINATION: Final = frozenset({"calcination"})
UNITS: Final = frozenset({"turbine", "inverter"})
FARMS: Final = frozenset({"wind_farm", "solar_farm", "renewables"})
BATTERY: Final = frozenset({"battery"})
GRID: Final = frozenset({"grid"})

#: Units of the refinery, from bauxite to alumina.
REFINERY_UNITS: Final = frozenset(
    {
        "digestion",
        "clarification",
        "washing",
        "precipitation",
        "evaporation",
        "calcination",
        "powerhouse",
    }
)
#: What makes metal, and what serves it: the scope of AC energy (IAI) and of the smelter's carbon.
SMELTER_UNITS: Final = frozenset(
    {"rectifier", "gas_treatment", "potroom", "carbon_plant", "casthouse"}
)
#: Whatever may have a meter for the electric power that it draws.
CONSUMERS: Final = frozenset({"smelter", "refinery"}) | REFINERY_UNITS | SMELTER_UNITS
#: What burns fuel.
REFINERY_BURNERS: Final = frozenset({"calcination", "powerhouse"})
SMELTER_BURNERS: Final = frozenset({"carbon_plant", "casthouse"})

#: Every type of asset that anything is summed over.
EVERY_TYPE: Final = (
    POT | LINE | CONSUMERS | UNITS | FARMS | BATTERY | GRID | frozenset({"site", "met_mast"})
)

#: The types of asset that have a KPI of the potlines, from the pot up.
IN_SMELTER: Final = ("pot", "potline", "smelter", "site")
IN_REFINERY: Final = ("refinery", "site")


def integral(measure: str, of: frozenset[str]) -> Source:
    """The time integral of a gauge."""
    return Source(measure, of, Amount.INTEGRAL)


def total(measure: str, of: frozenset[str]) -> Source:
    """The sum of events."""
    return Source(measure, of, Amount.TOTAL)


def increase(measure: str, of: frozenset[str]) -> Source:
    """The increase of a counter."""
    return Source(measure, of, Amount.INCREASE)


def active(measure: str, of: frozenset[str]) -> Source:
    """The time in which a state is not 0."""
    return Source(measure, of, Amount.ACTIVE)


def activations(measure: str, of: frozenset[str]) -> Source:
    """How often a state became active."""
    return Source(measure, of, Amount.ACTIVATIONS)


def covered(measure: str, of: frozenset[str]) -> Source:
    """The time in which a measure is known."""
    return Source(measure, of, Amount.COVERED)


def time_of(measure: str, of: frozenset[str]) -> Input:
    """The time that a mean over time is divided by."""
    return Input("time", "Time covered", "s", (covered(measure, of),))


def mean_of(measure: str, of: frozenset[str], unit: str, title: str) -> tuple[Input, Input]:
    """What a mean over time is made of: ``level`` integrated over time, and that ``time``."""
    level = Input("level", f"{title}, integrated", f"({unit}) * s", (integral(measure, of),))
    return level, time_of(measure, of)


METAL: Final = Input("metal", "Metal tapped", "t", (total("metal_tapped", POT),))
INVENTORY: Final = Input(
    "inventory",
    "Gain of the metal left in the pots",
    "t",
    (total("metal_inventory_change", POT),),
    optional=True,
)
CHARGE: Final = Input(
    "charge",
    "Charge through the pots in circuit",
    "kA h",
    (
        integral("pot_current", POT),
        Source("line_current", LINE, Amount.INTEGRAL, per="pot"),
    ),
)
#: Of a pot without the state `operating` all time counts.
POT_TIME: Final = Input(
    "pot_time",
    "Time of the pots in operation",
    "d",
    (
        active("operating", POT),
        covered("anode_effect_by_voltage", POT),
        covered("anode_effect", POT),
    ),
)
EFFECT_TIME: Final = Input(
    "effect_time",
    "Time in anode effects",
    "min",
    (active("anode_effect_by_voltage", POT), active("anode_effect", POT)),
)
NET_ANODE: Final = (
    Input("anodes", "Carbon of anodes set", "kg", (total("anode_set", POT),)),
    Input("butts", "Carbon of butts returned", "kg", (total("butt_removed", POT),)),
)

ALUMINA: Final = Input(
    "alumina", "Alumina produced", "t", (increase("alumina_produced", CALCINATION),)
)

GENERATION: Final = Input(
    "generation",
    "Energy of wind and solar",
    "kWh",
    (total("energy_net", UNITS | FARMS), integral("power", UNITS)),
)
LOAD: Final = Input("load", "Energy consumed", "kWh", (integral("load", CONSUMERS),))
IMPORT: Final = Input("imported", "Energy from the grid", "kWh", (integral("import_power", GRID),))
EXPORT: Final = Input("exported", "Energy to the grid", "kWh", (integral("export_power", GRID),))
CHARGED: Final = Input(
    "charged",
    "Energy into the batteries",
    "kWh",
    (integral("charge_power", BATTERY),),
    optional=True,
)
DISCHARGED: Final = Input(
    "discharged",
    "Energy out of the batteries",
    "kWh",
    (integral("discharge_power", BATTERY),),
    optional=True,
)
