"""Pure computation: readings and summaries to KPIs, and the OPC UA aggregates of ``part13``."""
