"""What a person sees of a running park: one table, and where to look."""

from collections.abc import Sequence

from rich.table import Table

from standalone.park import Park
from standalone.ports import HOST

COLUMNS = ("service", "address", "pid", "log")


def board(park: Park) -> Table:
    """A line for everything that runs, in the order of the start."""
    table = Table(box=None, pad_edge=False)
    for title in COLUMNS:
        table.add_column(title, overflow="fold", justify="right" if title == "pid" else "left")
    for ground in park.grounds:
        table.add_row(ground.name, ground.address, str(ground.server.pid), ground.log)
    for child in park.children:
        table.add_row(
            child.service.name, child.service.address, str(child.pid), str(child.log_file)
        )
    return table


def addresses(port: int) -> Sequence[tuple[str, str]]:
    """What to look at first: what it is, and its URL."""
    root = f"http://{HOST}:{port}"
    return [
        ("live KPIs", f"{root}/api/v1/kpis"),
        ("the API", f"{root}/docs"),
        ("counters", f"{root}/metrics"),
    ]
