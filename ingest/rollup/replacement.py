"""Summaries and sums written over older ones, whatever was there."""

from typing import Final

import polars as pl
import psycopg
from psycopg import sql

from ingest.rollup.marks import outer
from schemas.db.tables import TIMED
from schemas.db.tiers import ensure_span

_DELETE: Final = sql.SQL(
    """DELETE FROM {table}
       USING unnest(%s::int8[], %s::int8[], %s::int8[]) AS span (key, low, high)
       WHERE {table}.{key} = span.key
         AND bucket >= to_timestamp(low * 60) AND bucket < to_timestamp(high * 60)
         AND bucket >= %s AND bucket < %s"""
)
_COPY: Final = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT csv)")


def replace(
    connection: psycopg.Connection, table: str, spans: pl.DataFrame, rows: pl.DataFrame
) -> None:
    """Make *rows* all that *table* holds in *spans*, in the caller's transaction.

    Both are of the same key, ``tag_id`` or ``input_id``: the first column of *spans*, before
    ``start, end`` in minutes.
    """
    low, high = outer(spans)
    if table in TIMED:
        ensure_span(connection, table, low, high)
    key = spans.columns[0]
    names = {
        "table": sql.Identifier(table),
        "key": sql.Identifier(key),
        "columns": sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
    }
    columns = [_written(spans[name]) for name in (key, "start", "end")]
    connection.execute(_DELETE.format(**names), (*columns, low, high))
    text = rows.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    with connection.cursor() as cursor, cursor.copy(_COPY.format(**names)) as copy:
        copy.write(text)


def _written(numbers: pl.Series) -> str:
    """An array as PostgreSQL reads it: psycopg takes 30 ms to write a list of 20,000."""
    return f"{{{','.join(numbers.cast(pl.String).to_list())}}}"
