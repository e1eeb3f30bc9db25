"""A plant that is stored anew: summaries of tags that are made another way are made again."""

from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.db.tiers import ensure_span
from schemas.plant.file import parse_plant
from tests.ingest.rollup.unit import (
    END,
    HOUR,
    PLANT,
    START,
    TAGS,
    Row,
    arrive,
    assert_complete,
    finish,
)

LIVE: list[Row] = [
    (measure, seconds, float((seconds // 60 * 37 + place * 11) % 90) / 10, 192)
    for seconds in [30.0 * n for n in range(40)] + [3900.0, 3950.0]
    for place, measure in enumerate(TAGS)
]
NEW = """
[template.unit.low]
title = "n"
unit = "1"
kind = "gauge"
stale_after_s = 130
derived = { rule = "above", operands = ["right"], constants = { limit = 3.0 } }
"""


def changed(old: str, new: str) -> str:
    """The plant with one piece of text replaced."""
    assert PLANT.count(old) == 1
    return PLANT.replace(old, new)


def stored(dsn: str, text: str) -> Catalogue:
    """Store a plant model and load it again."""
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(text))
        found = load_catalogue(connection)
    engine.dispose()
    return found


def marked(dsn: str) -> set[int]:
    """The tags that have dirty marks."""
    with connect(dsn) as connection:
        rows = connection.execute("SELECT DISTINCT unnest(tag_ids) FROM dirty").fetchall()
    return {tag_id for (tag_id,) in rows}


def settle(dsn: str) -> None:
    """Let the worker do all there is to do."""
    with closing(RollupWorker(dsn)) as worker:
        finish(worker, END)


@pytest.fixture
def summarised(database: str) -> Catalogue:
    """The plant of the rollup tests with an hour of readings, summarised."""
    catalogue = stored(database, PLANT)
    with connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", START - HOUR, END + timedelta(hours=1))
    arrive(database, catalogue, LIVE)
    settle(database)
    return catalogue


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(changed("modulus = 1000", ""), id="modulus"),
        pytest.param(changed("max_rate = 20000", "max_rate = 50"), id="bound of a counter"),
        pytest.param(changed("max_rate = 20000", ""), id="no bound"),
        pytest.param(
            changed('kind = "state", stale_after_s = 45', 'kind = "gauge", stale_after_s = 45'),
            id="kind",
        ),
        pytest.param(changed('interpolation = "linear", ', ""), id="interpolation"),
        pytest.param(changed("stale_after_s = 70", "stale_after_s = 20"), id="holds shorter"),
        pytest.param(changed("stale_after_s = 45", "stale_after_s = 500"), id="holds longer"),
        pytest.param(changed("threshold = 0.5", "threshold = 6.5"), id="constant of a rule"),
        pytest.param(PLANT + NEW, id="a new computed tag"),
    ],
)
@pytest.mark.usefixtures("summarised")
def test_summaries_are_those_of_the_new_plant(database: str, text: str) -> None:
    """To the bit what they would be had the plant always been so, derived tags included."""
    catalogue = stored(database, text)
    assert marked(database)

    settle(database)

    assert_complete(database, catalogue, LIVE, END)


def test_what_does_not_matter_marks_nothing(database: str, summarised: Catalogue) -> None:
    """Titles, a measured tag that is new: no summary is wrong by them."""
    holding = marked(database)
    stored(database, changed('title = "s"', 'title = "Step"') + NEW.replace("derived", "#"))

    assert marked(database) == holding
    assert set(summarised.tag_ids) < set(stored(database, PLANT + NEW).tag_ids)


def test_only_what_is_computed_from_it_is_marked_too(database: str, summarised: Catalogue) -> None:
    """The current of the product and of the weighing, and what weighs by it; nothing else."""
    holding = marked(database)
    stored(database, changed("stale_after_s = 70", "stale_after_s = 20"))

    paths = ("right", "product", "weighed", "gained")
    made_anew = {summarised.tag_ids[f"unit/{measure}"] for measure in paths}
    assert marked(database) - holding == made_anew


def test_an_empty_database_has_nothing_to_mark(database: str) -> None:
    """The first plant of a new database."""
    stored(database, PLANT)
    engine = make_engine(database)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM dirty")) == 0
    engine.dispose()
