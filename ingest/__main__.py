"""``python -m ingest``: migrate, prepare, run, monitor, nodes, gaps, periods, letters, replay."""

import json
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    track,
)
from rich.table import Table
from sqlalchemy import Connection

from ingest.broker import now_ms
from ingest.intake import Horizon
from ingest.ledger import gaps, nodes
from ingest.monitor import Watch
from ingest.replay import Replayed, open_letters
from ingest.replay import replay as replay_letters
from ingest.service import IngestService
from ingest.settings import IngestSettings
from ingest.start import load_names
from schemas.db.catalogue import store_plant
from schemas.db.engine import connect, make_engine, wrap_errors
from schemas.db.periods import find_frozen, late_tags
from schemas.db.periods import periods as signatures
from schemas.fault import FaultPoint
from schemas.instant import to_ms
from schemas.plant.file import load_plant
from schemas.process import configure_logs, run_command
from schemas.settings import DatabaseSettings, MqttSettings, read_environment
from schemas.sparkplug.monitor import Violation

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

app = typer.Typer(
    help="MQTT to the database: no reading lost, none counted twice.", no_args_is_help=True
)

periods = typer.Typer(help="Close and sign periods, or open them again.", no_args_is_help=True)
app.add_typer(periods, name="periods")

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

PeriodName = Annotated[
    str,
    typer.Argument(help="year, month, day or shift: 2026, 2026-10, 2026-10-31, 2026-10-31-night"),
]
By = Annotated[str, typer.Option(help="who decides it")]
Why = Annotated[str, typer.Option("--reason", help="why")]
AsJson = Annotated[bool, typer.Option("--json", help="a JSON line for each, on a terminal too")]
Reason = Annotated[str | None, typer.Option(help="only letters of this reason")]


@app.command()
def migrate(
    plant: Annotated[Path | None, typer.Option(help="plant model to store")] = None,
) -> None:
    """Create or update the tables, and store the plant model."""
    # `run` does without Polars and Alembic: 168 MB with them, 90 without (2026-11-21).
    from kpi.derive import check_rules  # noqa: PLC0415 - see above
    from schemas.db.migrate import upgrade  # noqa: PLC0415 - see above

    dsn = read_environment(DatabaseSettings).dsn
    model = None if plant is None else load_plant(plant)
    if model is not None:
        check_rules(model)
    upgrade(dsn)
    if model is not None:
        engine = make_engine(dsn, pool_size=1)
        with wrap_errors(), engine.begin() as connection:
            store_plant(connection, model)
        engine.dispose()


@app.command()
def prepare(
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=_TIMES, help="also readings since then [UTC], marked or not"
        ),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=_TIMES, help="... and before that; else now")
    ] = None,
) -> None:
    """Make the summaries and KPI inputs that are due, and end: after loading a history.

    Ingest does the same by and by; beside it the two take turns. Ends with 69 if the database goes.
    Killed, the same command goes on.
    """
    from ingest.rollup.catch_up import catch_up, mark  # noqa: PLC0415 - Polars
    from ingest.rollup.worker import RollupWorker  # noqa: PLC0415 - Polars

    dsn = read_environment(DatabaseSettings).dsn
    keep = read_environment(IngestSettings).keep
    now = datetime.now(UTC)
    until = now if end is None else end.replace(tzinfo=UTC)
    if start is not None and start.replace(tzinfo=UTC) < until:
        with wrap_errors(), connect(dsn) as connection:
            mark(connection, start.replace(tzinfo=UTC), until)
    elif (start, end) != (None, None):
        raise typer.BadParameter("give --from, before --to")
    with closing(RollupWorker(dsn, keep=keep)) as worker, _progress() as progress:
        minutes = progress.add_task("minutes of tags", total=worker.due(now))
        hours = progress.add_task("hours of inputs", total=None)
        most = 0
        for left in catch_up(worker, now):
            most = max(most, left.hours)
            done = (progress.tasks[minutes].total or 0) - left.minutes
            progress.update(minutes, completed=max(done, 0))
            progress.update(hours, total=most, completed=most - left.hours)
    typer.echo("summaries and inputs of KPIs are up to date")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


@app.command()
def run(
    metrics_port: Annotated[
        int | None, typer.Option(help="serve /metrics and /health there; 0: any free port")
    ] = None,
    verbose: Annotated[bool, typer.Option(help="log more")] = False,
) -> None:
    """Read MQTT and write the database until SIGTERM or Ctrl-C."""
    configure_logs("ingest", verbose=verbose)
    settings = read_environment(IngestSettings)
    if metrics_port is not None:
        settings = settings.model_copy(update={"metrics_port": metrics_port})
    service = IngestService(
        read_environment(MqttSettings),
        read_environment(DatabaseSettings).dsn,
        settings,
        fault=FaultPoint.of_environment(),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service.run(stop)


@app.command("dead-letters")
def dead_letters(
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="show so many, oldest first")] = 50,
) -> None:
    """List what arrived and could not be used: a table on a terminal, else a JSON line each."""
    with wrap_errors(), connect(read_environment(DatabaseSettings).dsn) as connection:
        letters = open_letters(connection, reason=reason, limit=limit)
    console = Console()
    if not console.is_terminal:
        for letter in letters:
            typer.echo(json.dumps({**asdict(letter), "payload": letter.payload.hex()}, default=str))
        return
    table = Table("id", "received (UTC)", "reason", "readings", "topic", "detail")
    for letter in letters:
        table.add_row(
            str(letter.id),
            f"{letter.received_at:%Y-%m-%d %H:%M:%S}",
            letter.reason,
            str(letter.readings),
            letter.topic,
            letter.detail,
        )
    console.print(table if letters else "no dead letters")


@app.command("gaps")
def list_gaps(
    only_open: Annotated[bool, typer.Option("--open", help="only what is still missing")] = False,
    limit: Annotated[int, typer.Option(min=1, help="show so many, newest first")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the spans whose readings are or were missing, and why."""
    with wrap_errors(), connect(read_environment(DatabaseSettings).dsn) as connection:
        _show(gaps(connection, only_open=only_open, limit=limit), "no gaps", as_json=as_json)


@app.command("nodes")
def list_nodes(as_json: AsJson = False) -> None:
    """List the edge nodes: online, acknowledged through, frames that wait there, clock skew."""
    with wrap_errors(), connect(read_environment(DatabaseSettings).dsn) as connection:
        _show(nodes(connection), "no nodes", as_json=as_json)


@app.command("monitor")
def monitor(
    seconds: Annotated[
        float | None, typer.Option(min=0, help="listen so long; else until Ctrl-C")
    ] = None,
) -> None:
    """Tell what breaks Sparkplug 3.0 on the broker: each rule once a topic, at the end how often.

    Ends with exit code 1 if anything did.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    found: Counter[tuple[str, str]] = Counter()

    def tell(violation: Violation) -> None:
        found[violation.topic, violation.rule] += 1
        if found[violation.topic, violation.rule] == 1:
            typer.echo(str(violation))

    watch = Watch(read_environment(MqttSettings), tell)
    watch.open()
    stop.wait(seconds)
    watch.close()
    typer.echo(f"{watch.messages} messages, {found.total()} violations")
    if found:
        raise typer.Exit(1)


@periods.command("sign")
def sign_period(name: PeriodName, by: By, reason: Why) -> None:
    """Close a period: its summaries are frozen, later changes are noted and not applied."""
    from ingest.periods import sign  # noqa: PLC0415 - Polars

    with _transaction() as connection:
        gaps_open = sign(connection, name, by, reason, datetime.now(UTC))
    typer.echo(f"{name} is signed; {gaps_open} gaps before its end are open and may arrive late")


@periods.command("list")
def list_periods(as_json: AsJson = False) -> None:
    """List the signatures: by whom, why, what arrived late, and what was opened again."""
    with _transaction() as connection:
        _show(signatures(connection), "nothing is signed", as_json=as_json)


@periods.command("late")
def list_late(name: PeriodName, as_json: AsJson = False) -> None:
    """List the tags of which hours of a signed period would be different now."""
    with _transaction() as connection:
        found = find_frozen(connection, name)
        late = late_tags(connection, [found], found.start, found.end)
        _show(late, "nothing arrived late", as_json=as_json)


@periods.command("reopen")
def reopen_period(name: PeriodName, by: By, reason: Why) -> None:
    """Open a signed period again: what arrived late is applied. The signature stays on record."""
    from ingest.periods import reopen  # noqa: PLC0415 - Polars

    with _transaction() as connection:
        hours = reopen(connection, name, by, reason, datetime.now(UTC))
    typer.echo(f"{name} is open again; {hours} hours of tags are summarised again")


@contextmanager
def _transaction() -> Iterator[Connection]:
    engine = make_engine(read_environment(DatabaseSettings).dsn, pool_size=1)
    with wrap_errors(), engine.begin() as connection:
        yield connection
    engine.dispose()


def _show(rows: "Sequence[DataclassInstance]", none: str, *, as_json: bool) -> None:
    """A table on a terminal, else a JSON line for each row."""
    console = Console()
    if as_json or not console.is_terminal:
        for row in rows:
            typer.echo(json.dumps(asdict(row), default=lambda time: time.isoformat()))
        return
    if not rows:
        typer.echo(none)
        return
    table = Table(*(field.name.replace("_", " ") for field in fields(rows[0])))
    for row in rows:
        table.add_row(*(_cell(value) for value in astuple(row)))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    return str(value)


@app.command()
def replay(reason: Reason = None) -> None:
    """Read dead letters again, after what was wrong was put right."""
    dsn = read_environment(DatabaseSettings).dsn
    settings = read_environment(IngestSettings)
    horizon = Horizon(to_ms(settings.earliest), int(settings.future_s * 1000))
    names = load_names(dsn)
    with wrap_errors(), connect(dsn, autocommit=True) as connection:
        letters = open_letters(connection, reason=reason)
        steps = replay_letters(connection, letters, names, horizon, now_ms())
        shown = track(steps, "replaying", total=len(letters), console=Console(stderr=True))
        counts = deque(shown, maxlen=1).pop() if letters else Replayed()
    typer.echo(
        f"{counts.letters} letters replayed: {counts.stored} readings stored, "
        f"{counts.duplicate} there already, {counts.conflicting} replaced; "
        f"{counts.left} letters are still unusable"
    )


if __name__ == "__main__":
    run_command(app)
