"""The delivery benchmarks run, count exactly and end with their JSON line."""

import json
import subprocess
import sys

import pytest

INGEST = {
    "readings_per_s",
    "raw_copy_per_s",
    "ratio",
    "rss_mb",
    "ingest_cpu_us",
    "server_cpu_us",
    "sender_cpu_us",
}
LATENCIES = {"latency_p50_ms", "latency_p99_ms"}


def run(*arguments: str) -> dict[str, object]:
    """The last line of a benchmark's output; a wrong count in the database fails it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, "--quick"],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("lane", "more"), [("sparkplug", LATENCIES), ("json", set())])
def test_ingest(lane: str, more: set[str]) -> None:
    """Every reading of either lane arrives, and each number that is claimed is there."""
    found = run("ingest", "--lane", lane, "--tags", "500", "--readings", "100000")
    assert found["readings"] == 10_000
    assert set(found) >= INGEST | more


def test_catchup() -> None:
    """A minute of spooled frames arrives beside the live ones, all of both."""
    found = run("catchup", "--tags", "500")
    assert found["backlog_readings"] == 30_000
    assert set(found) >= {"times_real_time", "live_p50_ms", "live_p99_ms", "rss_mb"}


def test_edge() -> None:
    """Every scan of every tag arrives, and a spool is sent without a frame twice."""
    found = run("edge", "--tags", "2500", "--spool-mb", "200")
    assert found["tags"] == 250
    readings = found["spool_readings"]
    assert isinstance(readings, int)
    assert readings > 500_000
    assert set(found) >= {
        "readings_per_s",
        "cores",
        "rss_mb",
        "jitter_p99_ms",
        "drain_per_s",
        "start_full_spool_s",
    }


def test_soak() -> None:
    """PLCs and broker come and go for 20 s: the ledger is exact, or the benchmark fails."""
    found = run("soak")
    assert isinstance(found["readings"], int)
    assert found["readings"] > 1000
    assert found["plc_flaps"]
    assert found["broker_flaps"]
    assert set(found) >= {"rss_start_mb", "rss_end_mb", "growth_mb"}


def test_live() -> None:
    """Every subscriber gets an update a second."""
    found = run("live", "--subscribers", "100")
    assert found["subscribers"] == 10
    assert set(found) >= {"p50_ms", "p99_ms", "cores", "server_cores"}
    assert isinstance(found["updates"], int)
    assert found["updates"] >= 10


def test_rollup() -> None:
    """A closed minute and a late hour of 1,000 tags are summarised, inputs of KPIs among them."""
    found = run("rollup", "--tags", "10000", "--readings", "1000000")

    assert found["live_tags"] == pytest.approx(1000, rel=0.1)
    assert isinstance(found["inputs"], int)
    assert found["inputs"] > 10
    assert {"summarise_per_s", "worker_cores", "lag_s", "backfill_s"} <= set(found)


def test_kpi() -> None:
    """Every KPI of the line and of the site is answered, at both raw rates."""
    found = run("kpi", "--rounds", "1")
    assert isinstance(found["line_kpis"], int)
    assert found["line_kpis"] > 20
    assert isinstance(found["site_kpis"], int)
    assert found["site_kpis"] > 30
    fields = ("line_30d_hourly_p95_ms", "line_1y_daily_p95_ms", "line_open_p95_ms", "site_shift_ms")
    assert set(found) >= {*fields, *(f"fast_{field}" for field in fields)}
