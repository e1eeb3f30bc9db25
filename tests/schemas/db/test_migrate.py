"""The tables that a migration makes."""

import subprocess
import sys
from pathlib import Path

import psycopg
from sqlalchemy import text

from schemas.db.engine import connect, make_engine
from schemas.db.migrate import downgrade, upgrade
from schemas.db.tables import metadata
from schemas.db.tiers import Tier, detect

#: Every column, constraint, index and comment of the public schema as PostgreSQL writes them.
CATALOGUE = """
SELECT 'column', c.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
       a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)),
       col_description(c.oid, a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
UNION ALL
SELECT 'constraint', c.relname, conname, pg_get_constraintdef(k.oid), NULL
FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
WHERE c.relnamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', tablename, indexname, replace(indexdef, ' ON ONLY ', ' ON '), NULL
FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'table', relname, '', '', obj_description(oid)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


def catalogue(dsn: str) -> set[tuple[object, ...]]:
    """What stands in the database, without Alembic's own table."""
    with connect(dsn) as connection:
        return {row for row in connection.execute(CATALOGUE) if row[1] != "alembic_version"}


def test_the_migrated_tables_are_those_of_the_model(database: str, empty_database: str) -> None:
    """Columns, types, keys, indexes and comments equal those that the metadata would create."""
    engine = make_engine(empty_database)
    metadata.create_all(engine)
    engine.dispose()

    assert catalogue(database) == catalogue(empty_database)


def test_comments_reach_the_database(database: str) -> None:
    """Units stand where a person with psql looks for them."""
    with connect(database) as connection:
        (comment,) = connection.execute(
            "SELECT col_description('tag'::regclass, attnum) FROM pg_attribute"
            " WHERE attrelid = 'tag'::regclass AND attname = 'stale_after_s'"
        ).fetchone() or (None,)

        assert comment == "silence not covered beyond this [s]"


def test_plain_postgresql_gets_partitioned_tables(database: str) -> None:
    """Tier C: the timed tables are partitioned by range of their time column."""
    with connect(database) as connection:
        keys: dict[str, str] = dict(
            connection.execute(
                "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid)"
                " FROM pg_partitioned_table"
            ).fetchall()
        )

        assert detect(connection) is Tier.PLAIN
        assert keys == {
            "reading": "RANGE (ts)",
            "rollup_1m": "RANGE (bucket)",
            "rollup_1h": "RANGE (bucket)",
        }


def test_down_and_up_again(database: str) -> None:
    """Downgrading leaves nothing of ours; upgrading again gives the same tables."""
    before = catalogue(database)
    downgrade(database)
    between = catalogue(database)
    upgrade(database)

    assert between == set()
    assert catalogue(database) == before


def test_upgrading_keeps_what_is_stored(database: str) -> None:
    """A service that starts on a migrated database loses no row."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO plant VALUES ('park', 'Park', 'UTC', now())")
    upgrade(database)

    engine = make_engine(database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM plant")) == "park"
    engine.dispose()


def test_services_that_start_together_migrate_one_by_one(empty_database: str) -> None:
    """Three processes at once all succeed and make the tables once."""
    code = f"from schemas.db.migrate import upgrade; upgrade({empty_database!r})"
    services = [
        subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
        for _ in range(3)
    ]

    assert [service.wait(timeout=60) for service in services] == [0, 0, 0]
    with connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
