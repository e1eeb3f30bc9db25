"""From the PLC to the operator, every part real and some of them killed on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.instant import from_ms
from simulator.ledger import increase, newest_scan_ms, read_served, read_truth
from simulator.potline import EVENTS
from tests.e2e.park import AGENTS, Park, run_park
from tests.fixtures.broker import Broker
from tests.fixtures.until import until

pytestmark = pytest.mark.e2e

SECOND_MS = 1_000
#: What may be missing of a killed agent: answered reads that no group commit (250 ms) had yet kept,
#: at one scan a second.
GROUP_COMMIT_MS = 1_250


@pytest.fixture
def park(tmp_path: Path, database: str, broker: Broker) -> Iterator[Park]:
    """The whole park on the embedded broker, then on Mosquitto."""
    yield from run_park(tmp_path, database, broker)


def newest_ms(park: Park) -> int:
    """Time of the simulator's newest scan [ms]."""
    return newest_scan_ms(park.ledger)


def reach(park: Park, ts_ms: int) -> None:
    """Wait for the simulator's scan at *ts_ms*."""
    until(lambda: newest_ms(park) >= ts_ms, f"the scan at {from_ms(ts_ms)}", 120)


def test_kills_on_the_way_change_neither_readings_nor_kpis(park: Park) -> None:
    """SIGKILL of ingest and of an agent and a broker restart: rows equal what the PLCs served.

    The KPIs over the span with the faults equal the simulator's truth within 0.1 %.
    """
    start = newest_ms(park) + SECOND_MS
    reach(park, start + 3 * SECOND_MS)
    park.services["ingest"].kill()
    reach(park, start + 10 * SECOND_MS)
    park.services["ingest"].start()
    park.wait_stored(start + 10 * SECOND_MS)
    park.broker.stop()
    reach(park, newest_ms(park) + 8 * SECOND_MS)
    park.broker.start()
    park.wait_stored(newest_ms(park))
    park.services["potline-1"].kill()
    killed_ms = newest_ms(park)
    reach(park, killed_ms + 5 * SECOND_MS)
    park.services["potline-1"].start()
    end = max(newest_ms(park) + 10 * SECOND_MS, start + 60 * SECOND_MS)
    reach(park, end)
    park.wait_stored(end)
    for agent in AGENTS:
        assert park.services[agent].stop() == 0, park.services[agent].tail()

    served = read_served(park.ledger)
    until(lambda: len(park.stored()) >= len(served) - lost(park, killed_ms), "the last rows", 60)
    missing = served.items() - park.stored().items()
    invented = park.stored().items() - served.items()

    assert not invented
    assert all(
        tag.startswith("smelter/") and killed_ms - GROUP_COMMIT_MS <= ts_ms <= killed_ms + 1000
        for (tag, ts_ms), _ in missing
    ), sorted(missing)[:10]
    assert not any(tag.endswith(EVENTS) for (tag, _), _ in missing)
    check_kpis(park, start, end)


def lost(park: Park, killed_ms: int) -> int:
    """How many served readings the killed agent may have taken with it."""
    return sum(
        tag.startswith("smelter/") and killed_ms - GROUP_COMMIT_MS <= ts_ms <= killed_ms + 1000
        for tag, ts_ms in read_served(park.ledger)
    )


def kpi(park: Park, name: str, asset: str, start: int, end: int) -> float:
    """The value of a KPI over [start, end) [ms], of full coverage."""
    answer = park.backend.get(
        f"/api/v1/kpis/{name}",
        asset=asset,
        **{"from": from_ms(start).isoformat(), "to": from_ms(end).isoformat()},
    )
    (row,) = answer["rows"]
    assert row["value"] is not None, row
    assert row["coverage"] == pytest.approx(1.0), row
    value: float = row["value"]
    return value


def check_kpis(park: Park, start: int, end: int) -> None:
    """Compare the KPIs of each plant area with what the ledger says."""
    truth = read_truth(park.ledger)

    def true(asset: str, quantity: str) -> float:
        return increase(truth, asset, quantity, start, end)

    line, unit, farm = "smelter/potline-1", "refinery/digestion-1", "power/wind-1"
    hours = (end - start) / 3_600_000
    generated_kwh = sum(true(f"{farm}/wtg-{number:02d}", "net_kwh") for number in range(1, 9))
    expected = {
        ("dc_specific_energy", line): true(line, "energy_kwh")
        / (true(line, "metal_tapped_kg") / 1000),
        ("steam_per_tonne", unit): true(unit, "steam_t")
        / (true(unit, "alumina_dissolved_kg") / 1000),
        ("liquor_productivity", unit): true(unit, "alumina_dissolved_kg")
        / true(unit, "pregnant_m3"),
        ("capacity_factor", farm): generated_kwh / (8 * 4800.0 * hours),
    }

    found = {(name, asset): kpi(park, name, asset, start, end) for name, asset in expected}

    assert found == pytest.approx(expected, rel=1e-3)
