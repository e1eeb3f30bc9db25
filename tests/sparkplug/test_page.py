"""docs/sparkplug.md, and that no statement is without a test."""

from pathlib import Path

from tests.sparkplug.page import page, shown_in
from tests.sparkplug.register import STATEMENTS, Status

PAGE = Path(__file__).parents[2] / "docs" / "sparkplug.md"


def test_every_statement_has_a_test() -> None:
    """Also those that are not used or deviated from: their tests show what happens instead."""
    ours = {id_ for id_, each in STATEMENTS.items() if each.status is not Status.OF_BROKERS}

    assert set(shown_in()) == ours
    assert len(ours) == 288


def test_the_page_is_current() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text() == page()
