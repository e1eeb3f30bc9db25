"""Derived tags: whatever the rule, the same readings in any company give the same."""

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.derivation.rules import RULES
from kpi.derive import check_rules, derived_tags, reach
from kpi.frames import READINGS
from schemas.errors import PlantError
from schemas.plant.file import parse_plant
from tests.kpi.derivation.plant import (
    DERIVED,
    FRAME,
    IDS,
    PLANT,
    around,
    computed,
    rolled_up,
)
from tests.kpi.frames import MINUTE, START, readings

MEASURES = [tag.measure for tag in PLANT.tags.values() if tag.derivation is not None]

#: Of each tag, values around the thresholds of the rules.
LEVELS = {
    "voltage": (4.1, 4.2, 4.3, 7.9, 8.1, 30.0),
    "current": (495.0, 500.0, 505.0, 0.0),
    "target": (4.15, 4.2),
    "tapped": (900.0, 1300.0),
    "assay": (99.7, 99.8),
    "stock": (8000.0, 8100.0, 7900.0),
}
EXAMPLES = settings(max_examples=12, deadline=None)


@st.composite
def histories(draw: st.DrawFn) -> pl.DataFrame:
    """Ten minutes of readings of all measured tags, from dense to sparse, with gaps and bad ones.

    Drawn as a whole from a seed: a history that a rule has something to say of has hundreds of
    readings, too many to be drawn one by one.
    """
    chance = random.Random(draw(st.integers(0, 10_000)))  # noqa: S311 - no secret
    frames = []
    for measure, levels in LEVELS.items():
        step, at, points, level = chance.choice((1.0, 2.5, 20.0, 40.0)), -200.0, [], levels[0]
        while at < 800.0:
            at += step * chance.choice((1.0, 1.0, 1.0, 0.5, 2.0))
            at += 90.0 if chance.random() < 0.005 else 0.0
            level = chance.choice(levels) if chance.random() < 0.2 else level
            quality = chance.choices((192, 64, 0), (40, 2, 1))[0]
            points.append((at, level, quality))
        frames.append(readings(points, IDS[measure]))
    return pl.concat(frames)


def assert_same(one: pl.DataFrame, other: pl.DataFrame, measure: str) -> None:
    """The same bits, but for what a bounded look cannot give.

    A slope is the quotient of two sums over its window, which a cut may round in the last digits.

    An activation is a change against the last value that was known, however long ago. The alarm is
    over a window of two tags: while one of them is silent, or a window not full, it is not known
    although the other is read, so that what it was before may lie farther back than its rule looks.
    The one activation with which such a stretch ends may then be missed.
    """
    if measure == "alarm":
        differ = (one["activations"] - other["activations"]).abs().sum()
        assert differ <= 1
        one, other = one.drop("activations"), other.drop("activations")
    assert_frame_equal(one, other, check_exact=measure != "slope", rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
@EXAMPLES
@given(histories(), st.integers(0, 1000))
def test_order_does_not_matter(measure: str, history: pl.DataFrame, seed: int) -> None:
    """Live, late or shuffled: the same readings, the same derived readings."""
    shuffled = history.sample(fraction=1.0, shuffle=True, seed=seed)

    assert_frame_equal(computed(history, measure), computed(shuffled, measure), check_exact=True)


@pytest.mark.parametrize("measure", MEASURES)
@EXAMPLES
@given(histories(), st.integers(0, 9), st.integers(1, 3))
def test_a_span_needs_no_more_than_the_rule_reaches(
    measure: str, history: pl.DataFrame, first: int, minutes: int
) -> None:
    """Summaries of a span from the readings around it are those of the whole history, bit for bit.

    It is what allows a late reading to be answered by computing a bounded span again.
    """
    start, end = START + first * MINUTE, START + (first + minutes) * MINUTE
    whole = rolled_up(history, measure, START - 5 * MINUTE, START + 20 * MINUTE)
    inside = whole.filter(pl.col("bucket") >= start, pl.col("bucket") < end)
    cut = rolled_up(around(history, measure, start, end), measure, start, end)

    assert_same(inside, cut, measure)


@pytest.mark.parametrize("measure", MEASURES)
@EXAMPLES
@given(histories(), st.data())
def test_a_change_reaches_no_farther_than_the_rule_says(
    measure: str, history: pl.DataFrame, data: st.DataObject
) -> None:
    """Without one reading, only summaries change within reach of the time for which it held."""
    operands = reach([IDS[measure]], DERIVED)
    row = operands.row(data.draw(st.integers(0, operands.height - 1)), named=True)
    of_tag = history.filter(pl.col("tag_id") == row["operand_id"]).sort("ts")
    gone = of_tag.row(data.draw(st.integers(0, of_tag.height - 2)), named=True)["ts"]
    following = of_tag.filter(pl.col("ts") > gone)["ts"][0]
    stale = FRAME.filter(pl.col("tag_id") == row["operand_id"])["stale_after_s"].item()
    low = gone - timedelta(seconds=row["ahead_s"])
    # What came before it holds on in its place, at most as long as it would itself.
    held = min(following, gone + timedelta(seconds=stale))
    high = held + timedelta(seconds=row["behind_s"])
    left = history.filter((pl.col("tag_id") != row["operand_id"]) | (pl.col("ts") != gone))
    outside = (pl.col("bucket") < low.replace(second=0, microsecond=0)) | (pl.col("bucket") >= high)
    spans = (START - 5 * MINUTE, START + 20 * MINUTE)

    assert_same(
        rolled_up(history, measure, *spans).filter(outside),
        rolled_up(left, measure, *spans).filter(outside),
        measure,
    )


@pytest.mark.parametrize("measure", MEASURES)
@EXAMPLES
@given(histories())
def test_one_reading_at_an_instant(measure: str, history: pl.DataFrame) -> None:
    """Sorted, unique, and a value exactly where the quality is not bad."""
    found = computed(history, measure)

    assert found.schema == pl.Schema(READINGS)
    assert found.equals(found.sort("tag_id", "ts"))
    assert not found.select(pl.struct("tag_id", "ts").is_duplicated().any()).item()
    assert found["value"].is_null().equals(found["quality"] == 0, check_names=False)


def test_a_chain_is_computed_from_its_measured_end() -> None:
    """The alarm looks at the swing of the normalised voltage: two minutes back, of both tags."""
    alarm = DERIVED[IDS["alarm"]]

    assert alarm.depth == 3
    assert {operand: far.behind_s for operand, far in alarm.reaches.items()} == {
        IDS["voltage"]: 120.0,
        IDS["current"]: 120.0,
    }
    assert DERIVED[IDS["over"]].reaches[IDS["voltage"]].ahead_s == 63.0
    assert DERIVED[IDS["over"]].reaches[IDS["target"]].ahead_s == 0.0


def test_what_the_rule_text_says_is_what_it_computes() -> None:
    """The formula that people read, evaluated with Python's own operators."""
    history = pl.concat(
        [
            readings([(0, 4.4)], IDS["voltage"]),
            readings([(0, 480.0)], IDS["current"]),
        ]
    )
    text = RULES["normal_voltage"].text
    names = {"voltage": 4.4, "line_current": 480.0, "external_voltage": 1.65}
    expected = eval(text, {"nominal_current": 500.0, **names})  # noqa: S307 - our own text

    assert computed(history, "normal")["value"][0] == pytest.approx(expected, rel=1e-15)


def test_tags_know_what_holds() -> None:
    """The frame of the plant covers every tag of it."""
    assert FRAME.height == len(IDS) == len(PLANT.tags)


_TAG = """
site = {{ name = "s", title = "S", time_zone = "UTC" }}
[[asset]]
path = "unit"
level = "unit"
type = "pot"
template = "pot"
[template.pot]
voltage = {{ title = "U", unit = "{unit}", kind = "gauge", stale_after_s = 60 }}
current = {{ title = "I", unit = "kA", kind = "gauge", stale_after_s = 60 }}
[template.pot.made]
title = "R"
unit = "{made}"
kind = "gauge"
stale_after_s = 60
derived = {{ rule = "{rule}", operands = {operands}, constants = {constants} }}
"""
_RIGHT = {
    "unit": "V",
    "made": "uohm",
    "rule": "pseudo_resistance",
    "operands": '["voltage", "current"]',
    "constants": "{ external_voltage = 1.65 }",
}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rule": "pseudo_resistence"}, "did you mean 'pseudo_resistance'?"),
        ({"operands": '["voltage"]'}, "takes voltage, line_current"),
        ({"constants": "{ external = 1.65 }"}, "takes external_voltage"),
        (
            {"unit": "mV"},
            "unit of unit/voltage: found 'mV'; the rule works in V; one mV is 0.001 V",
        ),
        (
            {"unit": "kg"},
            "found 'kg'; the rule works in V; kg is [mass], V is [mass] * [length] ** 2",
        ),
        ({"made": "ohm"}, "unit of unit/made: found 'ohm'; the rule works in uohm"),
    ],
)
def test_a_tag_that_does_not_fit_its_rule_is_refused(wrong: dict[str, str], said: str) -> None:
    """A rule computes with plain numbers: a millivolt for a volt would be silent otherwise."""
    ids = {"unit/voltage": 1, "unit/current": 2, "unit/made": 3}
    right = parse_plant(_TAG.format(**_RIGHT))

    assert list(derived_tags(right, ids)) == [3]
    with pytest.raises(PlantError) as caught:
        check_rules(parse_plant(_TAG.format(**_RIGHT | wrong)))
    assert said in str(caught.value)
