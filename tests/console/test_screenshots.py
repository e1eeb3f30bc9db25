"""The pictures of docs/console.md, taken of a park that has run for a day: `make screenshots`."""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect
from pymodbus.client import ModbusTcpClient

from simulator.command import Command, Fault
from tests.console.screen import WITHIN_MS, Screen, screen
from tests.fixtures.standalone import PLCS, Standalone
from tests.fixtures.until import until

FOLDER: Final = os.environ.get("SCREENSHOTS", "")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.console,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not FOLDER, reason="takes pictures where SCREENSHOTS says: make screenshots"
    ),
]

HOURS: Final = 25
POT: Final = "smelter/potline-1/pot-017"
#: What all pictures together may weigh [bytes].
BYTES: Final = 1_500_000


@dataclass(frozen=True)
class Shot:
    """A picture: its file, the place, what has to be seen, and how somebody looks at it."""

    name: str
    place: str
    seen: str
    options: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (1280, 800)


SHOTS: Final = (
    Shot("overview", "overview", ".tile-value"),
    Shot("potroom", "potroom/smelter/potline-1?pot=017", ".pot.level-effect", size=(1280, 1000)),
    Shot("refinery", "refinery", ".process .value", {"locale": "kk-KZ"}),
    Shot("energy", "energy", ".trend canvas", size=(1280, 1180)),
    Shot(
        "kpis",
        "kpis/smelter/potline-1?kpi=dc_specific_energy&span=day",
        ".cards:has(.lineage li)" + "".join(f":has(.kpi:nth-child({n}) svg)" for n in (1, 2, 4, 5)),
    ),
    Shot(
        "trends",
        "trends?span=day&tags=smelter/potline-1/line_current,"
        f"power/wind-1/wtg-01/power,{POT}/bath_temperature",
        ".trend canvas",
    ),
    Shot("alarms", "alarms", ".alarm", size=(1280, 560)),
    Shot("report", "report?period=previousShift", "td.number", {"locale": "zh-CN"}),
    Shot("health", "health", "[data-part]", {"color_scheme": "dark"}, (1280, 720)),
    Shot("phone", "overview", ".tile-value", {"locale": "ru-RU"}, (390, 844)),
)


@pytest.fixture(scope="module")
def park(browser: Browser) -> Iterator[Standalone]:
    """A park with a day behind it, all of it summarised."""
    with tempfile.TemporaryDirectory(prefix="ertis-test-") as home:
        started = Standalone.start(Path(home) / "data", "--history", str(HOURS))
        try:
            until(lambda: _summarised(started), "the summaries of a day", 300)
            yield started
        finally:
            if started.runs:
                started.interrupt()


def _summarised(park: Standalone) -> bool:
    """Whether nothing older than some minutes waits to be summarised."""
    parts = {part["name"]: part["detail"] for part in park.get("/health/ready")["parts"]}
    waiting_s = re.search(r"(\d+) s old", parts["rollups"])
    return waiting_s is None or int(waiting_s[1]) < 300


@pytest.fixture(scope="module")
def upset(park: Standalone) -> None:
    """A pot in anode effect, for as long as pictures are taken."""
    place = next(place for place, plc in enumerate(PLCS) if POT in plc.assets)
    effect = Command(Fault.UPSET, PLCS[place].assets.index(POT) + 1, 600)
    with ModbusTcpClient("127.0.0.1", port=park.plc_port + place) as plc:
        assert not plc.write_registers(0, effect.registers, device_id=1).isError()


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_picture(browser: Browser, root: str, upset: None, shot: Shot) -> None:
    """What it is to show is there, with values."""
    width, height = shot.size
    options = {"locale": "en-GB", **shot.options, "viewport": {"width": width, "height": height}}
    with screen(browser, root, reduced_motion="reduce", **options) as tab:
        tab.show(shot.place)
        tab.live()
        expect(tab.page.locator(shot.seen).first).to_be_visible(timeout=WITHIN_MS)
        _filled(tab)
        tab.page.screenshot(path=Path(FOLDER) / f"{shot.name}.png")

        assert tab.holes == []
        assert tab.errors == []


def _filled(tab: Screen) -> None:
    """Wait until the values in sight are there: KPIs come some ticks after the tags."""
    until(
        lambda: tab.page.locator(".tile[data-kpi] .tile-note:empty").count() == 0,
        "all KPIs",
        WITHIN_MS / 1000,
    )


def test_all_pictures_are_small(upset: None) -> None:
    """They stand in the repository."""
    files = [Path(FOLDER) / f"{shot.name}.png" for shot in SHOTS]

    assert sum(file.stat().st_size for file in files) <= BYTES
