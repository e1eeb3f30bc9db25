"""What a person sees of a running park: one table, and where to look."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from kpi.catalogue.park import KPIS
from schemas.plant.model import Level, Plant
from standalone.park import Park
from standalone.plan import Options
from standalone.ports import HOST

#: KPIs that have a value seconds after the start; metal, for one, has to be tapped first.
_PROMPT: Final = ("liquor_productivity", "capacity_factor")


def show(console: Console, park: Park, options: Options, plant: Plant) -> None:
    """Print what runs and where to look."""
    console.print(_table(park))
    for title, place in _places(options, plant):
        console.print(f"{title:<10} {place}", soft_wrap=True)


def _table(park: Park) -> Table:
    """A line for everything that runs, in the order of the start."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("service", no_wrap=True)
    table.add_column("address", overflow="fold")
    table.add_column("pid", justify="right", no_wrap=True)
    table.add_column("log", no_wrap=True)
    for ground in park.grounds:
        table.add_row(ground.name, ground.address, str(ground.server.pid), ground.log)
    for child in park.children:
        log = str(Path("log") / child.log_file.name)
        table.add_row(child.service.name, child.service.address, str(child.pid), log)
    return table


def _places(options: Options, plant: Plant) -> Iterator[tuple[str, str]]:
    """Where to look: what it is, and its URL or folder."""
    root = f"http://{HOST}:{options.port}"
    yield "data, logs", str(options.data_dir.absolute())
    yield "console", f"{root}/"
    yield "live KPI", f"{root}/api/v1/kpis{live_kpi(plant)}"
    yield "the API", f"{root}/docs (this machine reads without a key; nobody else does)"
    yield "counters", f"{root}/metrics"


def live_kpi(plant: Plant) -> str:
    """Path and query of a KPI over the last minute; empty, the catalogue, where there is none."""
    for name in _PROMPT:
        for asset in plant.assets.values():
            if asset.level is not Level.SITE and asset.type in KPIS[name].assets:
                return f"/{name}?asset={asset.path}&from=-1m"
    return ""
