"""``ertis``: the API of Ertis on the command line."""

import json
import sys
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from client.download import Download
from client.ertis import PAGE_ROWS, Ertis, history_query
from client.report import ReportForm, form_of, show_report
from client.show import console, show, state
from schemas.errors import AccessError, ConfigError, ErtisError, UnavailableError

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


class ExitCode(IntEnum):
    """What a command ends with. 64 and above follow sysexits.h."""

    OK = 0
    FAILED = 1  # the API says what of the request is wrong
    USAGE = 2  # an option or a setting
    UNAVAILABLE = 69  # the API or its database; later it may work
    NOT_ALLOWED = 77
    INTERRUPTED = 130


class ReportKind(StrEnum):
    """What reports are made of."""

    SHIFT = "shift"
    DAY = "day"
    MONTH = "month"


AsJson = Annotated[bool, typer.Option("--json", help="JSON, an object a line.")]
From = Annotated[
    str, typer.Option("--from", help="ISO 8601 with its zone, -7d, shift, today, yesterday ...")
]
To = Annotated[str, typer.Option("--to", help="Likewise; this instant is not in the span.")]
Every = Annotated[str | None, typer.Option(help="Width of the buckets: 1m, 1h, day, shift ...")]
Zone = Annotated[str | None, typer.Option(help="IANA time zone of days; the plant's unless set.")]


@app.callback()
def _ertis(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(envvar="ERTIS_URL", help="Address; http://127.0.0.1:8000 unless set."),
    ] = None,
) -> None:
    """History, KPIs and live values of the plant. ERTIS_API_KEY is the key, if one is needed."""
    context.obj = context.with_resource(Ertis(url))


@app.command()
def history(
    context: typer.Context,
    tags: Annotated[list[str], typer.Argument(help="Tag paths, or patterns with * and **.")],
    *,
    start: From = "-24h",
    end: To = "now",
    every: Every = None,
    mode: Annotated[
        str | None, typer.Option(help="raw, text, interpolated, summary or plot.")
    ] = None,
    at: Annotated[list[str] | None, typer.Option(help="Instants of mode interpolated.")] = None,
    aggregate: Annotated[
        list[str] | None, typer.Option(help="Columns of a summary, or Part 13 aggregates.")
    ] = None,
    pixels: Annotated[int | None, typer.Option(help="Width of a plot.")] = None,
    unit: Annotated[str | None, typer.Option(help="Convert values: mV, degF ...")] = None,
    zone: Zone = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .parquet, .csv, .ndjson, .jsonl or .arrow file."),
    ] = None,
    page_rows: Annotated[
        int, typer.Option(min=1, help="Rows of a file fetched at one time.")
    ] = PAGE_ROWS,
    as_json: AsJson = False,
) -> None:
    """History of tags: readings, values at instants, summaries or charts.

    Into a file it is fetched page by page; killed, the same command goes on where it was.
    """
    ertis: Ertis = context.obj
    given = {"mode": mode, "at": at or (), "aggregate": aggregate, "pixels": pixels}
    query = history_query(tags, start, end, **given, every=every, unit=unit, zone=zone)
    if out is not None:
        _download(ertis, Download(ertis, query, out, page_rows), out, as_json=as_json)
        return
    for page, _ in ertis.pages(query):
        show(page, as_json=as_json)
        if not as_json:
            break


def _download(ertis: Ertis, download: Download, out: Path, *, as_json: bool) -> None:
    expected = ertis.estimate(download.progress.query)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=as_json) as bar:
        task = bar.add_task(out.name, total=expected["rows"], completed=download.progress.rows)
        done = download.run(lambda now: bar.update(task, completed=now.rows))
        bar.update(task, total=done.rows)
    told = {"file": str(out), "rows": done.rows, "pages": done.pages}
    if as_json:
        typer.echo(json.dumps(told))
    else:
        console.print(f"{out}: {done.rows:,} rows")


@app.command()
def kpi(
    context: typer.Context,
    kpi: Annotated[str | None, typer.Argument(help="Id; without it, the catalogue.")] = None,
    asset: Annotated[str | None, typer.Argument(help="Path of an asset.")] = None,
    *,
    start: From = "-24h",
    end: To = "now",
    every: Every = None,
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """A KPI at an asset, bucket by bucket; without arguments, which KPIs there are."""
    ertis: Ertis = context.obj
    if kpi is None:
        show(ertis.kpis(), as_json=as_json)
    elif asset is None:
        raise typer.BadParameter(f"name the asset: ertis kpi {kpi} smelter/potline-1")
    else:
        show(ertis.kpi(kpi, asset, start=start, end=end, every=every, zone=zone), as_json=as_json)


@app.command()
def tags(
    context: typer.Context,
    pattern: Annotated[str, typer.Argument(help="Path pattern.")] = "**",
    *,
    asset: Annotated[str | None, typer.Option(help="This asset and all below it.")] = None,
    measure: Annotated[str | None, typer.Option(help="What they measure.")] = None,
    kind: Annotated[str | None, typer.Option(help="gauge, counter, state or event.")] = None,
    as_json: AsJson = False,
) -> None:
    """The tags of the plant."""
    ertis: Ertis = context.obj
    found = ertis.tags(pattern, asset=asset, measure=measure, kind=kind)
    show(found, as_json=as_json)


@app.command()
def latest(
    context: typer.Context,
    tags: Annotated[list[str], typer.Argument(help="Tag paths, or patterns.")],
    *,
    as_json: AsJson = False,
) -> None:
    """The newest reading of each tag, and whether it still holds."""
    ertis: Ertis = context.obj
    show(ertis.latest(*tags), as_json=as_json)


@app.command()
def watch(
    context: typer.Context,
    tags: Annotated[list[str] | None, typer.Argument(help="Tag paths, or patterns.")] = None,
    *,
    kpi: Annotated[list[str] | None, typer.Option(help="KPIs, as <id>@<asset path>.")] = None,
    window: Annotated[str, typer.Option(help="Span of the KPIs, ends now.")] = "1h",
    count: Annotated[int | None, typer.Option(min=1, help="End after so many states.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tags and KPIs as they change; Ctrl-C ends it."""
    ertis: Ertis = context.obj
    found = islice(ertis.live(tags or (), kpi or (), window), count)
    if as_json:
        for event in found:
            typer.echo(json.dumps({"event": event.name, **event.data}))
        return
    with Live(console=console, auto_refresh=False) as screen:
        for event in found:
            shown = state(event.data) if event.name == "state" else event.data["detail"]
            screen.update(shown, refresh=True)


@app.command()
def report(
    context: typer.Context,
    kind: Annotated[ReportKind, typer.Argument(help="What it is about.")],
    asset: Annotated[
        str | None, typer.Argument(help="Path of an asset; the site unless given.")
    ] = None,
    *,
    at: Annotated[
        str,
        typer.Option(help="previous, current, its name such as 2026-10-31, or an instant in it."),
    ] = "previous",
    form: Annotated[
        ReportForm | None, typer.Option("--format", help="As it is: JSON, CSV, a page to print.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .json, .csv or .html file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """All KPIs of an asset over a shift, day or month, with targets, alarms and signatures."""
    ertis: Ertis = context.obj
    if out is not None:
        out.write_bytes(ertis.report_as(form or form_of(out), kind, asset, at))
    elif form is not None or as_json:
        form = form or ReportForm.JSON
        typer.echo(ertis.report_as(form, kind, asset, at), nl=form is ReportForm.JSON)
    else:
        show_report(ertis.report(kind, asset, at))


PeriodName = Annotated[str, typer.Argument(help="2026, 2026-10, 2026-10-31 or 2026-10-31-night.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays on record.")]


@app.command()
def sign(context: typer.Context, name: PeriodName, *, reason: Why, as_json: AsJson = False) -> None:
    """Sign a period: what comes later for it is noted, not applied. Needs an engineer's key."""
    ertis: Ertis = context.obj
    _decided(ertis.sign(name, reason), "is signed", as_json=as_json)


@app.command()
def reopen(
    context: typer.Context, name: PeriodName, *, reason: Why, as_json: AsJson = False
) -> None:
    """Open a signed period again: what came late is applied. Needs an admin's key."""
    ertis: Ertis = context.obj
    _decided(ertis.reopen(name, reason), "is open again", as_json=as_json)


def _decided(found: Mapping[str, Any], done: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
        return
    period, gaps = found["period"], found["gaps_open"]
    typer.echo(f"{period['name']} {done}; {period['late']} hours of tags late, {gaps} gaps open")


def main() -> None:
    """Run the command; what is wrong is one line and an exit code."""
    try:
        app()
    except ErtisError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(_code(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _code(error: ErtisError) -> ExitCode:
    match error:
        case ConfigError():
            return ExitCode.USAGE
        case UnavailableError():
            return ExitCode.UNAVAILABLE
        case AccessError():
            return ExitCode.NOT_ALLOWED
        case _:
            return ExitCode.FAILED
