"""Rules of electric power: what was lost, and what imported power emitted."""

from kpi.derivation.level import level
from kpi.formula import Operand, active, minimum, positive


@level(unit="kW", operands={"potential": "kW", "power": "kW", "available": "1"})
def power_unavailable(potential: Operand, power: Operand, available: Operand) -> Operand:
    """Power lost while a unit is not available."""
    return positive(potential - power) * (1.0 - active(available))


@level(unit="kW", operands={"potential": "kW", "power": "kW", "available": "1", "curtailed": "1"})
def power_curtailed(
    potential: Operand, power: Operand, available: Operand, curtailed: Operand
) -> Operand:
    """Power lost to curtailment.

    A unit that is not available loses its power to that, whatever was ordered: no loss is in two
    categories (IEC 61400-26-1).
    """
    return positive(potential - power) * active(available) * active(curtailed)


@level(
    unit="kg/h",
    operands={
        "imported": "kW",
        "contracted": "kW",
        "contract_factor": "kg/kWh",
        "residual_factor": "kg/kWh",
    },
)
def market_emission(
    imported: Operand, contracted: Operand, contract_factor: Operand, residual_factor: Operand
) -> Operand:
    """Emission of imported power, market-based.

    Power under contract has the factor of its contract, at most as much as is imported; the rest
    has that of the residual mix. Source: GHG Protocol, Scope 2 Guidance, chapter 6.
    """
    covered = minimum(imported, contracted)
    return covered * contract_factor + (imported - covered) * residual_factor
