"""The dashboards as Grafana reads them, and its SQL as PostgreSQL gets it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[2] / "docs" / "grafana"
FILES: Final = sorted((DOCS / "dashboards").glob("*.json"))
#: ``$__name(arguments)``; arguments of ours hold no parentheses.
_MACRO: Final = re.compile(r"\$__(\w+)\(([^()]*)\)")
_VARIABLE: Final = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Shown:
    """The time picker's span, both ends included."""

    start: datetime
    end: datetime


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _filter(shown: Shown, column: str) -> str:
    return f"{column} BETWEEN '{_written(shown.start)}' AND '{_written(shown.end)}'"


def _group(_: Shown, column: str, every: str) -> str:
    given = every.strip(" '")
    seconds = int(given[:-1]) * _SECONDS[given[-1]]
    return f"floor(extract(epoch from {column})/{seconds})*{seconds}"


#: What the data source puts for each macro that is used here (Grafana 12, without TimescaleDB's
#: time_bucket).
_MACROS: Final[Mapping[str, Callable[..., str]]] = {
    "timeFilter": _filter,
    "timeFrom": lambda shown, _: f"'{_written(shown.start)}'",
    "timeTo": lambda shown, _: f"'{_written(shown.end)}'",
    "timeGroup": _group,
}


def expanded(sql: str, shown: Shown, chosen: Mapping[str, str | list[str]]) -> str:
    """*sql* as it is sent: macros by the span, variables by what is *chosen*.

    Of a variable that takes many, each choice is quoted; of one that takes one, the text is put
    as it is.
    """

    def macro(shown: Shown, found: re.Match[str]) -> str:
        return _MACROS[found[1]](shown, *found[2].split(","))

    def variable(found: re.Match[str]) -> str:
        choice = chosen[found[1] or found[2]]
        if isinstance(choice, str):
            return choice.replace("'", "''")
        return ",".join("'{}'".format(one.replace("'", "''")) for one in choice)

    return _VARIABLE.sub(variable, _MACRO.sub(partial(macro, shown), sql))


def load(file: Path) -> dict[str, Any]:
    """A dashboard."""
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard that draw something."""
    yield from (one for one in board["panels"] if one["type"] != "row")


def variables(board: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The variables of a dashboard by name."""
    return {one["name"]: one for one in board["templating"]["list"]}
