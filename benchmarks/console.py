"""What an operator waits for: an anode effect, a lost link, the map of 724 pots, the first page.

``effect_s`` is from the command to a PLC until the pot is marked on the map: PLC scan, agent,
broker, ingest, database, API and stream included; ``lost_s`` from the API's SIGKILL until the page
says that the connection is lost; both the worst of several. The whole park's map then runs for some
seconds with new readings of all pots each second: ``frames_per_s`` and the longest pause between
two frames, what a second of it costs the page in scripts and in layout and style, and how many of
the keys pressed meanwhile moved the focus, with the slowest. Drawing is done by software on the
processor that also runs everything else. ``first_load_kb`` is all that comes over the wire until
the whole park's overview stands.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from pymodbus.client import ModbusTcpClient
from rich.console import Console

from benchmarks import stand
from benchmarks.potroom import answers, potroom
from schemas.errors import ConfigError, UnavailableError
from schemas.plant.file import load_plant
from simulator.command import Command, Fault
from simulator.scale import park_at
from simulator.wiring import wire
from standalone.ports import check_ports

PLANT: Final = Path("plants/pavlodar.toml")
LINE: Final = "smelter/potline-1"
WITHIN_MS: Final = 60_000
#: No sandbox, as root in containers; the rest would call home.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: How often somebody presses Tab while the map runs [s].
KEY_EVERY_S: Final = 0.2
_WATCH: Final = """
    globalThis.frames = [];
    globalThis.keys = [];
    const draw = (at) => { frames.push(at); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (one.name === "keydown") keys.push(one.duration);
    }).observe({ type: "event", durationThreshold: 16 });
"""

console = Console(stderr=True)


def main(
    quick: Annotated[bool, typer.Option(help="one round and some seconds")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="effects and lost connections")] = 3,
    seconds: Annotated[int, typer.Option(min=3, help="how long the map runs")] = 20,
) -> None:
    """The console in a browser, before a park and before 724 pots."""
    if quick:
        rounds, seconds = 1, 3
    with _browser() as browser:
        console.print("a park: anode effects, lost connections")
        with _park() as park:
            effects = [_effect_s(browser, park, pot) for pot in range(1, rounds + 1)]
            losses = [_lost_s(browser, park) for _ in range(rounds)]
        console.print("the whole park's plant: 724 pots, the first page")
        with potroom(park_at(1.0)) as whole:
            loaded_kb = _first_load_kb(browser, whole.url)
            with whole.feeding():
                found = _map(browser, whole.url, seconds)
    waits = {"effect_s": round(max(effects), 2), "lost_s": round(max(losses), 2)}
    typer.echo(
        json.dumps(
            {
                "benchmark": "console",
                "cores": os.cpu_count(),
                "rounds": rounds,
                **waits,
                "pots": len(whole.pots),
                "updates": whole.rounds,
                **found,
                "first_load_kb": round(loaded_kb, 1),
            }
        )
    )


@contextmanager
def _browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        raise UnavailableError("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class _Park:
    """``python -m standalone`` at *port*, its PLCs at *plc_port* and on."""

    def __init__(self, process: psutil.Process, port: int, plc_port: int) -> None:
        self.process = process
        self.url = f"http://{stand.HOST}:{port}"
        self.port = port
        self.plc_port = plc_port

    @property
    def api(self) -> psutil.Process:
        """The process of the API."""
        return next(
            child
            for child in self.process.children(recursive=True)
            if child.cmdline()[1:3] == ["-m", "api"]
        )


@contextmanager
def _park() -> Iterator[_Park]:
    plcs = len(wire(load_plant(PLANT)))
    port, plc_port, mqtt_port = _row(5), _row(plcs), _row(2)
    with tempfile.TemporaryDirectory(prefix="ertis-bench-") as folder:
        options = ["--data-dir", f"{folder}/data", "--port", str(port)]
        options += ["--plc-port", str(plc_port), "--mqtt-port", str(mqtt_port)]
        with stand.process("-m", "standalone", *options, environment={}) as running:
            stand.until(lambda: answers(port), "the park")
            yield _Park(psutil.Process(running.pid), port, plc_port)


def _row(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        first = stand.free_port()
        try:
            check_ports({"--port": range(first, first + count)})
        except ConfigError:
            continue
        return first


@contextmanager
def _page(browser: Browser, url: str, place: str) -> Iterator[Page]:
    """A page at *place*, its values live."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.goto(f"{url}/#/{place}")
    page.locator(".link.is-live").wait_for()
    yield page
    context.close()


def _effect_s(browser: Browser, park: _Park, number: int) -> float:
    """From the command until pot *number* is marked."""
    pot = f"{LINE}/pot-{number:03d}"
    plcs = wire(load_plant(PLANT))
    place = next(place for place, plc in enumerate(plcs) if pot in plc.assets)
    effect = Command(Fault.UPSET, plcs[place].assets.index(pot) + 1, 30)
    with (
        _page(browser, park.url, "potroom") as page,
        ModbusTcpClient(stand.HOST, port=park.plc_port + place) as plc,
    ):
        # Somebody looks at a map that is full.
        cell = page.locator(f'.pot[data-pot="{number:03d}"]')
        page.locator(f'.pot[data-pot="{number:03d}"]:not(.level-none)').wait_for()
        began_s = time.monotonic()
        plc.write_registers(0, effect.registers, device_id=1)
        cell.and_(page.locator(".level-effect")).wait_for()
        return time.monotonic() - began_s


def _lost_s(browser: Browser, park: _Park) -> float:
    """From the API's death until the page says so; returns when all is well again."""
    with _page(browser, park.url, "potroom") as page:
        began_s = time.monotonic()
        park.api.send_signal(signal.SIGKILL)
        page.locator(".banner.is-shown").wait_for()
        lost_s = time.monotonic() - began_s
        page.locator(".banner.is-shown").wait_for(state="hidden")
        return lost_s


def _first_load_kb(browser: Browser, url: str) -> float:
    """All that the browser receives until the overview is there [kB]."""
    received: list[float] = []
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    wire_ = context.new_cdp_session(page)
    wire_.send("Network.enable")
    wire_.on("Network.loadingFinished", lambda done: received.append(done["encodedDataLength"]))
    page.goto(f"{url}/#/overview")
    page.locator(".mimic").wait_for()
    context.close()
    return sum(received) / 1000


def _map(browser: Browser, url: str, seconds: int) -> dict[str, float]:
    """What the map of all pots costs while it runs for so long."""
    with _page(browser, url, "potroom") as page:
        page.locator(".pot.level-none").first.wait_for(state="detached")
        page.locator(".pot").first.focus()
        wire_ = page.context.new_cdp_session(page)
        wire_.send("Performance.enable")
        page.evaluate(_WATCH)
        before, began_s = _spent(wire_), time.monotonic()
        pressed = 0
        while time.monotonic() - began_s < seconds:
            page.keyboard.press("Tab")
            pressed += 1
            page.wait_for_timeout(1000 * KEY_EVERY_S)
        spent_s = time.monotonic() - began_s
        after = _spent(wire_)
        frames: list[float] = page.evaluate("frames")
        keys: list[float] = page.evaluate("keys")
        pots = "[...document.querySelectorAll('.pot')].indexOf(document.activeElement)"
        moved: int = page.evaluate(pots)
    pauses = [later - earlier for earlier, later in pairwise(frames)]
    cost_ms = {name: 1000 * (after[name] - before[name]) / spent_s for name in before}
    return {
        "seconds": round(spent_s, 1),
        "frames_per_s": round((len(frames) - 1) * 1000 / (frames[-1] - frames[0]), 1),
        "longest_pause_ms": round(max(pauses)),
        "script_ms_per_s": round(cost_ms["ScriptDuration"], 1),
        "layout_ms_per_s": round(cost_ms["LayoutDuration"] + cost_ms["RecalcStyleDuration"], 1),
        "keys": pressed,
        "keys_taken": moved,
        "slowest_key_ms": round(max(keys, default=0.0)),
    }


def _spent(wire_: CDPSession) -> dict[str, float]:
    """Seconds that the page has spent so far, by what it did."""
    wanted = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
    metrics = wire_.send("Performance.getMetrics")["metrics"]
    return {one["name"]: float(one["value"]) for one in metrics if one["name"] in wanted}
