"""IEC 60870-5-104 sources against the server of c104."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("c104", reason="c104 has wheels for Python 3.11 to 3.13 (2.2.1)")

import c104

from edge.source import Source
from edge.sources.iec104 import source as source_module
from edge.sources.iec104.table import Iec104Device
from schemas.errors import ConfigError, DeviceDown
from schemas.instant import from_ms, to_ms
from schemas.quality import Quality
from schemas.reading import Reading
from tests.edge.sources.files import load_source
from tests.edge.sources.talk import gather, talk
from tests.fixtures.ports import free_port

STATION: Final = 47
CURRENT = "line/current"
FIRST = "line/pot-1/effect"
FAULT = to_ms(datetime(2026, 1, 2, 3, 4, 5, 123_000, tzinfo=UTC))
COUNTER = c104.BinaryCounterInfo(1000, c104.UInt5(1), c104.BinaryCounterQuality())
TAGS = """
[[source.tag]]
path = "line/current"
ioa = 100
scale = 0.1

[[source.tag]]
path = "line/pot-{1..3}/effect"
ioa = 200
stride = 10
"""


class Substation:
    """A station with a measured value at 100, a double point at 200, single points 210 and 220."""

    def __init__(self) -> None:
        self.port = free_port()
        self.listen()

    def listen(self) -> None:
        """Start (again, at the same port)."""
        self.server = c104.Server("127.0.0.1", self.port, tick_rate_ms=50)
        station = self.server.add_station(STATION)
        assert station is not None
        self.station = station
        self.points: dict[int, c104.Point] = {}
        for ioa, kind in (
            (100, c104.Type.M_ME_NC_1),
            (200, c104.Type.M_DP_NA_1),
            (210, c104.Type.M_SP_NA_1),
            (220, c104.Type.M_SP_NA_1),
        ):
            self.add(ioa, kind)
        self.points[200].info = c104.DoubleInfo(c104.Double.ON)
        self.server.start()

    def add(self, ioa: int, kind: c104.Type) -> None:
        """A point, instead of the one that stood there."""
        self.station.remove_point(ioa)
        point = self.station.add_point(ioa, kind)
        assert point is not None
        self.points[ioa] = point

    def report(self, ioa: int, info: c104.Information) -> None:
        """A change, by itself."""
        self.points[ioa].info = info
        assert self.points[ioa].transmit(c104.Cot.SPONTANEOUS)


@pytest.fixture
def substation() -> Iterator[Substation]:
    """A station on a free port."""
    made = Substation()
    yield made
    made.server.stop()


def local(ts_ms: int) -> datetime:
    """An instant as c104 takes it: naive, in the machine's time zone."""
    return from_ms(ts_ms).astimezone().replace(tzinfo=None)


def device(folder: Path, port: int, more: str = "", tags: str = TAGS) -> Iec104Device:
    """The device of a file."""
    made = load_source(
        folder,
        f"""
type = "iec104"
device = "rtu"
host = "127.0.0.1"
port = {port}
common_address = {STATION}
timeout_s = 2
{more}
{tags}
""",
    )
    assert isinstance(made, Iec104Device)
    return made


def all_four(readings: list[Reading]) -> bool:
    """Whether every point has a reading."""
    return len({reading.tag for reading in readings}) == 4


def report(made: Iec104Device, substation: Substation, ioa: int, info: c104.Information) -> Reading:
    """What comes when the station reports *info* after the interrogation."""

    async def work(source: Source) -> Reading:
        await gather(source, all_four)
        await asyncio.to_thread(substation.report, ioa, info)
        return (await gather(source, bool))[0]

    return talk(made, work)


def test_the_interrogation_gives_the_state_of_every_point(
    tmp_path: Path, substation: Substation
) -> None:
    """Measured values, double and single points; without a time of theirs they are of now."""
    substation.points[100].info = c104.ShortInfo(5000.0)
    before = to_ms(datetime.now(UTC))

    readings = talk(device(tmp_path, substation.port), lambda source: gather(source, all_four))

    assert {r.tag: (r.value, r.quality) for r in readings} == {
        CURRENT: (500.0, Quality.GOOD),
        FIRST: (1.0, Quality.GOOD),
        "line/pot-2/effect": (0.0, Quality.GOOD),
        "line/pot-3/effect": (0.0, Quality.GOOD),
    }
    assert all(before <= r.ts_ms <= to_ms(datetime.now(UTC)) for r in readings)


def test_a_reported_change_has_the_time_of_the_station(
    tmp_path: Path, substation: Substation
) -> None:
    """CP56Time2a to the millisecond; the type with a time is another one than interrogated."""
    made = device(tmp_path, substation.port)

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_four)
        substation.add(100, c104.Type.M_ME_TF_1)
        substation.report(100, c104.ShortInfo(4000.0, recorded_at=local(FAULT)))
        return await gather(source, bool)

    assert talk(made, work) == [Reading(CURRENT, FAULT, 400.0)]


def test_a_station_may_speak_its_local_time(tmp_path: Path, substation: Substation) -> None:
    """In January Almaty is 5 h ahead of UTC: its 03:04:05 is 22:04:05 of the day before."""
    substation.add(100, c104.Type.M_ME_TF_1)
    made = device(tmp_path, substation.port, 'time_zone = "Asia/Almaty"')

    reading = report(made, substation, 100, c104.ShortInfo(1.0, recorded_at=local(FAULT)))

    assert reading.ts_ms == FAULT - 5 * 3_600_000


@pytest.mark.parametrize(
    ("flag", "quality"),
    [
        (c104.Quality.Invalid, Quality.BAD),
        (c104.Quality.NonTopical, Quality.UNCERTAIN),
        (c104.Quality.Substituted, Quality.UNCERTAIN),
        (c104.Quality.Blocked, Quality.UNCERTAIN),
        (c104.Quality.Overflow, Quality.UNCERTAIN),
        (c104.Quality(), Quality.GOOD),
    ],
    ids=["IV", "NT", "SB", "BL", "OV", "none"],
)
def test_quality_flags_are_kept(
    tmp_path: Path, substation: Substation, flag: c104.Quality, quality: Quality
) -> None:
    """With the value that the station gave."""
    made = device(tmp_path, substation.port)

    reading = report(made, substation, 100, c104.ShortInfo(10.0, flag))

    assert (reading.tag, reading.value, reading.quality) == (CURRENT, 1.0, quality)


@pytest.mark.parametrize("state", [c104.Double.INTERMEDIATE, c104.Double.INDETERMINATE])
def test_a_breaker_on_its_way_is_neither_off_nor_on(
    tmp_path: Path, substation: Substation, state: c104.Double
) -> None:
    """A double point without a sign, or with both: no value, bad."""
    made = device(tmp_path, substation.port)

    reading = report(made, substation, 200, c104.DoubleInfo(state))

    assert (reading.tag, reading.value, reading.quality) == (FIRST, None, Quality.BAD)


@pytest.mark.parametrize(
    ("kind", "info", "value"),
    [
        (c104.Type.M_ME_NB_1, c104.ScaledInfo(c104.Int16(-300)), -30.0),
        (c104.Type.M_ME_NA_1, c104.NormalizedInfo(c104.NormalizedFloat(0.5)), 0.05),
        (c104.Type.M_ST_NA_1, c104.StepInfo(c104.Int7(-3), transient=False), -0.3),
        (c104.Type.M_IT_NA_1, COUNTER, 100.0),
    ],
    ids=["scaled", "normalized", "step", "counter"],
)
def test_every_kind_of_number_is_one(
    tmp_path: Path, substation: Substation, kind: c104.Type, info: c104.Information, value: float
) -> None:
    """Scaled, normalized, step position and integrated totals; times the tag's 0.1."""
    substation.add(100, kind)
    made = device(tmp_path, substation.port)

    async def work(source: Source) -> Reading:
        await gather(source, lambda readings: len(readings) >= 3)
        await asyncio.to_thread(substation.report, 100, info)
        found = await gather(
            source, lambda readings: any(r.tag == CURRENT and r.value for r in readings)
        )
        return found[-1]

    assert talk(made, work).value == pytest.approx(value, abs=1e-4)


def test_a_station_that_goes_is_down_and_found_again(
    tmp_path: Path, substation: Substation
) -> None:
    """Its end is noticed by itself, nobody listens meanwhile, then all is interrogated again."""

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_four)
        await asyncio.to_thread(substation.server.stop)
        with pytest.raises(DeviceDown, match="connection lost"):
            await gather(source, lambda _readings: False)
        with pytest.raises(DeviceDown, match="no connection"):
            await source.scan()
        await asyncio.to_thread(substation.listen)
        return await gather(source, all_four)

    assert len(talk(device(tmp_path, substation.port), work)) == 4


def test_a_link_that_opens_without_data_transfer_is_started(
    tmp_path: Path, substation: Substation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is where the library forgets its STARTDT; here it is told to."""
    monkeypatch.setattr(source_module, "_INIT", c104.Init.MUTED)

    readings = talk(device(tmp_path, substation.port), lambda source: gather(source, all_four))

    assert len(readings) == 4


def test_everything_is_interrogated_again_and_again(tmp_path: Path, substation: Substation) -> None:
    """A report that was lost on the way is made good, though nothing changes any more."""
    made = device(tmp_path, substation.port, "interrogate_s = 0.2")

    async def work(source: Source) -> list[Reading]:
        return await gather(source, lambda readings: len(readings) >= 8)

    readings = talk(made, work)

    assert [r.tag for r in readings].count(CURRENT) >= 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("comon_address = 3", "did you mean 'common_address'"),
        ('time_zone = "Almaty"', "no time zone 'Almaty'"),
        ('[[source.tag]]\npath = "line/current"\nioa = 0', r"tag\.0\.ioa"),
        (
            TAGS.replace("200", "90"),
            "it is line/current already",
        ),
    ],
)
def test_a_wrong_table_says_what_would_be_right(tmp_path: Path, source: str, message: str) -> None:
    """As for any other source."""
    with pytest.raises(ConfigError, match=message):
        load_source(tmp_path, f'type = "iec104"\ndevice = "d"\nhost = "10.0.0.1"\n{source}')
