"""The times of historian exports, summer time included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.stamp import StampReader, TimeTable
from schemas.errors import ConfigError, ReadingError
from schemas.instant import from_ms


def reader(form: str = "iso", zone: str | None = None) -> StampReader:
    """A reader of one column."""
    return StampReader(TimeTable(column="t", format=form, zone=zone), "replay.toml: time")


def utc(stamps: StampReader, *texts: object, key: str = "") -> list[str]:
    """The instants as hours and minutes UTC."""
    return [f"{from_ms(stamps.ms(text, key)):%H:%M}" for text in texts]


@pytest.mark.parametrize(
    ("form", "zone", "stamp"),
    [
        ("iso", None, "2014-06-01T12:00:00+02:00"),
        ("iso", None, "2014-06-01 10:00:00Z"),
        ("iso", "Europe/Paris", "2014-06-01 12:00"),
        ("%d.%m.%Y %H:%M", "Europe/Paris", "01.06.2014 12:00"),
        ("epoch_s", None, "1401616800"),
        ("epoch_ms", None, 1401616800000),
        ("iso", None, datetime(2014, 6, 1, 10, tzinfo=UTC)),
        ("iso", "Europe/Paris", datetime(2014, 6, 1, 12)),  # noqa: DTZ001 - as Parquet has it
    ],
)
def test_one_instant_in_many_forms(form: str, zone: str | None, stamp: object) -> None:
    """ISO with and without offset, a format of one's own, counts since 1970, typed columns."""
    assert reader(form, zone).ms(stamp, "") == 1_401_616_800_000


def test_the_repeated_hour_is_told_apart_by_order() -> None:
    """The end of summer time: 02:00 to 02:50 twice are twelve instants, not six."""
    paris = reader(zone="Europe/Paris")
    passes = [f"2014-10-26 02:{minute}0" for minute in range(6)]

    found = utc(paris, "2014-10-26 01:50", *passes, *passes, "2014-10-26 03:00")

    assert found == [
        "23:50",
        *(f"00:{minute}0" for minute in range(6)),
        *(f"01:{minute}0" for minute in range(6)),
        "02:00",
    ]


def test_each_key_runs_through_the_repeated_hour_by_itself() -> None:
    """Rows of two turbines in turn do not mistake each other's time for a step back."""
    paris = reader(zone="Europe/Paris")

    assert utc(paris, "2014-10-26 02:50", key="a") == ["00:50"]
    assert utc(paris, "2014-10-26 02:00", key="b") == ["00:00"]
    assert utc(paris, "2014-10-26 02:00", key="a") == ["01:00"]


def test_a_time_that_does_not_exist_is_refused() -> None:
    """The start of summer time leaps over 02:30."""
    with pytest.raises(ReadingError, match="leapt over"):
        reader(zone="Europe/Paris").ms("2014-03-30 02:30", "")


def test_a_local_time_without_a_zone_is_the_operators_to_mend() -> None:
    """No guess: the message names the key."""
    with pytest.raises(ConfigError, match=r"replay.toml: time.zone: .* name its time zone"):
        reader().ms("2014-06-01 12:00", "")


@pytest.mark.parametrize("stamp", ["", "yesterday", "2014-13-01", None])
def test_what_is_no_time_is_refused(stamp: object) -> None:
    """With the text and the format that it is not in."""
    with pytest.raises(ReadingError, match="is not iso"):
        reader().ms(stamp, "")


def test_an_unknown_zone_is_refused() -> None:
    """When the file is read, not at the first row."""
    with pytest.raises(ValidationError, match="use an IANA name"):
        TimeTable(column="t", zone="Paris")


@given(
    st.integers(0, 730).map(lambda day: datetime(2014, 1, 1, tzinfo=UTC) + timedelta(days=day)),
    st.sampled_from(["Europe/Paris", "Asia/Almaty", "America/New_York"]),
    st.sampled_from([5, 10, 15, 60]),
)
def test_local_times_come_back_as_their_instants(day: datetime, zone: str, minutes: int) -> None:
    """Every instant of two days from local midnight on, written as local time, is read as such."""
    start = day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    instants = [start + timedelta(minutes=minutes * place) for place in range(2880 // minutes)]
    stamps = reader(zone=zone)

    read = [stamps.ms(f"{i.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", "") for i in instants]

    assert [from_ms(ms) for ms in read] == instants
