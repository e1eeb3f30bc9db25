"""Scanning: one task for each device, so that a dead one delays no other."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import structlog

from edge.agent import Agent
from edge.counters import EdgeCounters
from edge.exception import ExceptionReport, Rule
from edge.source import Source
from schemas.backoff import full_jitter
from schemas.errors import DeviceDown

#: A device that is back is found within this time [s].
_RETRY_CAP_S: Final = 5.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def keep_scanning(
    source: Source, rules: Mapping[str, Rule], agent: Agent, counters: EdgeCounters
) -> None:
    """Scan *source* at its period and feed *agent* what is to be reported, until cancelled.

    Scans start at whole periods of the steady clock, so that neither their own duration nor a step
    of the wall clock shifts them. A scan that runs over leaves the missed ones out.
    """
    device = source.device
    report = ExceptionReport(rules)
    marks: Mapping[str, int] = {}
    failures = 0
    up: bool | None = None
    due = time.monotonic()
    late = counters.scan_late.labels(device)
    try:
        while True:
            late.observe(time.monotonic() - due)
            try:
                scan = await source.scan()
            except DeviceDown as error:
                counters.scans_failed.labels(device).inc()
                if up is not False:
                    log.warning("device lost", device=device, error=str(error))
                    counters.device_up.labels(device).set(0)
                    agent.feed(device, report.lost(source.now_ms()), link=False)
                up = False
                await asyncio.sleep(full_jitter(failures, cap_s=_RETRY_CAP_S))
                failures += 1
                due = time.monotonic()
                continue
            if not up:
                log.info("device found", device=device)
                counters.device_up.labels(device).set(1)
            seen = [*scan.readings, *scan.quiet]
            corners = report.corners
            reported = report.filter(seen)
            fresh = len(reported) - (report.corners - corners)
            agent.feed(
                device,
                [*reported, *scan.events],
                marks=scan.marks if scan.marks != marks else None,
                link=None if up else True,
            )
            marks, up, failures = scan.marks, True, 0
            counters.scanned.labels(device).inc(len(seen) + len(scan.events))
            counters.suppressed.labels(device).inc(len(seen) - fresh)
            counters.events_lost.labels(device).inc(scan.lost)
            due += source.period_s
            over_s = time.monotonic() - due
            if over_s > 0:
                missed = int(over_s // source.period_s) + 1
                counters.scans_missed.labels(device).inc(missed)
                due += missed * source.period_s
            await asyncio.sleep(due - time.monotonic())
    finally:
        await source.close()
