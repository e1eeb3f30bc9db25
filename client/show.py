"""Frames and live states on a terminal, or as JSON for the next program."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

#: Rows of a table on a terminal; a file or --json has them all.
ROWS_SHOWN: Final = 40
_STYLES: Final = {0: "red", 64: "yellow", 500: "dim"}

console = Console()


def show(frame: pl.DataFrame, *, as_json: bool) -> None:
    """*frame* as a table, or with *as_json* an object a line; all its rows then."""
    texts = frame.with_columns(pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
    if as_json:
        typer.echo(texts.write_ndjson(), nl=False)
        return
    table = Table(box=None, pad_edge=False)
    for name, kind in frame.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left", no_wrap=True)
    for row in texts.head(ROWS_SHOWN).iter_rows():
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    if frame.height > ROWS_SHOWN:
        console.print(f"... {frame.height:,} rows; -o FILE or --json gives all", style="dim")


def state(data: Mapping[str, Any]) -> Table:
    """The state of a live stream as a table; what is not good is coloured."""
    table = Table(box=None, pad_edge=False, title=f"at {data['at']}", title_justify="left")
    for name in ("what", "value", "unit", "since", "remark"):
        table.add_column(name, justify="right" if name == "value" else "left", no_wrap=True)
    for one in data["tags"]:
        style = _STYLES.get(one["quality"])
        known = _cell(one["value"]), one["unit"], _cell(one["ts"]), _cell(one["reason"])
        table.add_row(one["tag"], *known, style=style)
    for one in data["kpis"]:
        style = "yellow" if one["value"] is None else None
        known = _cell(one["value"]), one["unit"], _cell(one["start"]), _cell(one["reason"])
        table.add_row(f"{one['kpi']} @ {one['asset']}", *known, style=style)
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
