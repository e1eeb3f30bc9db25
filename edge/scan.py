"""Scanning: one task for each device, so that a dead one delays no other."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from edge.agent import Agent
from edge.counters import EdgeCounters
from edge.exception import ExceptionReport, Rule
from edge.source import Source
from schemas.backoff import full_jitter
from schemas.errors import DeviceDown
from schemas.reading import Reading

#: A device that is back is found within this time [s].
_RETRY_CAP_S: Final = 5.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def keep_scanning(
    source: Source,
    rules: Mapping[str, Rule],
    agent: Agent,
    counters: EdgeCounters,
    ending: asyncio.Event,
) -> None:
    """Scan *source* at its pace and feed *agent* what is to be reported.

    Ends behind the scan during which *ending* is set, and closes the source; at once if cancelled.
    """
    device = source.device
    report = ExceptionReport(rules)
    marks: Mapping[str, int] = {}
    failures = 0
    up: bool | None = None
    gone: dict[str, int] = {}
    pace = _Pace(source.period_s, ending)
    late = counters.scan_late.labels(device)
    old_after_ms = _old_after_ms(source, rules)
    try:
        while not ending.is_set():
            late.observe(pace.late_s())
            try:
                scan = await source.scan()
            except DeviceDown as error:
                counters.scans_failed.labels(device).inc()
                if up is not False:
                    log.warning("device lost", device=device, error=str(error))
                    counters.device_up.labels(device).set(0)
                    lost = _mark_bad(report, source, counters)
                    gone |= {reading.tag: reading.ts_ms for reading in lost}
                    agent.feed(device, lost, link=False)
                agent.watch.lost(device)
                up = False
                await pace.wait(full_jitter(failures, cap_s=_RETRY_CAP_S))
                failures += 1
                pace.start()
                continue
            if not up:
                log.info("device found", device=device)
                counters.device_up.labels(device).set(1)
            seen = [*_seen_again(scan.readings, gone, source.now_ms()), *scan.quiet]
            corners = report.corners
            reported = report.filter(seen)
            corners = report.corners - corners
            fresh = len(reported) - corners
            agent.feed(
                device,
                [*reported, *scan.events],
                marks=scan.marks if scan.marks != marks else None,
                link=None if up else True,
            )
            newest_ms = max((reading.ts_ms for reading in scan.readings), default=None)
            ahead_ms = source.now_ms() - time.time_ns() // 1_000_000
            agent.watch.answered(device, newest_ms, ahead_ms, old_after_ms)
            marks, up, failures = scan.marks, True, 0
            counters.scanned.labels(device).inc(len(seen) + len(scan.events))
            counters.suppressed.labels(device).inc(len(seen) - fresh)
            counters.corners.labels(device).inc(corners)
            counters.events_lost.labels(device).inc(scan.lost)
            counters.scans_missed.labels(device).inc(await pace.next())
    finally:
        await source.close()


class _Pace:
    """When scans start: at whole periods of the steady clock, from `start` on.

    Neither their own duration nor a step of the wall clock shifts them. A scan that runs over
    leaves the missed ones out. Without a period a scan waits by itself and the next starts at once.
    """

    def __init__(self, period_s: float, ending: asyncio.Event) -> None:
        self._period_s = period_s
        self._ending = ending
        self.start()

    async def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), max(0.0, seconds))

    def start(self) -> None:
        """The next scan is due now."""
        self._due = time.monotonic()

    def late_s(self) -> float:
        """How long ago the scan that starts now was due [s]."""
        return time.monotonic() - self._due

    async def next(self) -> int:
        """Wait until the next scan is due; how many were left out."""
        if self._period_s == 0:
            self.start()
            return 0
        self._due += self._period_s
        missed = 0
        if (over_s := self.late_s()) > 0:
            missed = int(over_s // self._period_s) + 1
            self._due += missed * self._period_s
        await self.wait(self._due - time.monotonic())
        return missed


def _mark_bad(report: ExceptionReport, source: Source, counters: EdgeCounters) -> Sequence[Reading]:
    """The end of what is known of a device that is lost."""
    before = report.corners
    lost = report.lost(source.now_ms())
    corners = report.corners - before
    counters.corners.labels(source.device).inc(corners)
    counters.marked_bad.labels(source.device).inc(len(lost) - corners)
    return lost


def _old_after_ms(source: Source, rules: Mapping[str, Rule]) -> int:
    """After what time the data of a device that is scanned is old; 0 if it reports changes alone.

    Three times the maximum silence is ``stale_after``, unless the file says otherwise.
    """
    silences_ms = [rule.max_silence_ms for rule in rules.values()] if source.period_s > 0 else []
    return 3 * max(silences_ms, default=0)


def _seen_again(
    readings: Sequence[Reading], gone: dict[str, int], now_ms: int
) -> Sequence[Reading]:
    """*readings*, where none that is the first after a loss is older than the loss.

    A device that keeps its own times reports a value that did not change with the time of its last
    change. Behind the bad reading that marks the loss it would not be seen, and the tag stay bad;
    so it has the time from which on it is known again.
    """
    if not gone:
        return readings
    return [
        replace(reading, ts_ms=max(now_ms, lost_ms + 1))
        if (lost_ms := gone.pop(reading.tag, None)) is not None and reading.ts_ms <= lost_ms
        else reading
        for reading in readings
    ]
