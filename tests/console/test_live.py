"""What the console says while something is broken, and that it is right again by itself."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, expect
from pymodbus.client import ModbusTcpClient

from simulator.command import Command, Fault
from tests.console.screen import WITHIN_MS, Screen, screen
from tests.fixtures.proxy import Proxy
from tests.fixtures.standalone import PLCS, Standalone
from tests.fixtures.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.console]

LOST = "Connection lost, showing data of"
NO_VALUES = "No live values"
NOTHING_NEW = "No new readings since"
#: Pages by turns: KPIs and a mimic, all pots, two charts, tables that are asked for again.
ROUND = ("overview", "potroom", "potroom/smelter/potline-1?pot=003", "health")
WARM_ROUNDS, ROUNDS = 2, 6
#: What a leak of a page with its chart or its 24 pots would pass within the rounds.
HEAP_GROWTH_BYTES = 5_000_000


@pytest.fixture
def tab(browser: Browser, root: str) -> Iterator[Screen]:
    """The potroom, live."""
    with screen(browser, root, locale="en-GB") as shown:
        shown.show("potroom")
        shown.live()
        yield shown


def test_an_anode_effect_is_on_the_map(park: Standalone, tab: Screen) -> None:
    """Started in the PLC, seen by everybody: agent, broker, ingest, database, API, stream."""
    pot = "smelter/potline-1/pot-003"
    place = next(place for place, plc in enumerate(PLCS) if pot in plc.assets)
    effect = Command(Fault.UPSET, PLCS[place].assets.index(pot) + 1, 30)
    with ModbusTcpClient("127.0.0.1", port=park.plc_port + place) as plc:
        assert not plc.write_registers(0, effect.registers, device_id=1).isError()

    expect(tab.page.locator('.pot.level-effect[data-pot="003"]')).to_be_visible(timeout=WITHIN_MS)
    expect(tab.page.locator(".effects.is-alarm")).to_be_visible(timeout=WITHIN_MS)


@pytest.mark.parametrize("place", ["potroom", "trends"])
def test_a_broken_wire(
    browser: Browser, park: Standalone, proxy: Callable[[str, int], Proxy], place: str
) -> None:
    """Reset or half open, on any page: the page says so, and goes on when the wire is whole."""
    wire = proxy("127.0.0.1", park.port)
    with screen(browser, f"http://{wire.host}:{wire.port}", locale="en-GB") as tab:
        tab.show(place)
        tab.live()

        for break_wire in (wire.cut, wire.stall):
            break_wire()
            tab.banner(LOST)

            wire.resume()
            tab.no_banner()
            tab.live()


def test_a_killed_api(park: Standalone, tab: Screen) -> None:
    """The last values stay, with their time; the next API is found."""
    killed = park.child("api")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    tab.banner(LOST)
    assert tab.page.locator(".pot").count() == 24

    tab.no_banner()
    tab.live()
    assert park.child("api") not in {None, killed}


def test_a_killed_database(park: Standalone, tab: Screen) -> None:
    """The stream says that there are no values and why; they come back."""
    os.kill(park.pids["database"], signal.SIGKILL)
    tab.banner(NO_VALUES)

    tab.no_banner()
    tab.live()


def test_a_silent_ingest(park: Standalone, tab: Screen) -> None:
    """Nothing arrives though the connection is good: also that is said."""
    ingest = park.child("ingest")
    assert ingest is not None
    os.kill(ingest, signal.SIGSTOP)
    try:
        tab.banner(NOTHING_NEW)
    finally:
        os.kill(ingest, signal.SIGKILL)

    tab.no_banner()
    tab.live()
    assert until(lambda: park.child("ingest"), "another ingest") != ingest


def test_nothing_leaks(browser: Browser, root: str) -> None:
    """A shift of turning pages in short: one stream, and the memory of the first rounds."""
    with screen(browser, root, locale="en-GB") as tab:
        wire = tab.page.context.new_cdp_session(tab.page)
        wire.send("Performance.enable")
        tab.show(ROUND[0])
        for _ in range(WARM_ROUNDS):
            turn(tab)
        before = heap_bytes(wire)
        for _ in range(ROUNDS):
            turn(tab)

        assert heap_bytes(wire) - before < HEAP_GROWTH_BYTES
        assert tab.streams == 1


def turn(tab: Screen) -> None:
    """Show each page of `ROUND`."""
    for place in ROUND:
        tab.turn_to(place)


def heap_bytes(wire: CDPSession) -> float:
    """The page's objects after a collection."""
    wire.send("HeapProfiler.collectGarbage")
    metrics = wire.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))
