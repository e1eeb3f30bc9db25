"""Summaries written over older ones, whatever was there."""

from typing import Final

import polars as pl
import psycopg
from psycopg import sql

from ingest.rollup.marks import outer
from kpi.frames import SUMMARY
from schemas.db.tiers import ensure_span

_DELETE: Final = sql.SQL(
    """DELETE FROM {table}
       USING unnest(%s::int4[], %s::int8[], %s::int8[]) AS span (tag_id, low, high)
       WHERE {table}.tag_id = span.tag_id
         AND bucket >= to_timestamp(low * 60) AND bucket < to_timestamp(high * 60)
         AND bucket >= %s AND bucket < %s"""
)
_COPY: Final = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT csv)")


def replace(
    connection: psycopg.Connection, table: str, spans: pl.DataFrame, rows: pl.DataFrame
) -> None:
    """Make *rows* all that the rollup *table* holds in *spans*, in the caller's transaction."""
    low, high = outer(spans)
    ensure_span(connection, table, low, high)
    names = {
        "table": sql.Identifier(table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, SUMMARY)),
    }
    columns = [spans[name].to_list() for name in ("tag_id", "start", "end")]
    connection.execute(_DELETE.format(**names), (*columns, low, high))
    text = rows.select(list(SUMMARY)).write_csv(
        include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ"
    )
    with connection.cursor() as cursor, cursor.copy(_COPY.format(**names)) as copy:
        copy.write(text)
