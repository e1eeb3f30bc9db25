"""The same tables on TimescaleDB: made by the same migration, giving the same answers."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from schemas.db import tiers
from schemas.db.engine import connect
from schemas.db.migrate import upgrade
from schemas.db.tables import TIMED
from schemas.db.tiers import Tier, cut, detect, ensure_span, maintain

pytestmark = pytest.mark.timescale

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def jobs(connection: psycopg.Connection, procedure: str) -> dict[str, str]:
    """The tables that have a policy, with its age."""
    rows = connection.execute(
        """SELECT hypertable_name, coalesce(config ->> 'compress_after', config ->> 'drop_after')
           FROM timescaledb_information.jobs
           WHERE proc_name = %s AND hypertable_name IS NOT NULL""",
        (procedure,),
    )
    return dict(rows.fetchall())


def test_the_migration_makes_hypertables_with_columnstore(timescale: str) -> None:
    """Tier A: each timed table is a hypertable of its width and turns old chunks into columns."""
    with connect(timescale) as connection:
        made = connection.execute(
            """SELECT hypertable_name, column_name, extract(day FROM time_interval)::int
               FROM timescaledb_information.dimensions"""
        ).fetchall()

        assert detect(connection) is Tier.COMMUNITY
        assert {name: (column, days) for name, column, days in made} == dict(TIMED)
        assert jobs(connection, "policy_compression") == {
            "reading": "14 days",
            "rollup_1m": "56 days",
            "rollup_1h": "728 days",
        }
        assert jobs(connection, "policy_retention") == {}


def test_migrating_again_changes_nothing(timescale: str) -> None:
    """A second start of a service meets its tables and policies as they are."""
    with connect(timescale) as connection:
        before = connection.execute("SELECT job_id FROM timescaledb_information.jobs").fetchall()
    upgrade(timescale)

    with connect(timescale) as connection:
        after = connection.execute("SELECT job_id FROM timescaledb_information.jobs").fetchall()
        assert before == after


def test_no_partition_is_made_by_hand(timescale: str) -> None:
    """A hypertable takes a reading of any time by itself: ensure_span leaves it alone."""
    with connect(timescale) as connection:
        ensure_span(connection, "reading", NOW - timedelta(days=4000), NOW)
        connection.execute("INSERT INTO reading VALUES (1, %s, 1, 192)", (NOW,))

        assert connection.execute("SELECT count(*) FROM show_chunks('reading')").fetchone() == (1,)


def test_retention_is_a_policy_that_follows_the_setting(timescale: str) -> None:
    """Tier A: maintain sets the policy, sets it anew, and takes it away when all is kept."""
    with connect(timescale, autocommit=True) as connection:
        maintain(connection, NOW, {"reading": timedelta(days=400)})
        first = jobs(connection, "policy_retention")
        maintain(connection, NOW, {"reading": timedelta(days=800), "rollup_1m": None})
        second = jobs(connection, "policy_retention")
        maintain(connection, NOW, {})

        assert first == {"reading": "400 days"}
        assert second == {"reading": "800 days"}
        assert jobs(connection, "policy_retention") == {}


def test_the_apache_build_gets_chunks_without_policies(
    timescale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tier B: hypertables only; maintain drops the chunks that lie wholly beyond the age."""
    monkeypatch.setattr(tiers, "detect", lambda _: Tier.APACHE)
    with connect(timescale) as connection:
        connection.execute(
            "CREATE TABLE plain (tag_id int, ts timestamptz, PRIMARY KEY (tag_id, ts))"
        )
        cut(connection, Tier.APACHE, "plain", "ts", 7)
        for days in (1, 50, 500):
            ts = NOW - timedelta(days=days)
            connection.execute("INSERT INTO reading VALUES (1, %s, 1, 192)", (ts,))
        maintain(connection, NOW, {"reading": timedelta(days=60)})
        left = connection.execute("SELECT count(*) FROM reading").fetchone()

        assert jobs(connection, "policy_compression").keys() == TIMED.keys()
        assert jobs(connection, "policy_retention") == {}
        assert left == (2,)
        connection.rollback()
