"""Clauses and limit cases whose answers follow from the text, each with its reason.

Delta, NumberOfTransitions, WorstQuality2, VarianceSample and both aggregates of the population rest
on these alone: no table of theirs was found, neither in the annex's files nor in a server's tests
(see `tests.kpi.part13.annex`). Of the population, the clause (5.4.3.40 of release 1.04) uses no
bounds and the description in the standard's nodeset includes simple ones: we follow the clause.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import kpi
from kpi.frames import READINGS
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.names import Aggregate
from schemas.errors import RequestError
from tests.kpi.part13.annex import END, HISTORIANS, NOON, Sample, readings

_STEPPED = AggregateConfiguration(stepped=True)
_SIXTEEN = timedelta(seconds=16)
_TEN = timedelta(seconds=10)

Answer = tuple[float | None, int]


def _ask(
    samples: list[Sample],
    aggregate: str,
    seconds: float = 10,
    config: AggregateConfiguration = _STEPPED,
    every: timedelta = _TEN,
) -> list[Answer]:
    end = NOON + timedelta(seconds=seconds)
    answers = kpi.aggregate(readings(samples), aggregate, NOON, end, every, config)
    return answers.select("value", "quality").rows()


def _of_historian(name: str, aggregate: str, every: timedelta = _SIXTEEN) -> list[Answer]:
    historian = HISTORIANS[name]
    answers = kpi.aggregate(
        readings(historian.samples), aggregate, NOON, END, every, historian.configuration
    )
    return answers.select("value", "quality").rows()


def test_delta_is_uncertain_if_a_doubtful_reading_stands_outside_it() -> None:
    """5.4.3.27: H1 at 12:00:32 has a bad reading alone, H2 there a good and then a bad one."""
    assert _of_historian("H1", "Delta")[:4] == [(0, 192), (10, 192), (None, 0), (10, 192)]
    assert _of_historian("H2", "Delta")[:4] == [(0, 192), (5, 192), (0, 64), (10, 192)]


def test_transitions_are_counted_against_the_last_usable_value() -> None:
    """5.4.3.24: the first value counts, the bad ones of H4 at :42 and 1:17 are passed over."""
    assert _of_historian("H4", "NumberOfTransitions") == [
        (1, 192),
        (2, 192),
        (0, 64),
        (1, 192),
        (0, 64),
        (3, 192),
        (None, 0),
    ]


def test_a_change_between_two_non_zero_values_is_no_transition() -> None:
    """Table 5 counts changes between zero and non-zero alone."""
    assert _ask([(0, 1, 192), (2, 3, 192), (4, 0, 192), (6, -1, 192)], "NumberOfTransitions") == [
        (3, 192)
    ]


def test_the_worst_quality_with_bounds_takes_the_start_bound_in() -> None:
    """5.4.3.36: H1 has no bound at 12:00:00 and 48, an uncertain one at 32 beside a bad reading."""
    values = [value for value, _ in _of_historian("H1", "WorstQuality2")]
    assert values == [0, 192, 0, 0, 64, 192, None]


def test_the_worst_quality_ignores_how_uncertain_is_treated() -> None:
    """5.4.3.36: H2 treats uncertain as bad, yet the reading at 1:17 stays uncertain here."""
    assert _of_historian("H2", "WorstQuality2")[4:6] == [(64, 192), (64, 192)]


def test_variances_are_the_squares_of_deviations() -> None:
    """5.4.3.38 and 40; of H2 at 12:00:20 the values are 20, 25 and 30."""
    every = timedelta(seconds=20)

    assert _of_historian("H2", "VarianceSample", every)[1] == (25, 192)
    variance, _ = _of_historian("H2", "VariancePopulation", every)[1]
    deviation, _ = _of_historian("H2", "StandardDeviationPopulation", every)[1]
    assert variance == pytest.approx(50 / 3)
    assert deviation == pytest.approx((50 / 3) ** 0.5)


def test_the_difference_of_bounds_is_as_doubtful_as_they_are() -> None:
    """5.4.3.30: the end bound of H1 at 12:00:32 is uncertain, for a bad reading follows it."""
    assert _of_historian("H1", "DeltaBounds")[:2] == [(None, 0), (14, 64)]


def test_a_held_value_weighs_as_long_as_it_stands() -> None:
    """5 up to 5 s, 10 up to 10 s, 20 to the end: 5 * 3 + 10 * 5 + 20 * 2 = 105 over 10 s.

    The example of a public OPC UA server; the reading at 12 s says that 20 was held till then.
    """
    samples: list[Sample] = [(0, 5, 192), (5, 10, 192), (10, 20, 192), (12, 20, 192)]
    start, end = NOON + timedelta(seconds=2), NOON + timedelta(seconds=12)

    def ask(aggregate: str) -> float:
        return float(
            kpi.aggregate(readings(samples), aggregate, start, end, _TEN, _STEPPED)["value"].item()
        )

    assert ask("Total2") == 105
    assert ask("TimeAverage2") == 10.5


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_no_readings_at_all_give_no_rows(aggregate: Aggregate) -> None:
    """Without readings no tag is known, so there is nobody to answer for."""
    assert _ask([], aggregate) == []


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_a_tag_without_any_value_is_answered_bad(aggregate: Aggregate) -> None:
    """An archive that holds nothing but its own beginning has no data."""
    assert _ask([(3, None, 0)], aggregate) == [(None, 0)]


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_intervals_that_the_data_does_not_reach_are_bad(aggregate: Aggregate) -> None:
    """Before the first reading nothing is known; behind the last only Interpolative holds on."""
    before = _ask([(20, 1, 192)], aggregate)
    after = _ask([(-20, 1, 192), (-10, 1, 192)], aggregate)

    assert before == [(None, 0)]
    assert after == ([(1, 64)] if aggregate is Aggregate.INTERPOLATIVE else [(None, 0)])


@pytest.mark.parametrize(
    ("aggregate", "answer"),
    [
        ("TimeAverage2", (None, 0)),
        ("Total", (None, 0)),
        ("Average", (None, 0)),
        ("Maximum", (None, 0)),
        ("Count", (None, 0)),
        ("Start", (None, 0)),
        ("DurationGood", (0, 192)),
        ("PercentBad", (100, 192)),
        ("WorstQuality", (0, 192)),
        ("DurationInStateZero", (None, 0)),
    ],
)
def test_bad_readings_alone_give_no_value(aggregate: str, answer: Answer) -> None:
    """Bad data has no value to use; how long it was bad is known all the same."""
    assert _ask([(-1, 7, 0), (4, 7, 24), (11, 7, 0)], aggregate) == [answer]


def test_one_reading_is_known_for_a_millisecond() -> None:
    """3.1.3: whether it still holds later is not known, so known data ends 1 ms after it."""
    assert _ask([(4, 7, 192)], "DurationGood") == [(1, 192)]
    assert _ask([(4, 7, 192)], "DurationBad") == [(4000, 192)]
    assert _ask([(4, 7, 192)], "TimeAverage2") == [(7, 64)]
    assert _ask([(4, 7, 192)], "Total2") == [(0.007, 64)]


def test_a_reading_on_an_edge_belongs_to_the_interval_that_starts_there() -> None:
    """Intervals include their start and exclude their end; the bound is the reading itself."""
    samples: list[Sample] = [(0, 1, 192), (10, 5, 192), (20, 9, 192)]
    sloped = AggregateConfiguration()

    assert _ask(samples, "Count", 20) == [(1, 192), (1, 192)]
    assert _ask(samples, "EndBound", 20) == [(5, 192), (9, 192)]
    assert _ask(samples, "StartBound", 20) == [(1, 192), (5, 192)]
    assert _ask(samples, "Maximum2", 20, sloped) == [(5, 192), (9, 192)]
    assert _ask(samples, "Maximum2", 20) == [(1, 192), (5, 192)]


def test_an_empty_interval_amid_data_counts_none() -> None:
    """5.4.3.21: zero readings is a good count there; there is just no value to average."""
    samples: list[Sample] = [(-1, 1, 192), (11, 2, 192)]

    assert _ask(samples, "Count") == [(0, 192)]
    assert _ask(samples, "NumberOfTransitions") == [(0, 192)]
    assert _ask(samples, "Average") == [(None, 0)]
    assert _ask(samples, "TimeAverage2") == [(1, 192)]
    assert _ask(samples, "Minimum2") == [(1, 192)]


def test_the_last_interval_is_what_remains() -> None:
    """5.4.2.2: 25 s in tens are 10, 10 and 5 s, and 0 asks for one interval over all of them."""
    samples: list[Sample] = [(0, 2, 192), (30, 2, 192)]

    assert _ask(samples, "Total2", 25) == [(20, 192), (20, 192), (10, 192)]
    assert _ask(samples, "Total2", 25, every=timedelta(0)) == [(50, 192)]
    assert _ask(samples, "Total2", 25, every=timedelta(days=1)) == [(50, 192)]


def test_enough_bad_data_makes_the_answer_bad() -> None:
    """5.4.3.2.1: three of ten seconds are bad."""
    samples: list[Sample] = [(0, 2, 192), (7, 3, 0), (10, 2, 192)]

    def ask(bad: int, good: int) -> list[Answer]:
        shares = AggregateConfiguration(percent_data_bad=bad, percent_data_good=good, stepped=True)
        return _ask(samples, "TimeAverage2", config=shares)

    assert ask(bad=100, good=100) == [(2, 64)]
    assert ask(bad=30, good=100) == [(None, 0)]
    assert ask(bad=31, good=100) == [(2, 64)]
    assert ask(bad=100, good=70) == [(2, 192)]


def test_the_main_bits_of_a_quality_code_are_looked_at() -> None:
    """216 is local override, 68 last usable value, 24 communication failure, 500 stale."""
    samples: list[Sample] = [
        (0, 1, 216),
        (1, 1, 68),
        (2, 1, 24),
        (3, 1, 500),
        (4, float("nan"), 192),
    ]

    values = [
        _ask([(-1, 1, 192), sample, (11, 1, 192)], "WorstQuality")[0][0] for sample in samples
    ]

    assert values == [192, 64, 0, 0, 0]


def test_the_later_row_wins_where_two_have_one_instant() -> None:
    """As in the store: a different value for the same key replaces the earlier arrival."""
    assert _ask([(5, 1, 192), (0, 3, 192), (5, 9, 192)], "Maximum") == [(9, 192)]


def test_sloped_extrapolation_follows_the_last_slope() -> None:
    """3.1.8: from 0 and 10 at 0 and 5 s on, 20 at 10 s; a stepped signal holds in any case."""
    samples: list[Sample] = [(0, 0, 192), (5, 10, 192)]
    sloped = AggregateConfiguration(use_sloped_extrapolation=True)
    both = AggregateConfiguration(use_sloped_extrapolation=True, stepped=True)

    assert _ask(samples, "Interpolative", 20, sloped)[1] == (20, 64)
    assert _ask(samples, "Interpolative", 20, both)[1] == (10, 64)
    assert _ask([(0, 3, 192)], "Interpolative", 20, sloped)[1] == (3, 64)


def test_the_frame_has_the_agreed_columns() -> None:
    """Four columns of fixed types; a fifth where the standard stamps the time of the value."""
    frame = readings([(0, 1, 192)])
    agreed = {"tag_id": pl.Int32, "start": READINGS["ts"], "value": pl.Float64, "quality": pl.Int16}

    for name in Aggregate:
        schema = kpi.aggregate(frame, name, NOON, END, _TEN).schema
        timed = {"actual_time": READINGS["ts"]} if "ActualTime" in name else {}
        timed = {"actual_time": READINGS["ts"]} if name in {"Start", "End"} else timed
        assert dict(schema) == agreed | timed, name


@pytest.mark.parametrize(
    ("aggregate", "start", "end", "every", "message"),
    [
        ("TimeAverage3", NOON, END, _TEN, "TimeAverage"),
        ("AnnotationCount", NOON, END, _TEN, "aggregate"),
        ("Count", END, NOON, _TEN, "after the start"),
        ("Count", NOON, NOON, _TEN, "after the start"),
        ("Count", NOON, END, -_TEN, "negative"),
        ("Count", datetime(2026, 1, 1), END, _TEN, "time zone"),  # noqa: DTZ001  the case itself
    ],
)
def test_what_cannot_be_asked_is_refused(
    aggregate: str, start: datetime, end: datetime, every: timedelta, message: str
) -> None:
    """The message names the parameter and what would be right."""
    with pytest.raises(RequestError, match=message):
        kpi.aggregate(readings([(0, 1, 192)]), aggregate, start, end, every)


def test_a_frame_without_a_column_is_refused() -> None:
    """Readings without their quality cannot be judged."""
    with pytest.raises(RequestError, match="lacks quality"):
        kpi.aggregate(readings([(0, 1, 192)]).drop("quality"), "Count", NOON, END, _TEN)


@pytest.mark.parametrize(("bad", "good"), [(101, 100), (100, -1), (30, 60), (80, 0)])
def test_shares_that_contradict_each_other_are_refused(bad: int, good: int) -> None:
    """4.2.1.2: the good share must be at least 100 - the bad share."""
    with pytest.raises(RequestError, match="percent_data"):
        AggregateConfiguration(percent_data_bad=bad, percent_data_good=good)


def test_the_zone_of_the_asked_instants_does_not_matter() -> None:
    """An instant is an instant; answers are in UTC."""
    almaty = NOON.astimezone(ZoneInfo("Asia/Almaty"))
    assert kpi.aggregate(readings([(0, 1, 192)]), "Count", almaty, END, _TEN).equals(
        kpi.aggregate(readings([(0, 1, 192)]), "Count", NOON, END, _TEN)
    )
