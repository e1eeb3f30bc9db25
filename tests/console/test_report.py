"""The report page: what is over is signed there by who may, and stays signed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from api.access.person import Role
from api.app import create_app
from tests.api.conftest import SETTINGS, frozen, serving
from tests.api.demo import demo_rows, forget_marks, insert, store_pavlodar
from tests.console.screen import WITHIN_MS, Screen, screen

pytestmark = [pytest.mark.e2e, pytest.mark.console]

PERIOD = "report?period=previousShift&asset=smelter"


def pages(browser: Browser, database: str, role: Role) -> Iterator[Screen]:
    """A tab on the API of the demo plant, where nobody needs a key to be in *role*."""
    insert(database, store_pavlodar(database), demo_rows())
    forget_marks(database)
    settings = SETTINGS.model_copy(update={"keyless_role": role, "alarms": False})
    with (
        serving(create_app(settings, database, frozen)) as client,
        screen(browser, str(client.base_url).rstrip("/"), locale="en-GB") as tab,
    ):
        yield tab


@pytest.fixture
def engineer(browser: Browser, database: str) -> Iterator[Screen]:
    """Who may sign."""
    yield from pages(browser, database, Role.ENGINEER)


@pytest.fixture
def viewer(browser: Browser, database: str) -> Iterator[Screen]:
    """Who may not."""
    yield from pages(browser, database, Role.VIEWER)


def test_an_engineer_signs_what_is_over(engineer: Screen) -> None:
    """With a reason, after which the page says who signed and why, and asks no more."""
    engineer.show(PERIOD)
    page = engineer.page
    expect(page.get_by_text("preliminary")).to_be_visible(timeout=WITHIN_MS)

    page.get_by_label("Why it is signed").fill("checked with the crew")
    page.get_by_role("button", name="Sign 2026-11-").click()

    expect(page.get_by_text("checked with the crew")).to_be_visible(timeout=WITHIN_MS)
    expect(page.get_by_text("Nothing arrived after the signature")).to_be_visible()
    expect(page.get_by_label("Why it is signed")).to_have_count(0)
    assert engineer.errors == []
    assert engineer.accessibility() == []


def test_a_viewer_is_told_who_signs(viewer: Screen) -> None:
    """The page to keep and the table are theirs, the signature is not."""
    viewer.show(PERIOD)
    page = viewer.page

    expect(page.get_by_text("signing needs the role engineer")).to_be_visible(timeout=WITHIN_MS)
    expect(page.get_by_label("Why it is signed")).to_have_count(0)
    for link, kind in (("Page to keep", "text/html"), ("Table (CSV)", "text/csv")):
        address = page.get_by_role("link", name=link).get_attribute("href")
        answer = page.request.get(f"{viewer.root}{address}")
        assert answer.headers["content-type"].startswith(kind)


def test_what_runs_cannot_be_signed(engineer: Screen) -> None:
    """Nobody is asked to sign a shift that is not over."""
    engineer.show("report?period=shift&asset=smelter")

    expect(engineer.page.get_by_text("preliminary")).to_be_visible(timeout=WITHIN_MS)
    expect(engineer.page.get_by_label("Why it is signed")).to_have_count(0)
