"""Pure computation: readings and summaries to KPIs, and the OPC UA aggregates of ``part13``."""

from kpi.part13.aggregate import aggregate

__all__ = ["aggregate"]
