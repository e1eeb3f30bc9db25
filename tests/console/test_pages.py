"""Every page of the console: in each language, light and dark, from a phone to a wall."""

import pytest
from playwright.sync_api import Browser, Locator

from tests.console.pages import LANGUAGES, PLACES, SIZES, THEMES, page_of
from tests.console.screen import Screen, screen

pytestmark = [pytest.mark.e2e, pytest.mark.console]

#: What a page may weigh at its first load, compressed (issue 7).
FIRST_LOAD_BYTES = 250_000
#: A screen of 85 inches is 1.88 m wide; a capital is 0.7 of its letters' size; what is read for
#: long wants 16 minutes of arc (ISO 9241-303), which are 18.6 mm at 4 m.
WALL_M, CAPITAL, FAR_M = 1.88, 0.7, 0.0186


def language_choice(tab: Screen) -> Locator:
    """Where the language is chosen."""
    return tab.page.locator("header select:has(option[value=kk])")


def test_the_table_has_every_page_of_the_navigation(browser: Browser, root: str) -> None:
    """A page that is new is tested too."""
    with screen(browser, root) as tab:
        tab.show("overview")
        links = tab.page.locator("header nav a").evaluate_all("all => all.map((a) => a.hash)")

    assert {link.removeprefix("#/") for link in links} == {page_of(place) for place in PLACES}


@pytest.mark.parametrize("place", PLACES)
def test_a_page(browser: Browser, root: str, place: str) -> None:
    """In every language and size, light and dark: whole, accessible, and nobody else is asked."""
    # An animation that is shown half-way would be measured half-way.
    with screen(browser, root, locale="en-GB", reduced_motion="reduce") as tab:
        tab.show(place)
        for language, (_, word) in LANGUAGES.items():
            language_choice(tab).select_option(language)
            assert tab.page.get_attribute("html", "lang") == language
            assert tab.page.inner_text("header nav a >> nth=0") == word
            assert tab.holes == []
            for name, (width, height) in SIZES.items():
                tab.page.set_viewport_size({"width": width, "height": height})
                assert tab.overflow <= 0, (language, name)
                assert tab.clipped == [], (language, name)

        # Names, roles, contrast AA and the rest of what a machine can tell.
        for theme in THEMES:
            tab.page.emulate_media(color_scheme=theme)
            assert tab.accessibility() == [], theme

        assert tab.violations == []
        assert tab.errors == []
        assert tab.outside == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_tells_the_language(browser: Browser, root: str, language: str) -> None:
    """At the first visit; what is chosen is kept for the next ones."""
    locale, word = LANGUAGES[language]
    other = next(one for one in LANGUAGES if one != language)
    with screen(browser, root, locale=locale) as tab:
        tab.show("overview")
        assert tab.page.inner_text("h1") == word

        language_choice(tab).select_option(other)
        tab.page.reload()
        tab.settle()
        assert tab.page.inner_text("h1") == LANGUAGES[other][1]


@pytest.mark.parametrize("width", [1920, SIZES["wall"][0]])
def test_values_on_a_wall_are_read_from_afar(browser: Browser, root: str, width: int) -> None:
    """Letters grow with the window, however many pixels it has."""
    with screen(browser, root, viewport={"width": width, "height": width * 9 // 16}) as tab:
        tab.show("overview")
        font_px = tab.page.locator(".tile-value").first.evaluate(
            "shown => parseFloat(getComputedStyle(shown).fontSize)"
        )

    assert font_px * CAPITAL * WALL_M / width >= FAR_M


def test_the_first_load_is_small(browser: Browser, root: str) -> None:
    """All that comes over the wire until the first page is there: files and answers."""
    received: list[float] = []
    with screen(browser, root) as tab:
        wire = tab.page.context.new_cdp_session(tab.page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda done: received.append(done["encodedDataLength"]))
        tab.show("overview")

    assert len(received) > 3
    assert sum(received) <= FIRST_LOAD_BYTES


def test_clocks_are_those_of_the_plant(browser: Browser, root: str) -> None:
    """Wherever the browser stands."""
    shown = []
    for zone in ("Asia/Almaty", "America/New_York"):
        with screen(browser, root, timezone_id=zone, locale="en-GB") as tab:
            tab.show("overview")
            assert tab.page.get_attribute(".clock", "title") == "Asia/Almaty"
            shown.append(_minutes(tab))

    assert (shown[1] - shown[0]) % (24 * 60) <= 2


def _minutes(tab: Screen) -> int:
    hours, minutes, _ = tab.page.inner_text(".clock").split(":")
    return int(hours) * 60 + int(minutes)


def test_keys_are_enough(browser: Browser, root: str) -> None:
    """The skip link comes first and leads to the content; a pot opens and closes by keys."""
    with screen(browser, root) as tab:
        tab.show("potroom")
        title = tab.page.inner_text("h1")
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.className") == "skip"
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "content"
        assert tab.page.inner_text("h1") == title

        tab.page.locator(".pot").first.focus()
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector(".details h2:focus")
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_selector(".details", state="detached")
        assert tab.page.evaluate("document.activeElement.dataset.pot") == "001"
