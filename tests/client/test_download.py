"""A killed download goes on."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from client.download import SINKS, Download, Progress
from client.ertis import Ertis, history_query
from schemas.errors import ConfigError
from tests.api.demo import LINE
from tests.fixtures.until import until

VOLTAGES = f"{LINE}/pot-*/voltage"
QUERY = history_query([VOLTAGES], start="-10m")


class Killed(Exception):
    """Stands for the end of the process between two pages."""


@pytest.mark.parametrize("suffix", SINKS)
def test_every_form_says_the_same(ertis: Ertis, tmp_path: Path, suffix: str) -> None:
    """Rows in order, nothing left beside the file."""
    out = tmp_path / f"out{suffix}"
    Download(ertis, QUERY, out, page_rows=100).run()

    whole = ertis.history(VOLTAGES, start="-10m")
    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    match suffix:
        case ".parquet":
            found = pl.read_parquet(out)
        case ".arrow":
            found = pl.read_ipc(out)
        case ".csv":
            found = pl.read_csv(out)
        case _:
            found = pl.read_ndjson(out)
    wanted = whole.with_columns(pl.col("tag").cast(pl.String))
    assert found.with_columns(times).rows() == wanted.with_columns(times).rows()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("page", [0, 1, 5])
def test_it_goes_on_at_the_page_where_it_was(ertis: Ertis, tmp_path: Path, page: int) -> None:
    """What is there is not fetched again, and the file is that of an undisturbed download."""
    out = tmp_path / "out.parquet"

    def kill(progress: Progress) -> None:
        if progress.pages == page:
            raise Killed

    with pytest.raises(Killed):
        Download(ertis, QUERY, out, page_rows=100).run(kill)
    assert not out.exists()
    pages: list[int] = []
    done = Download(ertis, QUERY, out, page_rows=100).run(lambda now: pages.append(now.pages))

    assert pages[0] == page
    assert pages == list(range(page, done.pages + 1))
    whole = ertis.history(VOLTAGES, start="-10m").with_columns(pl.col("tag").cast(pl.String))
    assert pl.read_parquet(out).equals(whole)


def test_sigkill(url: str, ertis: Ertis, tmp_path: Path) -> None:
    """The command itself, killed amid its pages, run again."""
    out = tmp_path / "out.parquet"
    command = [sys.executable, "-m", "client", "history", VOLTAGES, "--from", "-40m"]
    command += ["-o", str(out), "--page-rows", "100", "--json"]
    note = out.with_name("out.parquet.part") / "progress.json"
    with subprocess.Popen(command) as running:
        until(lambda: note.exists() and json.loads(note.read_text())["pages"] > 1, "two pages")
        running.send_signal(signal.SIGKILL)
    assert not out.exists()

    done = subprocess.run(command, check=True, capture_output=True, text=True)

    told = json.loads(done.stdout)
    assert (
        told["rows"] == pl.read_parquet(out).height == ertis.history(VOLTAGES, start="-40m").height
    )


def test_pages_of_another_request_are_not_mixed_in(ertis: Ertis, tmp_path: Path) -> None:
    """Nor thrown away: the caller decides."""
    out = tmp_path / "out.parquet"

    def kill(progress: Progress) -> None:
        if progress.pages:
            raise Killed

    with pytest.raises(Killed):
        Download(ertis, QUERY, out, page_rows=100).run(kill)

    with pytest.raises(ConfigError, match="another request"):
        Download(ertis, history_query([VOLTAGES], start="-20m"), out)


def test_an_unknown_ending_is_told_before_anything_is_fetched(ertis: Ertis, tmp_path: Path) -> None:
    """With those that are known."""
    with pytest.raises(ConfigError, match=r"\.parquet"):
        Download(ertis, QUERY, tmp_path / "out.xlsx")
