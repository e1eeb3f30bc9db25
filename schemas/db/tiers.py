"""The three ways in which a table of `TIMED` is cut along time.

A, TimescaleDB with its community licence: hypertables, columnstore and retention by policy.
B, TimescaleDB's Apache build: hypertables; old chunks are dropped by `maintain`.
C, plain PostgreSQL: range partitions, made by `ensure_span` and dropped by `maintain`.

The tables, their keys and every query are the same; only what stands in this module differs.
Chunks and partitions are dropped whole: a DELETE of billions of rows would never end.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import psycopg
import structlog
from psycopg import sql

from schemas.db.tables import TIMED
from schemas.instant import EPOCH

log = structlog.get_logger()


class Tier(StrEnum):
    """What the server offers."""

    COMMUNITY = "A"
    APACHE = "B"
    PLAIN = "C"


#: Chunks older than this are turned into columns (tier A): two chunks stay open for late data.
COLUMNSTORE_AFTER: Final = {name: timedelta(days=2 * days) for name, (_, days) in TIMED.items()}
#: How far ahead `maintain` makes partitions (tier C).
AHEAD: Final = timedelta(days=30)
_ADVISORY_CLASS: Final = 0x45525449  # "ERTI": keeps our advisory locks apart from others'

_MAKE_ASIDE: Final = sql.SQL("CREATE TABLE {partition} (LIKE {table} INCLUDING ALL)")
_ATTACH: Final = sql.SQL(
    "ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({low}) TO ({high})"
)


def detect(connection: psycopg.Connection) -> Tier:
    """The tier of the database: how ``reading`` was made, else what the server would allow.

    TimescaleDB that was added after the migration changes nothing: the partitions are there.
    """
    row = connection.execute(
        """SELECT (SELECT relkind FROM pg_class WHERE oid = to_regclass('reading')),
                  EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb'),
                  current_setting('timescaledb.license', true)"""
    ).fetchone()
    kind, installed, licence = row or (None, False, None)
    if kind == "p" or not installed:
        return Tier.PLAIN
    return Tier.COMMUNITY if licence == "timescale" else Tier.APACHE


def offer_timescale(connection: psycopg.Connection) -> None:
    """Create the TimescaleDB extension where the server has it and this role may."""
    row = connection.execute(
        """SELECT EXISTS (SELECT FROM pg_available_extensions
                          WHERE name = 'timescaledb' AND installed_version IS NULL)
              AND current_setting('shared_preload_libraries') LIKE '%timescaledb%'"""
    ).fetchone()
    if row != (True,):
        return
    try:
        with connection.transaction():
            connection.execute("CREATE EXTENSION timescaledb")
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning(
            "timescaledb is there but this role may not create it; plain partitions are used",
            error=str(error).strip(),
        )


def cut(connection: psycopg.Connection, tier: Tier, table: str, column: str, days: int) -> None:
    """Make the empty *table* a hypertable, with its columnstore policy where there is one.

    On tier C nothing is left to do: the table was created with `partition_by`.
    """
    if tier is Tier.PLAIN:
        return
    connection.execute(
        "SELECT create_hypertable(%s::regclass, by_range(%s::name, make_interval(days => %s)),"
        " create_default_indexes => false)",
        (table, column, days),
    )
    if tier is Tier.COMMUNITY:
        connection.execute(
            sql.SQL(
                "ALTER TABLE {} SET (timescaledb.enable_columnstore,"
                " timescaledb.segmentby = 'tag_id', timescaledb.orderby = {})"
            ).format(sql.Identifier(table), sql.Literal(column))
        )
        connection.execute(
            "CALL add_columnstore_policy(%s::regclass, after => %s::interval)",
            (table, COLUMNSTORE_AFTER[table]),
        )


def partition_by(tier: Tier, column: str) -> str | None:
    """What goes behind CREATE TABLE."""
    return f"RANGE ({column})" if tier is Tier.PLAIN else None


def ensure_span(connection: psycopg.Connection, table: str, start: datetime, end: datetime) -> None:
    """Make the partitions of *table* that [start, end) needs and that are not there (tier C).

    Safe under concurrent callers and inside a transaction that already wrote to *table*: a new
    partition is made aside and attached, which takes SHARE UPDATE EXCLUSIVE; CREATE TABLE ...
    PARTITION OF would take ACCESS EXCLUSIVE and two writers could deadlock.
    """
    wanted = dict(_partitions(table, start, end))
    if not _missing(connection, table, wanted):
        return
    with connection.transaction():
        connection.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_ADVISORY_CLASS, table)
        )
        for name in _missing(connection, table, wanted):
            low, high = wanted[name]
            parts = {
                "table": sql.Identifier(table),
                "partition": sql.Identifier(name),
                "low": sql.Literal(low),
                "high": sql.Literal(high),
            }
            connection.execute(_MAKE_ASIDE.format(**parts))
            connection.execute(_ATTACH.format(**parts))


def maintain(
    connection: psycopg.Connection, now: datetime, keep: Mapping[str, timedelta | None]
) -> None:
    """Make partitions ahead of *now* and let go of what is wholly older than *keep*, by table.

    None, or a table that is not named, keeps for ever. On tier A the retention becomes a policy.
    """
    tier = detect(connection)
    for table in TIMED:
        age = keep.get(table)
        match tier:
            case Tier.COMMUNITY:
                _set_retention_policy(connection, table, age)
            case Tier.APACHE if age is not None:
                connection.execute(
                    "SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)",
                    (table, now - age),
                )
            case Tier.PLAIN:
                ensure_span(connection, table, now, now + AHEAD)
                if age is not None:
                    _drop_partitions(connection, table, now - age)


def _set_retention_policy(
    connection: psycopg.Connection, table: str, age: timedelta | None
) -> None:
    with connection.transaction():
        connection.execute(
            "SELECT remove_retention_policy(%s::regclass, if_exists => true)", (table,)
        )
        if age is not None:
            connection.execute(
                "SELECT add_retention_policy(%s::regclass, drop_after => %s::interval)",
                (table, age),
            )


def _drop_partitions(connection: psycopg.Connection, table: str, before: datetime) -> None:
    _, days = TIMED[table]
    for name in _attached(connection, table):
        end = _partition_start(table, name) + timedelta(days=days)
        if end <= before:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            log.info("partition dropped by retention", table=table, partition=name)


def _partitions(
    table: str, start: datetime, end: datetime
) -> Iterator[tuple[str, tuple[datetime, datetime]]]:
    """Name and bounds of each partition that [start, end) touches; widths count from 1970."""
    width = timedelta(days=TIMED[table][1])
    low = EPOCH + (start - EPOCH) // width * width
    while low < end:
        yield f"{table}_{low:%Y%m%d}", (low, low + width)
        low += width


def _partition_start(table: str, name: str) -> datetime:
    return datetime.strptime(name, f"{table}_%Y%m%d").replace(tzinfo=UTC)


def _attached(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        """SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
           WHERE inhparent = %s::regclass ORDER BY relname""",
        (table,),
    )
    return [name for (name,) in rows]


def _missing(connection: psycopg.Connection, table: str, wanted: Mapping[str, object]) -> list[str]:
    """The *wanted* partitions that a partitioned *table* lacks; none for any other table."""
    rows = connection.execute(
        """SELECT name FROM unnest(%s::text[]) AS name
           WHERE to_regclass(quote_ident(name)) IS NULL
             AND (SELECT relkind FROM pg_class WHERE oid = %s::regclass) = 'p'""",
        (list(wanted), table),
    )
    return [name for (name,) in rows]
