"""Up to when an asset's answer is complete: marks, gaps and agents that are away hold it back."""

from datetime import datetime, timedelta

import httpx
import psycopg
import pytest

from schemas.db.catalogue import Catalogue
from tests.api.demo import LINE, NOW, POTS, START, TURBINE, add_device, forget_marks, insert

EARLIER = NOW - timedelta(minutes=17)


@pytest.fixture
def dsn(database: str, pavlodar: Catalogue) -> str:
    """Two readings of a pot that are summarised, and an agent that measures it."""
    voltage = f"{POTS[0]}/voltage"
    insert(database, pavlodar, [(voltage, START, 4.2, 192), (voltage, EARLIER, 4.2, 192)])
    forget_marks(database)
    add_device(database, "plc", [pavlodar.tag_ids[voltage]], online=True, node="potline-1")
    add_device(database, "wtg-01", [pavlodar.tag_ids[TURBINE]], online=True, node="power-1")
    tell(database, "potline-1", NOW)
    return database


def tell(dsn: str, node: str, newest_at: datetime | None, *, online: bool = True) -> None:
    """What ingest writes of a node with a spool."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE edge_node SET spool_id = 'a', newest_at = %s, online = %s WHERE node_id = %s",
            (newest_at, online, node),
        )


def lacking(dsn: str, cause: str, from_ts: datetime | None) -> None:
    """An open gap of the potline's node."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO gap (source, cause, from_ts, found_at, spool_id)"
            " VALUES ('pavlodar/potline-1', %s, %s, %s, 'a')",
            (cause, from_ts, NOW),
        )


def complete(api: httpx.Client, asset: str = LINE) -> str | None:
    """What the series and the scorecard of the asset say, which is the same."""
    asked = {"asset": asset, "from": "-1h"}
    kpi = "dc_specific_energy" if asset == LINE else "capacity_factor"
    card = api.get("/api/v1/scorecard", params=asked).raise_for_status().json()
    known = {one["kpi"] for one in card["kpis"]}
    assert kpi in known, known
    found: str | None = card["complete_as_of"]
    series = api.get(f"/api/v1/kpis/{kpi}", params=asked).raise_for_status().json()
    assert series["complete_as_of"] == found
    return found


def shown(instant: datetime) -> str:
    """As the API writes it."""
    return instant.isoformat().replace("+00:00", "Z")


def test_all_is_in(api: httpx.Client, dsn: str) -> None:
    """Up to the open minute."""
    assert dsn
    assert complete(api) == shown(NOW)


def test_a_backlog_of_the_worker(api: httpx.Client, dsn: str, pavlodar: Catalogue) -> None:
    """Up to the first minute that is to be summarised."""
    insert(dsn, pavlodar, [(f"{POTS[0]}/voltage", EARLIER + timedelta(seconds=7), 4.3, 192)])
    assert complete(api) == shown(EARLIER)


def test_an_agent_that_is_away(api: httpx.Client, dsn: str) -> None:
    """Up to its newest reading; nobody knows where there is none yet."""
    tell(dsn, "potline-1", EARLIER, online=False)
    assert complete(api) == shown(EARLIER)
    tell(dsn, "potline-1", None)
    assert complete(api) is None


def test_an_open_gap(api: httpx.Client, dsn: str) -> None:
    """Up to the last reading before it, unless its frames are gone for good."""
    lacking(dsn, "dropped", START)
    assert complete(api) == shown(NOW)
    lacking(dsn, "delivery", EARLIER)
    assert complete(api) == shown(EARLIER)
    lacking(dsn, "backlog", None)
    assert complete(api) is None


def test_other_assets_do_not_wait(api: httpx.Client, dsn: str) -> None:
    """What a potline lacks is no matter of the wind farm."""
    lacking(dsn, "delivery", EARLIER)
    assert complete(api, "power/solar-1") == shown(NOW)
