"""One agent for a long time, beside PLCs and a broker that come and go: memory and ledger.

Every few seconds a PLC or the broker is ended for a while, at random, seeded. In the end all is
well again, the PLCs stop, and what is on its way arrives. Then the ledger must be exact, or the
benchmark fails: what was scanned, less what was withheld, is what was spooled, what was
acknowledged and what the host counted, each frame once; nothing was dropped.

``growth_mb`` is the median memory of the last fifth of the time less that of the second fifth (the
first is warming up).
"""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer

from benchmarks import stand
from benchmarks.edge import NODE, Agent, plc, write_config
from benchmarks.host import Account, Host
from benchmarks.load import GROUP
from schemas.errors import DefectError

TAGS: Final = 500
#: How long all is well between two faults, and how long a fault lasts [s].
_WELL_S: Final = (2.0, 8.0)
_FAULT_S: Final = (0.5, 5.0)


@dataclass
class Flapping:
    """Something that is ended and started again; *start* makes it anew."""

    start: Callable[[], AbstractContextManager[object]]
    flaps: int = 0
    held: ExitStack = field(default_factory=ExitStack)

    def begin(self) -> None:
        """Start it."""
        self.held.enter_context(self.start())

    def end(self) -> None:
        """End it."""
        self.held.close()

    def flap(self, seconds: float) -> None:
        """Be away for a while."""
        self.end()
        time.sleep(seconds)
        self.begin()
        self.flaps += 1


def main(
    quick: Annotated[bool, typer.Option(help="20 seconds")] = False,
    minutes: Annotated[float, typer.Option(min=0.1, help="how long")] = 30.0,
    seed: Annotated[int, typer.Option(help="of the faults")] = 1,
) -> None:
    """An agent beside PLCs and a broker that flap: memory stays flat, the ledger exact."""
    seconds = 20.0 if quick else minutes * 60
    port, ports = stand.free_port(), [stand.free_port(), stand.free_port()]
    broker = Flapping(partial(stand.broker, port))
    plcs = [Flapping(partial(plc, [each], TAGS // len(ports))) for each in ports]
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ertis-bench-")))
        for each in (broker, *plcs):
            held.callback(each.end)
            each.begin()
        agent = Agent(write_config(folder, ports, TAGS, ack_timeout_s=2.0), folder / "data", port)
        with Host(port, GROUP, NODE) as host, agent.running() as process:
            stand.until(lambda: host.account().readings >= TAGS, "the first scan of every tag")
            rss_mb = weather(psutil.Process(process.pid), [broker, *plcs], seconds, seed)
            for each in plcs:
                each.end()
            # What an agent marks bad when it loses a PLC is in the ledger too.
            stand.until(lambda: alone(agent), "the agent to lose its PLCs", within_s=120)
            stand.until(lambda: settled(agent), "all to be acknowledged", within_s=120)
            document = {
                "benchmark": "soak",
                "minutes": round(seconds / 60, 1),
                "plc_flaps": sum(each.flaps for each in plcs),
                "broker_flaps": broker.flaps,
                **audit(agent.counters(), host.account()),
                **flatness(rss_mb),
            }
    typer.echo(json.dumps(document))


def weather(
    agent: psutil.Process, flapping: Sequence[Flapping], seconds: float, seed: int
) -> list[float]:
    """Let one or the other fail, for *seconds* in all; the agent's memory meanwhile [MB]."""
    chance = random.Random(seed)  # noqa: S311 - faults, not secrets
    rss_mb: list[float] = []
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, chance.uniform(*_WELL_S)))
        chance.choice(flapping).flap(chance.uniform(*_FAULT_S))
        rss_mb.append(agent.memory_info().rss / 1e6)
    return rss_mb


def alone(agent: Agent) -> bool:
    """Whether no PLC answers any more."""
    return agent.counters()["ertis_edge_device_up", ""] == 0


def settled(agent: Agent) -> bool:
    """Whether nothing is on its way."""
    return agent.counters()["ertis_edge_readings_unacknowledged", ""] == 0


def audit(counts: dict[tuple[str, str], float], account: Account) -> dict[str, float]:
    """The ledger of the agent against that of the host.

    Raises
    ------
    DefectError
        They differ.
    """

    def count(name: str) -> int:
        return int(counts.get((f"ertis_edge_readings_{name}_total", ""), 0))

    reported = count("scanned") + count("corners") + count("marked_bad") - count("suppressed")
    ledger = {
        "reported": reported,
        "spooled": count("spooled"),
        "acknowledged": count("acknowledged"),
        "counted by the host": account.readings,
    }
    lost = count("dropped") + count("overflowed") + len(account.ahead)
    if len(set(ledger.values())) > 1 or lost:
        raise DefectError(f"the ledger is not exact: {ledger}, {lost} lost or left over")
    return {"readings": reported, "repeated_frames": account.repeated_frames}


def flatness(rss_mb: Sequence[float]) -> dict[str, float]:
    """How much memory grew, and what it was [MB]."""
    fifth = max(1, len(rss_mb) // 5)
    early, late = rss_mb[fifth : 2 * fifth] or rss_mb, rss_mb[-fifth:]
    start, end = statistics.median(early), statistics.median(late)
    return {
        "rss_start_mb": round(start, 1),
        "rss_end_mb": round(end, 1),
        "growth_mb": round(end - start, 1),
    }
