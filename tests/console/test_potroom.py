"""The map of a whole smelter: 724 pots, new readings every second."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.potroom import Potroom, potlines_alone, potroom
from tests.console.screen import WITHIN_MS, Screen, screen
from tests.fixtures.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.console]

POTS: Final = 724
#: Readings come this many times while somebody works.
ROUNDS: Final = 3
KEYS: Final = 40
#: What each cell says: its class, its number [mV] or AE.
_CELLS: Final = """all => all.map((one) => [
    one.classList.contains("level-effect"), one.querySelector(".pot-value").textContent])"""


@pytest.fixture(scope="module")
def smelter(browser: Browser) -> Iterator[Potroom]:
    """Three lines; nothing is fed yet."""
    with potroom(potlines_alone()) as standing:
        yield standing


@pytest.fixture
def tab(browser: Browser, smelter: Potroom) -> Iterator[Screen]:
    """The map of all lines."""
    with screen(browser, smelter.url, locale="en-GB") as shown:
        shown.show("potroom")
        yield shown


def cells(tab: Screen) -> dict[str, tuple[bool, str]]:
    """By pot whether it is in effect, and what stands in its cell."""
    found = tab.page.locator(".pot").evaluate_all(_CELLS)
    hrefs = tab.page.locator(".pot").evaluate_all("all => all.map((one) => one.hash)")
    return {_pot(href): tuple(cell) for href, cell in zip(hrefs, found, strict=True)}


def _pot(href: str) -> str:
    line, _, query = href.removeprefix("#/potroom/").partition("?")
    return f"{line}/pot-{query.rpartition('pot=')[2]}"


def right(told: str, off_mv: float) -> bool:
    """Whether a cell's number is the deviation, to the digits that it has."""
    if not told.lstrip("-").replace(".", "").replace(",", "").isdigit():
        return False
    step = 0.1 if "." in told else 1.0
    return abs(float(told.replace(",", "")) - off_mv) <= 0.501 * step


def test_every_pot_shows_its_newest_value(tab: Screen, smelter: Potroom) -> None:
    """After many rounds each cell holds what was written last, and no other round's."""
    with smelter.feeding():
        begun = smelter.rounds
        until(lambda: smelter.rounds >= begun + ROUNDS, "some rounds")
    values = smelter.values

    def newest() -> bool:
        shown = cells(tab)
        return len(shown) == POTS and all(
            effect == (values[f"{pot}/anode_effect"] == 1)
            and (effect or right(told, _off_mv(values, pot)))
            for pot, (effect, told) in shown.items()
        )

    until(newest, "the newest value in each cell", WITHIN_MS / 1000)
    assert set(cells(tab)) == set(smelter.pots)
    assert tab.errors == []


def _off_mv(values: object, pot: str) -> float:
    assert isinstance(values, dict)
    return 1000 * float(values[f"{pot}/voltage"] - values[f"{pot}/voltage_target"])


def test_no_key_and_no_click_is_lost(tab: Screen, smelter: Potroom) -> None:
    """While all cells change, each Tab goes one pot on, and a click opens the pot it hit."""
    with smelter.feeding():
        expect(tab.page.locator(".pot.level-none")).to_have_count(0, timeout=WITHIN_MS)
        pots = tab.page.locator(".pot")
        pots.first.focus()
        begun = smelter.rounds
        for _ in range(KEYS):
            tab.page.keyboard.press("Tab")
        until(lambda: smelter.rounds > begun, "a round meanwhile")
        assert pots.nth(KEYS).evaluate("one => one === document.activeElement")

        for place in (0, POTS // 2, POTS - 1):
            name = pots.nth(place).get_attribute("data-pot")
            pots.nth(place).click()
            expect(tab.page.locator(".details h2")).to_have_text(f"Pot {name}", timeout=WITHIN_MS)
            tab.page.keyboard.press("Escape")
            expect(tab.page.locator(".details")).to_have_count(0)
            tab.turn_to("potroom")
            expect(pots).to_have_count(POTS)
