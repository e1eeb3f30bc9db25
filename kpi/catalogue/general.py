"""Overall equipment effectiveness, for calciners and for potlines."""

from kpi.catalogue.inputs import (
    CALCINATION,
    IN_REFINERY,
    IN_SMELTER,
    POT,
    active,
    covered,
    increase,
    total,
)
from kpi.catalogue.methodology import FARADAY, joined
from kpi.formula import Operand
from kpi.kpi import Amount, Constant, Input, ParameterSet, Rated, Source, declare

_ISO = "ISO 22400-2:2014"
_CALCINERS = ("calcination", *IN_REFINERY)

_RUNNING = Input("running", "Production time (APT)", "h", (active("running", CALCINATION),))
_PLANNED = Input("planned", "Planned busy time (PBT)", "h", (active("planned", CALCINATION),))
_PRODUCED = Input("produced", "Produced (PQ)", "t", (increase("alumina_produced", CALCINATION),))
_GOOD = Input("good", "Good (GQ)", "t", (increase("alumina_on_spec", CALCINATION),))
_POSSIBLE = Input(
    "possible",
    "Production time at the rated rate (APT / PRI)",
    "t",
    (Source("running", CALCINATION, Amount.ACTIVE, rated="rate"),),
)


@declare(
    unit="%",
    assets=_CALCINERS,
    inputs=(_RUNNING, _PLANNED),
    source=f"{_ISO}, availability = APT / PBT",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def availability_ratio(running: Operand, planned: Operand) -> Operand:
    """Availability ratio.

    Production time as share of the planned busy time.
    """
    return running / planned


@declare(
    unit="%",
    assets=_CALCINERS,
    inputs=(_PRODUCED, _POSSIBLE),
    source=f"{_ISO}, effectiveness = PRI PQ / APT",
    valid=(0.0, 120.0),
    minimum_coverage=0.9,
)
def effectiveness(produced: Operand, possible: Operand) -> Operand:
    """Effectiveness.

    What was produced as share of what the production time gives at the rated rate.
    """
    return produced / possible


@declare(
    unit="%",
    assets=_CALCINERS,
    inputs=(_GOOD, _PRODUCED),
    source=f"{_ISO}, quality ratio = GQ / PQ",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def quality_ratio(good: Operand, produced: Operand) -> Operand:
    """Quality ratio.

    What is within the specification as share of what was produced.
    """
    return good / produced


@declare(
    unit="%",
    assets=_CALCINERS,
    inputs=(_RUNNING, _PLANNED, _PRODUCED, _GOOD, _POSSIBLE),
    source=f"{_ISO}, OEE = availability * effectiveness * quality ratio",
    valid=(0.0, 120.0),
    minimum_coverage=0.9,
)
def oee(
    running: Operand, planned: Operand, produced: Operand, good: Operand, possible: Operand
) -> Operand:
    """Overall equipment effectiveness.

    Availability times effectiveness times quality ratio, each of sums over time and calciners.
    """
    return (running / planned) * (produced / possible) * (good / produced)


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(
        Input("on_grade", "Metal on grade", "kg", (total("metal_on_grade", POT),)),
        Input("installed", "Pots installed", "d", (covered("operating", POT),)),
        Rated(
            "capacity",
            "Charge at rated current of the pots installed",
            "kA h",
            "line_current",
            over="installed",
        ),
    ),
    source=f"After {_ISO}: pots in operation, current and efficiency, grade; in one ratio",
    valid=(0.0, 110.0),
    minimum_coverage=0.9,
    parameter_sets=(
        joined(
            FARADAY,
            ParameterSet("", "target current efficiency 95 %", {"target": Constant(0.95, "1")}),
            name="target-95",
        ),
    ),
)
def potline_oee(on_grade: Operand, capacity: Operand, yield_: Operand, target: Operand) -> Operand:
    """Overall equipment effectiveness of a potline.

    Metal on grade as share of what all pots installed would make at the rated current and the
    target current efficiency: pots in operation, load, current efficiency and grade in one.
    """
    return on_grade / (yield_ * capacity * target)
