"""All that is due, made at one go: by a worker and by the command line."""

from contextlib import closing
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.rollup.catch_up import Left, catch_up, mark
from ingest.rollup.inputs import inputs_of
from ingest.rollup.worker import RollupWorker
from kpi.frames import SUMMARY
from kpi.sums import SUMS, add_up
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect
from schemas.db.periods import LOCK
from schemas.db.tables import input_1h, rollup_1h
from schemas.db.tiers import ensure_span
from schemas.errors import AlreadyAtWork
from schemas.process import ExitCode
from tests.ingest.rollup.smelter import HOUR, START, TAGS, arrive, at, store
from tests.ingest.rollup.test_inputs import rows_of
from tests.ingest.test_processes import run

NOW = START + 4 * HOUR


@pytest.fixture
def catalogue(database: str) -> Catalogue:
    """Three hours of a smelter, as a history that something else than ingest has written."""
    with connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", START - HOUR, START + 5 * HOUR)
    found = store(database, 3)
    arrive(database, found, [(tag, 60.0 * m, 1.0 + m % 7) for tag in TAGS for m in range(180)])
    with connect(database) as connection:
        connection.execute("TRUNCATE dirty")
    return found


def assert_prepared(dsn: str, catalogue: Catalogue) -> None:
    """Three hours of each tag, and of each input from them."""
    hours = rows_of(dsn, rollup_1h, SUMMARY)
    whole = hours.filter(pl.col("bucket") < START + 3 * HOUR)
    assert whole.height == 3 * len(TAGS)
    terms = inputs_of(catalogue).terms
    assert_frame_equal(rows_of(dsn, input_1h, SUMS), add_up(terms, hours), check_exact=True)


def test_a_history_is_marked_and_prepared(database: str, catalogue: Catalogue) -> None:
    """Steps of a few minutes each; what is left falls to nothing, minutes before hours."""
    with connect(database) as connection:
        assert mark(connection, START, NOW) == 180
    with closing(RollupWorker(database, budget=200)) as worker:
        left = list(catch_up(worker, NOW))

    assert len(left) > 3
    assert left[-1] == Left(0, 0)
    assert_prepared(database, catalogue)


def test_what_is_not_in_the_span_is_not_marked(database: str, catalogue: Catalogue) -> None:
    """Half-open, as spans are."""
    del catalogue
    with connect(database) as connection:
        assert mark(connection, at(60), at(180)) == 2


def test_it_waits_for_its_turn(database: str, catalogue: Catalogue) -> None:
    """Nothing left to do and another one at work are two things: only the first is an end."""
    with closing(RollupWorker(database)) as worker:
        with connect(database) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            mark(other, START, NOW)
            with pytest.raises(AlreadyAtWork, match="another process"):
                next(catch_up(worker, NOW, patience_s=0.0))
        assert list(catch_up(worker, NOW, patience_s=0.0))[-1] == Left(0, 0)
    assert_prepared(database, catalogue)


def test_the_command_prepares_and_says_so(database: str, catalogue: Catalogue) -> None:
    """In a process of its own, progress apart from the answer; a second time nothing is to do."""
    since = f"{START:%Y-%m-%dT%H:%M}"
    done = run(database, "prepare", "--from", since, "--to", f"{NOW + timedelta(days=1):%Y-%m-%d}")
    assert (done.returncode, done.stdout) == (
        ExitCode.OK,
        "summaries and inputs of KPIs are up to date\n",
    )
    assert "minutes of tags" in done.stderr
    assert_prepared(database, catalogue)
    assert run(database, "prepare").returncode == ExitCode.OK


def test_the_command_tells_a_database_that_is_away(database: str) -> None:
    """By the exit code at which a supervisor tries again."""
    away = run(f"{database} port=1", "prepare")
    assert away.returncode == ExitCode.UNAVAILABLE
    assert "DatabaseDown" in away.stderr


@pytest.mark.parametrize(
    "span", [["--to", "2026-03-01"], ["--from", "2026-03-02", "--to", "2026-03-01"]]
)
def test_a_span_that_is_none_is_refused(
    database: str, span: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of one, or one that ends before it begins."""
    monkeypatch.setenv("ERTIS_DSN", database)
    assert CliRunner().invoke(app, ["prepare", *span]).exit_code == ExitCode.CONFIG
