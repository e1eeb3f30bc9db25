"""Two years of a real wind farm, replayed the way that live readings go."""

import shutil
from pathlib import Path

import pytest

from benchmarks.la_haute_borne import METER, SCADA, fetch
from tests.e2e.backend import backend
from tests.fixtures.broker import make_broker
from tests.fixtures.until import until

pytestmark = pytest.mark.e2e

#: 2014-06 as OpenOA's regression test of its Monte Carlo AEP publishes it (test/regression/
#: long_term_monte_carlo_aep.py): net energy [GWh], losses as share of the potential energy. The
#: capacity factor is the net energy over 8.2 MW and 720 h.
PUBLISHED = {
    "capacity_factor": 0.117276,
    "unavailability_loss": 0.040019,
    "curtailment_loss": 0.018026,
}
NET_KWH = 692_400.0


def test_a_month_equals_what_was_published(tmp_path: Path, database: str) -> None:
    """Meter and SCADA through agent, broker, ingest and API give the published June of 2014."""
    files = fetch()
    shutil.copytree("plants", tmp_path / "plants")
    plant = tmp_path / "plants" / "la-haute-borne.toml"
    broker = make_broker("embedded", tmp_path)
    broker.start()
    try:
        with backend(tmp_path, database, broker, plant) as behind:
            replay = behind.service(
                "replay",
                *("edge", "replay", "--files", str(files), "--data-dir", str(tmp_path / "spool")),
                *("--config", str(tmp_path / "plants" / "la-haute-borne" / "replay.toml")),
            )
            replay.start()
            assert replay.wait(240) == 0, replay.tail()
            until(behind.ready, "the API")
            june = {"from": "2014-06-01T00:00Z", "to": "2014-07-01T00:00Z", "asset": "wind"}
            rows = {
                kpi: behind.get(f"/api/v1/kpis/{kpi}", lineage="true", **june)["rows"]
                for kpi in PUBLISHED
            }
    finally:
        broker.stop()
    found = {kpi: row["value"] for kpi, (row,) in rows.items()}
    net_kwh = next(
        given["value"]
        for given in rows["capacity_factor"][0]["inputs"]
        if given["input"] == "energy"
    )

    assert found == pytest.approx(PUBLISHED, abs=5e-7)
    assert net_kwh == pytest.approx(NET_KWH, abs=0.5)
    said = replay.log.read_text()
    for file, rows_read in ((METER, "105,120"), (SCADA, "420,480")):
        assert file in said
        assert rows_read in said
    assert "2,569" in said  # blank P_avg
    assert "48" in said  # stamps of a turbine that stand twice, around the changes of summer time
