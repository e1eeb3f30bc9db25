"""``python -m api keys``: create, list and revoke API keys."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from api.access.areas import Areas
from api.access.keys import create, listed, revoke
from api.access.person import Role
from api.pattern import compile_pattern
from schemas.db.engine import make_engine, wrap_errors
from schemas.settings import DatabaseSettings

keys = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="Whose key it is; stands in the audit log.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    area: Annotated[
        list[str] | None,
        typer.Option(help="Area that it sees, as smelter/**; may be repeated [the whole plant]."),
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, help="Expires after so many days [never].")
    ] = None,
) -> None:
    """Create a key and print it, once: it cannot be shown again."""
    areas = Areas(tuple(area or ["**"]))
    for pattern in areas.patterns:
        compile_pattern("area", pattern)
    now = datetime.now(UTC)
    expires_at = None if days is None else now + timedelta(days=days)
    with _writing() as connection:
        text = create(connection, name, role, areas, by=_operator(), now=now, expires_at=expires_at)
    typer.secho("Keep it; it is not shown again. Send it as Authorization: Bearer", err=True)
    sys.stdout.write(f"{text}\n")


@keys.command("list")
def list_keys() -> None:
    """List all keys, also those that open no more."""
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "role", "areas", "state", "created", "expires"):
        table.add_column(column, overflow="fold")
    now = datetime.now(UTC)
    with _writing() as connection:
        for key in listed(connection):
            table.add_row(
                key.id,
                key.name,
                key.role.value,
                " ".join(key.areas.patterns),
                key.state(now),
                f"{key.created_at:%Y-%m-%d %H:%M} by {key.created_by}",
                f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
            )
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="As shown by list; the middle part of the key.")],
) -> None:
    """Revoke a key: a running API refuses it within 5 s."""
    with _writing() as connection:
        key = revoke(connection, key_id, by=_operator(), now=datetime.now(UTC))
    typer.echo(f"{key.id} ({key.name}) is revoked")


@contextmanager
def _writing() -> Iterator[sa.Connection]:
    engine = make_engine(DatabaseSettings().dsn, pool_size=1)
    try:
        with wrap_errors(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _operator() -> str:
    """Who works at the command line, for the audit log."""
    return f"{getpass.getuser()} (command line)"
