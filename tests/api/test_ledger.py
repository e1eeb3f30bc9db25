"""The green-aluminium ledger over HTTP: entries, statement, seals."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import httpx
import polars as pl
import pytest

from api.app import create_app
from kpi.ledger.accounts import METHODOLOGIES
from tests.api.conftest import SETTINGS, own_database, serving
from tests.api.demo import Row, forget_marks, insert, instants, store
from tests.kpi.catalogue.park import PLANT

START = datetime(2026, 10, 31, 6, tzinfo=UTC)
NOW = START + timedelta(hours=5)
SPAN = {"from": START.isoformat(), "to": (START + timedelta(hours=4)).isoformat()}
#: MWh of every hour, and what the grid gave and took.
LOAD, RENEWABLE = (6.0, 6.0, 6.0, 6.0), (8.0, 4.0, 0.0, 6.0)


def park() -> Iterator[Row]:
    """Four hours of a line, a metered farm and a grid connection, each minute."""
    for number, (load, made) in enumerate(zip(LOAD, RENEWABLE, strict=True)):
        start = START + timedelta(hours=number)
        missing = load - made
        powers = {
            "smelter/line-1/rectifier/load": load - 0.5,
            "smelter/line-1/gas-treatment/load": 0.5,
            "grid/import_power": max(missing, 0.0),
            "grid/export_power": max(-missing, 0.0),
            "grid/carbon_free_import": 0.3 * max(missing, 0.0),
        }
        for path, power in powers.items():
            for ts in instants(start, start + timedelta(hours=1), 30):
                yield path, ts, 1000.0 * power, 192
        for ts in instants(start, start + timedelta(hours=1), 30):
            yield "power/metered/energy_net", ts, 1000.0 * made / 120, 192


@pytest.fixture(scope="module")
def client(server: str, migrated: str) -> Iterator[httpx.Client]:
    """The API over the small park of the KPI tests; tests only read."""
    with own_database(server, migrated) as dsn:
        insert(dsn, store(dsn, PLANT), park())
        forget_marks(dsn)
        with serving(create_app(SETTINGS, dsn, lambda: NOW)) as found:
            yield found


def get(client: httpx.Client, path: str, **asked: str) -> httpx.Response:
    """A good answer."""
    answer = client.get(f"/api/v1/{path}", params={**SPAN, **asked})
    assert answer.status_code == 200, answer.text
    return answer


def test_entries_by_the_hour(client: httpx.Client) -> None:
    """Consumption by line, generation, import: what was measured, in MWh."""
    body = get(client, "ledger").json()
    found: dict[tuple[str, str], list[float]] = {}
    for row in body["rows"]:
        found.setdefault((row["account"], row["asset"]), []).append(row["value"])

    assert found["consumption", "smelter/line-1"] == pytest.approx(LOAD)
    assert found["generation", "power/metered"] == pytest.approx(RENEWABLE)
    assert found["import", "grid"] == pytest.approx([0.0, 2.0, 6.0, 0.0])
    assert (body["parameter_set"], body["truncated"]) == (METHODOLOGIES[0], False)
    assert len(body["rows"]) % 4 == 0


def test_every_form_has_the_same_entries(client: httpx.Client) -> None:
    """JSON, CSV, Arrow and Parquet, for whatever an auditor opens them with."""
    rows = get(client, "ledger").json()["rows"]
    text = pl.read_csv(BytesIO(get(client, "ledger", format="csv").content))
    arrow = pl.read_ipc_stream(BytesIO(get(client, "ledger", format="arrow").content))
    parquet = pl.read_parquet(BytesIO(get(client, "ledger", format="parquet").content))

    assert text["value"].to_list() == [row["value"] for row in rows]
    assert arrow["value"].to_list() == [row["value"] for row in rows]
    assert parquet.rows() == arrow.rows()


def test_the_statement_seals_the_entries(client: httpx.Client) -> None:
    """The digest of the CSV as it was downloaded; the same whenever the ledger is made again."""
    csv = get(client, "ledger", format="csv").content
    first, again = (get(client, "ledger/statement").json() for _ in range(2))

    assert first == again
    assert first["entries_sha256"] == hashlib.sha256(csv).hexdigest()
    other = get(client, "ledger/statement", parameters=METHODOLOGIES[1]).json()
    assert other["inputs_sha256"] == first["inputs_sha256"]
    assert other["entries_sha256"] != first["entries_sha256"]


def test_the_statement_names_its_inputs(client: httpx.Client) -> None:
    """Readings and covered hours of each; totals count what is missing."""
    body = get(client, "ledger/statement").json()
    inputs = {(one["asset"], one["input"]): one for one in body["inputs"]}
    lines = {one["line"]: one for one in body["lines"]}

    imported = inputs["grid", "imported"]
    assert (imported["tags"], imported["readings"]) == (1, 480)
    assert imported["covered_h"] == pytest.approx(4.0)
    assert lines["import"]["value"] == pytest.approx(8.0)
    assert lines["import"]["missing"] == 0
    assert body["signed"] == []


@pytest.mark.parametrize(
    ("asked", "parameter", "advice"),
    [
        ({"to": NOW.replace(hour=12).isoformat()}, "to", "hours that are over"),
        ({"from": START.replace(minute=30).isoformat()}, "from", "start of an hour"),
        ({"parameters": "cbam"}, "parameters", "known"),
        ({"from": "1990-01-01T00:00:00Z"}, "from", "hours"),
    ],
)
def test_what_cannot_be_booked_is_a_problem(
    client: httpx.Client, asked: dict[str, str], parameter: str, advice: str
) -> None:
    """It names the parameter and what would be right."""
    answer = client.get("/api/v1/ledger", params={**SPAN, **asked})

    assert answer.status_code in {404, 413, 422}
    assert answer.json()["parameter"] == parameter
    assert advice in answer.json()["right"]
