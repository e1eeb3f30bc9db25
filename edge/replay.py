"""Replaying historian exports: the same spool, session and guarantees as live readings."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from edge.agent import Agent
from edge.birth import check_birth
from edge.bootstrap import make_agent, open_spool, operate
from edge.counters import EdgeCounters
from edge.export import Export, ReplayConfig

#: Readings on their way at the most: enough to keep the host busy, little enough for any disk.
_ON_THE_WAY: Final = 500_000


def devices(exports: Iterable[Export]) -> dict[str, Sequence[str]]:
    """The tags of each device that the exports name."""
    found: dict[str, dict[str, None]] = {}
    for export in exports:
        found.setdefault(export.table.device, {}).update(dict.fromkeys(export.paths()))
    return {device: list(paths) for device, paths in found.items()}


async def run_replay(config: ReplayConfig, data_dir: Path | None, *, again: bool) -> bool:
    """Replay everything; whether it came to its end. Rows sent before are sent *again* if asked."""
    console = Console()
    spool = open_spool(config.node, config.spool, data_dir)
    marks = {} if again else spool.marks()
    tags = devices(config.exports)
    for device, paths in tags.items():
        check_birth("replay", device, paths)
    agent = make_agent(config, tags, spool, EdgeCounters(CollectorRegistry()), live=False)
    finished = await operate(agent, [replay(config.exports, agent, marks, console)])
    console.print(report(config.exports))
    if not finished:
        console.print("ended before its end: the same command goes on from here")
    return finished


async def replay(
    exports: Sequence[Export], agent: Agent, marks: Mapping[str, int], console: Console
) -> None:
    """Feed all rows behind *marks* and wait until they are in the database, showing the progress.

    A replay that was ended goes on where it stood: how far a file was read is kept in the spool
    with the readings themselves.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        console=console,
    ) as progress:
        sent = progress.add_task("in the database", total=None)
        fed = 0
        for export in exports:
            read = progress.add_task(f"read {export.file.name}", total=1000)
            async for count, share in _feed(export, agent, marks.get(export.mark, 0)):
                fed += count
                progress.update(read, completed=int(share * 1000))
                progress.update(sent, total=fed, completed=max(0, fed - agent.unacknowledged))
        while agent.unacknowledged:
            await agent.settled(agent.unacknowledged)
            progress.update(sent, total=fed, completed=max(0, fed - agent.unacknowledged))


async def _feed(export: Export, agent: Agent, done: int) -> AsyncIterator[tuple[int, float]]:
    agent.feed(export.table.device, link=True)
    lots = export.lots(done)
    # Reading takes the processor for a tenth of a second at a time: not on the event loop.
    while (lot := await asyncio.to_thread(next, lots, None)) is not None:
        agent.feed(export.table.device, lot.readings, marks={export.mark: max(lot.rows, done)})
        yield len(lot.readings), lot.share
        await agent.settled(_ON_THE_WAY)


def report(exports: Iterable[Export]) -> Table:
    """What was found in each file, for people."""
    table = Table("", *(export.file.name for export in exports))
    audits = [export.audit for export in exports]
    for label, counts in (
        ("rows", [audit.rows for audit in audits]),
        ("left out by `where`", [audit.left_out for audit in audits]),
        ("without a time", [audit.no_time for audit in audits]),
        ("of an unknown key", [audit.unknown_key for audit in audits]),
        ("repeated", [audit.repeats for audit in audits]),
        ("of an instant that is there with other values", [audit.conflicts for audit in audits]),
        ("values that are no number", [audit.no_number for audit in audits]),
        ("readings", [audit.readings for audit in audits]),
    ):
        table.add_row(label, *(f"{count:,}" for count in counts))
    table.add_row("blank values", *(_blanks(audit.blanks) for audit in audits))
    table.add_row("first fault", *(audit.first_fault or "none" for audit in audits))
    return table


def _blanks(blanks: Mapping[str, int]) -> str:
    return "\n".join(f"{column} {count:,}" for column, count in blanks.items()) or "0"
