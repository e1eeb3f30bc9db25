"""What a tonne of aluminium takes in alumina, fluoride and anodes, and how pure it is."""

from kpi.catalogue.inputs import IN_SMELTER, METAL, NET_ANODE, POT, increase, total
from kpi.formula import Operand
from kpi.kpi import Input, declare


@declare(
    unit="kg/t",
    assets=IN_SMELTER,
    inputs=(*NET_ANODE, METAL),
    source="(gross anodes - butts) / metal; IPCC 2006 Guidelines, volume 3, 4.4",
    valid=(300.0, 700.0),
    minimum_coverage=0.9,
)
def net_anode_consumption(anodes: Operand, butts: Operand, metal: Operand) -> Operand:
    """Net anode consumption.

    Carbon of anodes set less that of butts returned, per metal tapped. 334 kg/t is the least that
    the reaction takes; the rest is lost to current efficiency and air. Anodes are set every few
    weeks: the value holds over spans longer than that.
    """
    return (anodes - butts) / metal


@declare(
    unit="kg/t",
    assets=IN_SMELTER,
    inputs=(NET_ANODE[0], METAL),
    source="Gross anodes / metal",
    valid=(400.0, 900.0),
    minimum_coverage=0.9,
)
def gross_anode_consumption(anodes: Operand, metal: Operand) -> Operand:
    """Gross anode consumption.

    Carbon of anodes set per metal tapped, butts not taken off.
    """
    return anodes / metal


@declare(
    unit="t/t",
    assets=IN_SMELTER,
    inputs=(Input("alumina", "Alumina fed", "kg", (increase("alumina_fed", POT),)), METAL),
    source="Alumina fed / metal; the reaction takes 1.8894 t/t",
    valid=(1.7, 2.2),
    minimum_coverage=0.9,
)
def alumina_consumption(alumina: Operand, metal: Operand) -> Operand:
    """Alumina consumption.

    Alumina by the pot feeders per metal tapped. More than 1.8894 t/t is water, dust and sludge.
    """
    return alumina / metal


@declare(
    unit="kg/t",
    assets=IN_SMELTER,
    inputs=(Input("alf3", "Aluminium fluoride fed", "kg", (increase("alf3_fed", POT),)), METAL),
    source="AlF3 fed / metal",
    valid=(0.0, 60.0),
    minimum_coverage=0.9,
)
def alf3_consumption(alf3: Operand, metal: Operand) -> Operand:
    """Aluminium fluoride consumption.

    Aluminium fluoride by the pot feeders per metal tapped; what returns with the alumina of the
    gas treatment is not in it.
    """
    return alf3 / metal


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(
        Input("pure", "Aluminium in the metal tapped", "t", (total("pure_metal_tapped", POT),)),
        METAL,
    ),
    source="100 % less impurities; P1020A is 99.70 % at least (LME)",
    valid=(99.0, 100.0),
    minimum_coverage=0.9,
)
def metal_purity(pure: Operand, metal: Operand) -> Operand:
    """Metal purity.

    Aluminium in the metal tapped, weighted by the mass of each tap with the assay of its pot.
    """
    return pure / metal


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(
        Input("on_grade", "Metal on grade", "t", (total("metal_on_grade", POT),)),
        METAL,
    ),
    source="P1020A: 99.70 % Al, Fe 0.20 % and Si 0.10 % at most (LME, primary aluminium)",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def on_grade_share(on_grade: Operand, metal: Operand) -> Operand:
    """Share of metal on grade.

    Metal of taps within the limits of the grade, per metal tapped.
    """
    return on_grade / metal
