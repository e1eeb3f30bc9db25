"""When to scan: at every whole UTC second."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

SECOND_NS = 1_000_000_000


async def seconds(
    after_ms: int, stop: asyncio.Event, now_ns: Callable[[], int] = time.time_ns
) -> AsyncIterator[int]:
    """Every whole second after *after_ms* [UTC ms] once it has come, until *stop* is set.

    Each target is computed from the one before it, so nothing drifts. Whoever comes late gets the
    missed seconds one after the other without waiting. A clock that is set back pauses the plant
    until it has caught up: scan times only ever grow.
    """
    target_ns = (after_ms // 1000 + 1) * SECOND_NS
    while not stop.is_set():
        wait_s = (target_ns - now_ns()) / SECOND_NS
        if wait_s > 0:
            try:
                await asyncio.wait_for(stop.wait(), wait_s)
            except TimeoutError:
                # The loop's clock and UTC differ in pace: look again.
                continue
            return
        yield target_ns // 1_000_000
        target_ns += SECOND_NS
        # Late or not, requests get their turn between two scans.
        await asyncio.sleep(0)
