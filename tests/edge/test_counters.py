"""The metrics against docs/edge.md, where an engineer reads what they mean."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from edge.counters import EdgeCounters


def test_every_metric_is_explained() -> None:
    """The table names each metric, and none that there is not."""
    registry = CollectorRegistry()
    EdgeCounters(registry)
    known = {family.name.removeprefix("ertis_edge_") for family in registry.collect()}
    table = Path("docs/edge.md").read_text().split("## Metrics")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == known
