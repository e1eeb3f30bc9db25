"""``python -m tests.faults.report``: docs/reliability.md from what the last runs measured."""

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mode
from typing import Annotated, Final

import pytest
import typer

from tests.faults.scenario import Promise, Scenario

DOCUMENT: Final = Path("docs/reliability.md")
_SUITE: Final = Path(__file__).parent
_COLUMNS: Final = (
    "what fails",
    "sent",
    "stored",
    "lost",
    "duplicate",
    "conflicting",
    "dead letters",
    "recovered after [s]",
    "ingest at most [MB]",
)
_HEAD: Final = """\
# Reliability

Written by `python -m tests.faults.report` from what the tests in `tests/faults` measured;
`make reliability` runs both. Last on {date}, on {cores} cores shared with other work.

Every scenario runs real processes: `python -m ingest run`, edge agents, Mosquitto or the embedded
broker, PostgreSQL. Most nodes are the edge agent with its spool, session and connection, fed with
{readings} readings from a seed and not from PLCs, so that it is known to the last reading what was
sent. What takes long in a plant is short here: the keep-alive is 5 s, an acknowledgement is overdue
after 1 s, a database is away until ingest misses it or until every buffer is full.

After each scenario

- the rows of `reading` equal what was sent: none is missing, none was never sent, value and quality
  are the same;
- `rollup_1m` and `rollup_1h` equal, bit for bit, the summaries computed at once from what was sent;
- received = stored + duplicate + conflicting + dead-lettered + in flight held for every source in
  every answer of `/metrics` of ingest, read ten times a second all the while.

*Sent* counts readings. *Duplicate* are readings that came again and were recognised. *Recovered
after* is the time from the end of the fault, the start of a killed process included, until
everything sent was in the database; a node that went on measuring meanwhile is waited for.
"""
_TAIL: Final = """\
## What is not promised

- Live readings of a source that forgets them are lost with the agent if they were in no group
  commit yet.
- Plain Sparkplug nodes of others send at QoS 0 and keep nothing: what they send while ingest or the
  broker is away is lost, and entered in the gap ledger.
- The JSON lane is as durable as the memory of its broker: a broker that loses it loses the messages
  that ingest had not acknowledged. Give Mosquitto `persistence true`, or publish by an edge agent.
- A disk that lies about `fsync` can lose what it claimed to have.
"""


class ReportError(Exception):
    """The document cannot be written: says what is missing."""


class _Collected:
    def __init__(self) -> None:
        self.scenarios: list[tuple[str, Promise]] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take down the scenarios of the suite."""
        for item in session.items:
            if (mark := item.get_closest_marker("fault")) is not None:
                self.scenarios.append((mark.args[0], mark.kwargs["promise"]))


def collect() -> list[tuple[str, Promise]]:
    """What fails, and under which promise, of every scenario of the suite."""
    collected = _Collected()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", str(_SUITE)], plugins=[collected])
    if code != pytest.ExitCode.OK:
        raise ReportError(said.getvalue())
    return collected.scenarios


def rows(document: str) -> list[str]:
    """What fails, of every row of *document*."""
    lines = document.splitlines()
    tables = [line for line in lines if line.startswith("| ") and not line.startswith("| what")]
    return [line.split("|")[1].strip() for line in tables]


def document(scenarios: Sequence[tuple[str, Promise]]) -> str:
    """The whole text.

    Raises
    ------
    ReportError
        A scenario has no result.
    """
    results = [(promise, _result(fails, promise)) for fails, promise in scenarios]
    head = _HEAD.format(
        date=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        readings=f"{mode(result.sent for _, result in results):,}",
    )
    parts = [head]
    for promise in Promise:
        of_promise = [result for other, result in results if other is promise]
        parts.append("\n".join(_section(promise, of_promise)))
    return "\n".join([*parts, _TAIL])


def _section(promise: Promise, results: Iterable[Scenario]) -> Iterator[str]:
    yield f"## {promise.title}"
    yield ""
    yield f"Promised: {promise.text[0].lower()}{promise.text[1:]}"
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|---|{'---:|' * (len(_COLUMNS) - 1)}"
    notes = []
    for result in results:
        yield _row(result)
        notes += [f"- {result.fails}: {note}." for note in result.notes]
    yield ""
    if notes:
        yield from notes
        yield ""


def _row(result: Scenario) -> str:
    counts = (
        result.sent,
        result.stored,
        result.lost,
        result.duplicate,
        result.conflicting,
        result.dead_letter,
    )
    recovery = "" if result.recovery_s is None else f"{result.recovery_s:.1f}"
    cells = [result.fails, *(f"{count:,}" for count in counts), recovery, f"{result.peak_mb:.0f}"]
    return f"| {' | '.join(cells)} |"


def _result(fails: str, promise: Promise) -> Scenario:
    path = Scenario(fails, promise.name).path
    if not path.exists():
        raise ReportError(f"{path} is missing: `pytest -m fault` has not passed {fails!r} here")
    return Scenario.read(path)


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Only compare the document's rows with the suite.")
    ] = False,
) -> None:
    """Write docs/reliability.md, or check that it has a row for each scenario and no other."""
    try:
        scenarios = collect()
        if not check:
            DOCUMENT.write_text(document(scenarios))
            return
    except ReportError as error:
        sys.exit(str(error))
    known, shown = [fails for fails, _ in scenarios], rows(DOCUMENT.read_text())
    if sorted(known) != sorted(shown):
        sys.exit(
            f"without a row: {sorted(set(known) - set(shown))}; "
            f"without a scenario: {sorted(set(shown) - set(known))}; then: make reliability"
        )


if __name__ == "__main__":
    typer.run(main)
