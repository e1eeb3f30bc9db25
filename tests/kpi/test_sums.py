"""Inputs summed over tags beforehand: the same answers, and never another input's sums."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.binding import input_id
from kpi.evaluate import evaluate, evaluate_sums, lineage, lineage_of_sums
from kpi.frames import SUMMARY
from kpi.sums import add_up
from tests.kpi.frames import START
from tests.kpi.park import bound, summaries

HOUR = timedelta(hours=1)
HOURS = 6
FARM = bound("capacity_factor", "power")
TAGS = ("power/metered/energy_net", "power/bare/wtg-1/power", "power/bare/wtg-2/power")


def row(place: int, tag: str, amount: float, covered: float) -> pl.DataFrame:
    """The summary of one tag over one hour."""
    column = "total" if tag.endswith("energy_net") else "integral"
    return summaries({tag: {column: amount}}, HOUR, START + place * HOUR, covered)


ROWS = st.lists(
    st.tuples(
        st.integers(0, HOURS - 1),
        st.sampled_from(TAGS),
        st.floats(-1e9, 1e9),
        st.floats(0.0, 1.0),
    ),
    unique_by=lambda given: given[:2],
    max_size=HOURS * len(TAGS),
)


@given(ROWS, st.integers(1, HOURS))
def test_sums_taken_beforehand_give_the_same_bits(
    given_rows: list[tuple[int, str, float, float]],
    width: int,
) -> None:
    """Whatever the order of the rows, and the spans being of any number of hours."""
    rows = [row(*one) for one in given_rows]
    edges = [*(START + place * HOUR for place in range(0, HOURS, width)), START + HOURS * HOUR]
    found = pl.concat([pl.DataFrame(schema=dict(SUMMARY)), *rows])
    shuffled = found.sample(fraction=1, shuffle=True, seed=len(rows))
    sums = pl.concat(
        add_up(FARM.frame, shuffled.filter(pl.col("bucket") == START + place * HOUR))
        for place in reversed(range(HOURS))
    )
    assert_frame_equal(
        evaluate_sums(FARM, sums, edges), evaluate(FARM, found, edges), check_exact=True
    )
    assert_frame_equal(
        lineage_of_sums(FARM, sums, edges), lineage(FARM, found, edges), check_exact=True
    )


def test_kpis_share_the_sum_of_what_they_share() -> None:
    """Metal tapped of a line is one sum, whatever is made of it."""
    energy = bound("dc_specific_energy", "smelter/line-1")
    efficiency = bound("current_efficiency", "smelter/line-1")
    assert energy.input_ids["metal"] == efficiency.input_ids["metal"]
    assert energy.input_ids["metal"] != energy.input_ids["energy"]
    assert (
        efficiency.input_ids["metal"] != bound("current_efficiency", "smelter").input_ids["metal"]
    )


def test_another_weight_or_tag_is_another_input() -> None:
    """What was summed under an older plant is never taken for the input of the new one."""
    terms = FARM.of_input["energy"]
    heavier = (replace(terms[0], weight=terms[0].weight * (1 + 1e-15)), *terms[1:])
    ids = {input_id(terms), input_id(terms[1:]), input_id(heavier)}
    assert len(ids) == 3
    assert input_id(reversed(terms)) == input_id(terms)
    assert input_id(replace(term, input="another name") for term in terms) == input_id(terms)
