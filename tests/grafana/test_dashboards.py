"""Every query of every dashboard on a park of three hours, and its figures beside the API's."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import httpx
import psycopg
import pytest

from api.app import create_app
from tests.api.conftest import SETTINGS, serving
from tests.grafana.conftest import END, START
from tests.grafana.dashboard import DOCS, FILES, Shown, expanded, load, panels, variables

#: What Grafana knows by name, of what is used here; any other unit is written out.
_UNITS: Final = {"none", "short", "percent", "percentunit", "volt", "s", "m"}
_NUMBERS: Final = {"float8", "int4", "int8", "numeric"}
_TIMES: Final = {"timestamptz", *_NUMBERS}
_SHOWN: Final = Shown(START, END - timedelta(milliseconds=1))
BOARDS: Final = {file.stem: load(file) for file in FILES}
PANELS: Final = [
    pytest.param(stem, panel, id=f"{stem}: {panel['title']}")
    for stem, board in BOARDS.items()
    for panel in panels(board)
]

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def connection(park_dsn: str, reader: str) -> Iterator[psycopg.Connection]:
    """The data source: the reader's role, with the rights of the recipe in the README alone."""
    recipe = re.search(r"```sql\n(.*?)```", (DOCS / "README.md").read_text(), re.DOTALL)
    assert recipe is not None
    grants = [line for line in recipe[1].split(";") if "CREATE ROLE" not in line]
    with psycopg.connect(park_dsn, autocommit=True) as connection:
        for grant in grants:
            connection.execute(grant.replace("ertis_report", reader).encode())
        connection.execute(f"SET ROLE {reader}".encode())
        connection.execute("SET default_transaction_read_only = on")
        yield connection


def ask(connection: psycopg.Connection, sql: str) -> tuple[dict[str, str], Rows]:
    """The types of the columns by their names, and the rows."""
    cursor = connection.execute(sql.encode())
    types = psycopg.adapters.types
    columns = {}
    for column in cursor.description or ():
        known = types.get(column.type_code)
        columns[column.name] = known.name if known else "?"
    return columns, cursor.fetchall()


def choose(connection: psycopg.Connection, board: Mapping[str, Any]) -> dict[str, Any]:
    """Of each variable all that it offers, or the first where it takes one."""
    chosen: dict[str, Any] = {}
    for name, one in variables(board).items():
        if one["type"] == "query":
            _, rows = ask(connection, expanded(one["query"], _SHOWN, chosen))
            assert rows, name
            chosen[name] = [row[0] for row in rows] if one["multi"] else rows[0][0]
        elif one["type"] == "custom":
            chosen[name] = one["current"]["value"]
    return chosen


def sent(connection: psycopg.Connection, stem: str, panel: Mapping[str, Any]) -> str:
    """The SQL of a panel as the database gets it."""
    (target,) = panel["targets"]
    return expanded(target["rawSql"], _SHOWN, choose(connection, BOARDS[stem]))


@pytest.mark.parametrize(("stem", "panel"), PANELS)
def test_a_query_gives_what_its_panel_needs(
    connection: psycopg.Connection, stem: str, panel: dict[str, Any]
) -> None:
    """Time first, then names, then numbers; and on this park there is something to see."""
    columns, rows = ask(connection, sent(connection, stem, panel))
    names = list(columns)

    assert rows
    if panel["targets"][0]["format"] == "time_series":
        assert names[0] == "time"
        assert columns["time"] in _TIMES
        assert names[1:] in (["metric", "value"], ["value"])
        assert columns["value"] in _NUMBERS
        assert columns.get("metric", "text") in {"text", "varchar"}
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert any(row[-1] is not None for row in rows)
    else:
        assert all(name[0].isupper() for name in names)


@pytest.fixture(scope="module")
def client(park_dsn: str) -> Iterator[httpx.Client]:
    """The API on the same database, at the end of the three hours."""
    with serving(
        create_app(SETTINGS.model_copy(update={"alarms": False}), park_dsn, lambda: END)
    ) as found:
        yield found


#: Dashboard, panel: the KPI that it shows, and of which assets.
_OF_KPI: Final = {
    ("potlines", "DC specific energy, whole span"): "dc_specific_energy",
    ("potlines", "AC specific energy, whole span"): "ac_specific_energy",
    ("potlines", "Current efficiency, whole span"): "current_efficiency",
    ("potlines", "Anode effects per pot-day, whole span"): "anode_effect_frequency",
    ("refinery", "Liquor productivity, whole span"): "liquor_productivity",
    ("refinery", "Bauxite per tonne of alumina, whole span"): "bauxite_factor",
    ("refinery", "Fuel energy, whole span"): "refinery_energy",
    ("refinery", "Electricity, whole span"): "refinery_electricity",
    ("energy", "Hourly matched share, whole span"): "hourly_matched_share",
    ("energy", "Self-sufficiency, whole span"): "self_sufficiency",
    ("energy", "Scope 2, location-based, whole span"): "scope2_location",
    ("energy", "Energy delivered by the farms, whole span"): "energy_delivered",
    ("potlines", "Pot voltage"): "pot_voltage",
    ("potlines", "Time in anode effects per pot-day"): "anode_effect_minutes",
    ("refinery", "Live steam per tonne dissolved"): "steam_per_tonne",
    ("refinery", "Extraction efficiency"): "extraction_efficiency",
    ("energy", "Capacity factor"): "capacity_factor",
    ("energy", "Hourly matched share"): "hourly_matched_share",
}


def figures(connection: psycopg.Connection, stem: str, title: str) -> Rows:
    """Time, asset and value of a panel."""
    panel = next(one for one in panels(BOARDS[stem]) if one["title"] == title)
    return ask(connection, sent(connection, stem, panel))[1]


@pytest.mark.parametrize(("stem", "title"), _OF_KPI)
def test_a_figure_is_that_of_the_api(
    connection: psycopg.Connection, client: httpx.Client, stem: str, title: str
) -> None:
    """The same sums divided the same way: span by span, to the rounding of sums."""
    whole = title.endswith("whole span")
    for at, asset, value in figures(connection, stem, title):
        end = END if whole else at + timedelta(hours=1)
        query = {"asset": asset, "from": at.isoformat(), "to": end.isoformat()}
        answer = client.get(f"/api/v1/kpis/{_OF_KPI[stem, title]}", params=query).json()
        (row,) = answer["rows"]

        assert row["coverage"] > 0.9
        assert value == pytest.approx(row["value"], rel=1e-7)


def test_a_whole_span_is_no_mean_of_its_hours(connection: psycopg.Connection) -> None:
    """Energy matched in all hours by the load of all hours: one of more load weighs more."""
    ((_, _, whole),) = figures(connection, "energy", "Hourly matched share, whole span")
    hours = [value for _, _, value in figures(connection, "energy", "Hourly matched share")]

    assert len(hours) == 3
    assert whole != pytest.approx(fmean(hours), rel=1e-6)
    assert min(hours) < whole < max(hours)


def test_what_is_not_covered_has_no_value(
    connection: psycopg.Connection, client: httpx.Client
) -> None:
    """Of six hours half are known: coverage says so, and no figure is given, as by the API."""
    start = START - timedelta(hours=3)
    query = (
        "SELECT coverage, known FROM reporting.kpi_totals('pot_voltage', %s, %s) WHERE asset = %s"
    )
    with connection.cursor() as cursor:
        rows = cursor.execute(query, (start, END, "smelter/potline-1")).fetchall()
    asked = {"asset": "smelter/potline-1", "from": start.isoformat(), "to": END.isoformat()}
    (row,) = client.get("/api/v1/kpis/pot_voltage", params=asked).json()["rows"]

    assert rows == [(pytest.approx(row["coverage"], abs=1e-9), False)]
    assert row["value"] is None


def test_the_reader_sees_nothing_else(connection: psycopg.Connection) -> None:
    """Neither keys nor payloads, and no way to write."""
    for statement in ("SELECT * FROM api_key", "SELECT payload FROM dead_letter"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE reporting.own (id int)")


def test_uids_are_unique() -> None:
    """An address of a dashboard leads to one."""
    uids = [board["uid"] for board in BOARDS.values()]

    assert len(uids) == len(set(uids)) == 4
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_one_that_grafana_takes(file: Path) -> None:
    """Schema, ids, places, units, and the data source chosen by its variable alone."""
    board = load(file)
    shown = list(panels(board))

    assert board["schemaVersion"] == 39
    assert "id" not in board
    assert len({panel["id"] for panel in shown}) == len(shown)
    assert variables(board)["database"]["query"] == "grafana-postgresql-datasource"
    for panel in shown:
        place = panel["gridPos"]
        assert panel["type"] in {"timeseries", "stat", "table"}
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert place["x"] + place["w"] <= 24
        unit = panel["fieldConfig"]["defaults"]["unit"]
        assert unit in _UNITS or unit.startswith("suffix: ")
        for asked in (panel, *panel["targets"], *_queries(board)):
            assert asked["datasource"]["uid"] == "${database}"


def _queries(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in variables(board).values() if one["type"] == "query"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_panels_do_not_overlap(file: Path) -> None:
    """Grafana would move them."""
    for one, other in combinations((panel["gridPos"] for panel in panels(load(file))), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_only_views_are_read(file: Path) -> None:
    """Tables may change with any version; the views are what is promised."""
    board = load(file)
    texts = [panel["targets"][0]["rawSql"] for panel in panels(board)]
    for text in (*texts, *(one["query"] for one in _queries(board))):
        assert re.findall(r"\b(?:FROM|JOIN)\s+(?!\()(\w+\.\w+|\w+)", text)
        assert all(
            name.startswith("reporting.")
            for name in re.findall(r"\b(?:FROM|JOIN)\s+(?!\()(\w+\.?\w*)", text)
        )
