"""What ingest learns from the database before it listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import sqlalchemy

from ingest.buffer import Gap
from ingest.event import Source
from ingest.gap import KnownNode
from ingest.names import TagNames
from ingest.positions import Ranges
from schemas.db.catalogue import load_catalogue
from schemas.db.engine import make_engine, psycopg_of, wrap_errors
from schemas.errors import ConfigError, TablesMissing
from schemas.instant import to_ms

_NODES = """
    SELECT group_id, node_id, spool_id, committed, online, newest_at
    FROM edge_node WHERE group_id = ANY(%s)"""
_OPEN_GAPS = """
    SELECT cause, from_ts, to_ts, found_at, first_position, last_position
    FROM gap WHERE source = %s AND spool_id = %s AND closed_at IS NULL AND cause <> 'dropped'"""
#: Nobody vouches for a node that was online when the last host ended.
_UNVOUCHED = """
    WITH node AS (
        UPDATE edge_node SET online = false, since = now()
        WHERE group_id = ANY(%s) AND online RETURNING id
    )
    UPDATE edge_device SET online = false, since = now()
    FROM node WHERE edge_device.node = node.id AND edge_device.online"""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The catalogue's names, the groups to listen to, and their nodes."""

    names: TagNames
    groups: tuple[str, ...]
    nodes: tuple[KnownNode, ...]


def learn(dsn: str, groups: tuple[str, ...]) -> Knowledge:
    """Read the catalogue and the nodes of *groups* (of the plant's own, if empty); mark them stale.

    Raises
    ------
    ConfigError
        The tables or the plant are missing.
    DatabaseDown
        Nobody answers at *dsn*.
    """
    with _opened(dsn) as connection:
        catalogue = load_catalogue(connection)
        listened = groups or (catalogue.plant.name,)
        nodes = _nodes(psycopg_of(connection), list(listened))
    return Knowledge(TagNames(catalogue), listened, nodes)


def load_names(dsn: str) -> TagNames:
    """The catalogue's names alone; raises as `learn` does."""
    with _opened(dsn) as connection:
        return TagNames(load_catalogue(connection))


@contextmanager
def our_tables() -> Iterator[None]:
    """Say what to do where the database is not, or not any more, of this version.

    Raises
    ------
    ConfigError
        A table or column is missing.
    """
    try:
        yield
    except TablesMissing as error:
        right = "a database with our tables: python -m ingest migrate --plant FILE"
        raise ConfigError("ERTIS_DSN", str(error.__cause__).splitlines()[0], right) from error


@contextmanager
def _opened(dsn: str) -> Iterator[sqlalchemy.Connection]:
    engine = make_engine(dsn, pool_size=1)
    try:
        with our_tables(), wrap_errors(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _nodes(connection: psycopg.Connection, groups: list[str]) -> tuple[KnownNode, ...]:
    found = connection.execute(_NODES, (groups,)).fetchall()
    connection.execute(_UNVOUCHED, (groups,))
    return tuple(
        KnownNode(
            source := Source(group, node),
            spool_id,
            Ranges((positions.lower, positions.upper) for positions in committed or ()),
            online,
            None if newest_at is None else to_ms(newest_at),
            _open_gaps(connection, source, spool_id),
        )
        for group, node, spool_id, committed, online, newest_at in found
    )


def _open_gaps(
    connection: psycopg.Connection, source: Source, spool_id: str | None
) -> tuple[Gap, ...]:
    """The gaps of a node that its spool may still fill."""
    return tuple(
        Gap(
            str(source),
            cause,
            None if from_ts is None else to_ms(from_ts),
            None if to_ts is None else to_ms(to_ts),
            to_ms(found_at),
            first,
            last,
            spool_id,
        )
        for cause, from_ts, to_ts, found_at, first, last in connection.execute(
            _OPEN_GAPS, (str(source), spool_id)
        )
    )
