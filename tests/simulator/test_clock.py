"""When the plant scans."""

import asyncio
import time

from simulator.clock import seconds


def scans(start_ns: int, steps_ns: list[int], after_ms: int, count: int) -> list[tuple[int, int]]:
    """(target [ms], clock [ms]) of *count* scans; each advances the clock by one of *steps_ns*."""
    clock = [start_ns]

    async def run() -> list[tuple[int, int]]:
        stop, seen = asyncio.Event(), []
        async for target_ms in seconds(after_ms, stop, lambda: clock[0]):
            seen.append((target_ms, clock[0] // 1_000_000))
            clock[0] += steps_ns[(len(seen) - 1) % len(steps_ns)]
            if len(seen) == count:
                stop.set()
        return seen

    return asyncio.run(run())


def test_a_late_scan_is_caught_up() -> None:
    """After a stall of three seconds the missed seconds come at once, each with its own time."""
    seen = scans(10_000_000_000, [3_200_000_000, 0, 0, 0], after_ms=9_500, count=4)

    assert [target for target, _ in seen] == [10_000, 11_000, 12_000, 13_000]
    assert {now for _, now in seen[1:]} == {13_200}


def test_no_scan_comes_before_its_second() -> None:
    """On the real clock: targets are whole seconds in a row, and the clock is past each."""

    async def run() -> list[tuple[int, int]]:
        stop, seen = asyncio.Event(), []
        async for target_ms in seconds(time.time_ns() // 1_000_000, stop):
            seen.append((target_ms, time.time_ns() // 1_000_000))
            if len(seen) == 2:
                stop.set()
        return seen

    first, second = asyncio.run(run())
    assert first[0] % 1000 == 0
    assert second[0] == first[0] + 1000
    assert all(now >= target for target, now in (first, second))


def test_a_stop_ends_the_wait() -> None:
    """Nobody waits for the next second once the plant is to end."""

    async def run() -> list[int]:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_soon(stop.set)
        # The next second is an hour away.
        return [ms async for ms in seconds(3_600_000, stop, lambda: 0)]

    assert asyncio.run(run()) == []
