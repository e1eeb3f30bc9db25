"""The console in a browser, as an operator looks at it; what the page does wrong is noted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.fixtures.until import until

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
#: Of a machine that runs the park, its database and a browser on two cores.
WITHIN_MS: Final = 60_000
#: The page of the address is there, and nothing says any more that it is loading.
_SETTLED: Final = """
    document.querySelector("main h1") !== null
    && document.querySelector(".quiet[role=status]") === null
    && location.hash.startsWith(document.querySelector("nav [aria-current]")?.hash)"""
#: What a text shows where a word, a number or a name is missing.
_HOLES: Final = re.compile(r"undefined|NaN|\[object|\{\w+\}")
#: What is wider than the box that cuts it, choices whose word is, and texts beside their picture.
_CLIPPED: Final = """
    async () => {
        // Charts follow the size of their place a frame later.
        for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame);
        const cut = (one) => {
            const style = getComputedStyle(one);
            return (style.overflowX !== "visible" || style.contain !== "none")
                && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;
        };
        const canvas = document.createElement("canvas").getContext("2d");
        const short = (one) => {
            const style = getComputedStyle(one);
            canvas.font = `${style.fontSize} ${style.fontFamily}`;
            const word = canvas.measureText(one.selectedOptions[0]?.text ?? "").width;
            const arrow = parseFloat(style.fontSize);
            return word + arrow > one.clientWidth - parseFloat(style.paddingLeft);
        };
        const beside = (one) => {
            const picture = one.ownerSVGElement.getBoundingClientRect();
            const text = one.getBoundingClientRect();
            return text.left < picture.left - 1 || text.right > picture.right + 1;
        };
        const all = (chosen, wrong) => [...document.querySelectorAll(chosen)].filter(wrong);
        return [...all("body *", cut), ...all("select", short), ...all("svg text", beside)]
            .filter((one) => !one.closest(".visually-hidden, .skip"))
            .map((one) => one.outerHTML.slice(0, 200));
    }
"""
_WATCH: Final = """
    globalThis.violations = [];
    addEventListener("securitypolicyviolation",
        (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
    globalThis.streams = new Set();
    globalThis.EventSource = class extends EventSource {
        constructor(...given) { super(...given); streams.add(this); }
        close() { super.close(); streams.delete(this); }
    };
"""


@dataclass
class Screen:
    """A tab that shows the console served at ``root``."""

    page: Page
    root: str
    #: Errors in the browser's console, uncaught exceptions.
    errors: list[str] = field(default_factory=list)
    #: Requests to hosts that are not the API.
    outside: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note what goes wrong from now on."""
        self.page.set_default_timeout(WITHIN_MS)
        self.page.add_init_script(_WATCH)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda asked: self._look_at(asked.url))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} {said.location.get('url')}")

    def _look_at(self, url: str) -> None:
        if urlsplit(url).netloc not in {urlsplit(self.root).netloc, ""}:
            self.outside.append(url)

    def show(self, place: str) -> None:
        """Load the page at *place* (``potroom?pot=003``), until nothing of it is loading."""
        self.page.goto(f"{self.root}/#/{place}")
        self.settle()

    def turn_to(self, place: str) -> None:
        """Go to *place* without loading the document anew, as a click does."""
        self.page.evaluate("place => { location.hash = `#/${place}`; }", place)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading.

        Playwright's own waiting evaluates text in the page, which the policy forbids.
        """
        until(lambda: self.page.evaluate(_SETTLED), "the page to load", WITHIN_MS / 1000)

    def live(self) -> None:
        """Wait until the values are live."""
        expect(self.page.locator(".link.is-live")).to_be_visible(timeout=WITHIN_MS)

    def banner(self, having: str) -> None:
        """Wait until the line about the link says so."""
        expect(self.page.locator(".banner")).to_contain_text(having, timeout=WITHIN_MS)

    def no_banner(self) -> None:
        """Wait until nothing is wrong with the link."""
        expect(self.page.locator(".banner")).to_be_hidden(timeout=WITHIN_MS)

    @property
    def text(self) -> str:
        """All that is to be read."""
        return self.page.inner_text("body")

    @property
    def holes(self) -> list[str]:
        """Places of the text where something is missing."""
        return _HOLES.findall(self.text)

    @property
    def violations(self) -> list[str]:
        """What the content security policy forbade."""
        found: list[str] = self.page.evaluate("violations")
        return found

    @property
    def streams(self) -> int:
        """Event streams that are open."""
        found: int = self.page.evaluate("streams.size")
        return found

    @property
    def overflow(self) -> int:
        """By how much the page is wider than the window [px]."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    @property
    def clipped(self) -> list[str]:
        """Texts that are not wholly to be seen: cut, or to be scrolled to sideways."""
        found: list[str] = self.page.evaluate(_CLIPPED)
        return found

    def accessibility(self) -> list[str]:
        """What axe finds wrong: its rule, and where."""
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate(AXE.read_text())
        found: list[dict[str, Any]] = self.page.evaluate(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
        )
        return [
            f"{one['id']}: {node['html']}: {node['failureSummary']}"
            for one in found
            for node in one["nodes"][:3]
        ]


@contextmanager
def screen(browser: Browser, root: str, **options: Any) -> Iterator[Screen]:  # noqa: ANN401 - Playwright's own
    """A new tab with a profile of its own; *options* are those of ``Browser.new_context``."""
    context = browser.new_context(**options)
    try:
        tab = Screen(context.new_page(), root)
        tab.watch()
        yield tab
    finally:
        context.close()
