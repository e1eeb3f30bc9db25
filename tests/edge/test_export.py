"""Historian exports as readings, with every row accounted for."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from edge.export import Export, load_replay
from schemas.errors import ConfigError
from schemas.instant import from_ms
from schemas.reading import Reading
from tests.edge.files import PLANT

HEAD = """
plant = "plant.toml"

[node]
group = "site"
id = "historian"
"""
WIDE = """
[[export]]
device = "meter"
file = "wide.csv"
time = { column = "time", zone = "Europe/Paris" }

[[export.column]]
name = "I"
path = "line/current"
scale = 0.001

[[export.column]]
name = "T"
path = "line/temperature"
offset = -273.15
"""
KEYED = """
[[export]]
device = "pots"
file = "keyed.csv"
delimiter = ";"
decimal = ","
time = { column = "time", format = "%d.%m.%Y %H:%M", zone = "UTC" }
where = { state = ["ok", "warm"] }

[export.key]
column = "pot"
stands_for = { P1 = "pot-1", P2 = "pot-2" }

[[export.column]]
name = "V"
path = "line/{key}/voltage"
"""
LONG = """
[[export]]
device = "tags"
file = "long.parquet"
time = { column = "at" }

[export.key]
column = "tag"

[[export.column]]
name = "value"
path = "{key}"
"""


def export(folder: Path, table: str) -> Export:
    """The one export of a replay's file."""
    (folder / "plant.toml").write_text(PLANT)
    (folder / "replay.toml").write_text(HEAD + table)
    return load_replay(folder / "replay.toml").exports[0]


def readings(made: Export, done: int = 0) -> list[Reading]:
    """All of them."""
    return [reading for lot in made.lots(done) for reading in lot.readings]


def rows(found: list[Reading]) -> list[tuple[str, str, float | None]]:
    """Tag, time and value, to be read by people."""
    return [(r.tag, f"{from_ms(r.ts_ms):%d %H:%M}", r.value) for r in found]


def test_a_column_for_each_tag(tmp_path: Path) -> None:
    """Scaled to the tag's unit; blanks are counted by column, a bad number and a bad time too."""
    (tmp_path / "wide.csv").write_text(
        "time,T,other,I\n"
        "2014-06-01 12:00,300.15,x,500000\n"
        "2014-06-01 12:10,,x,501000\n"
        "2014-06-01 12:20,NaN,x,n/a\n"
        "soon,1,x,1\n"
    )
    made = export(tmp_path, WIDE)

    assert rows(readings(made)) == [
        ("line/current", "01 10:00", 500.0),
        ("line/temperature", "01 10:00", 27.0),
        ("line/current", "01 10:10", 501.0),
    ]
    audit = made.audit
    assert (audit.rows, audit.read, audit.no_time, audit.no_number) == (4, 3, 1, 1)
    assert audit.blanks == {"T": 2}
    assert audit.readings == 3
    assert audit.first_fault == "row 3: I 'n/a' is no number"


def test_a_row_for_each_key(tmp_path: Path) -> None:
    """Other delimiter, decimal comma, a format of its own; rows left out and unknown counted."""
    (tmp_path / "keyed.csv").write_text(
        "pot;time;V;state\n"
        "P1;01.06.2014 12:00;4,25;ok\n"
        "P2;01.06.2014 12:00;4,5;warm\n"
        "P3;01.06.2014 12:00;4,5;ok\n"
        "P1;01.06.2014 12:10;9,9;off\n"
    )
    made = export(tmp_path, KEYED)

    assert rows(readings(made)) == [
        ("line/pot-1/voltage", "01 12:00", 4.25),
        ("line/pot-2/voltage", "01 12:00", 4.5),
    ]
    audit = made.audit
    assert (audit.rows, audit.read, audit.unknown_key, audit.left_out) == (4, 2, 1, 1)
    assert made.paths() == ["line/pot-1/voltage", "line/pot-2/voltage"]


def test_a_row_for_each_tag_of_a_parquet_file(tmp_path: Path) -> None:
    """Typed columns; null and NaN are blank; the tags are those that the file names."""
    table = pa.table(
        {
            "at": pa.array(
                [1_401_616_800_000, 1_401_616_800_000, 1_401_616_860_000], pa.timestamp("ms", "UTC")
            ),
            "tag": ["line/current", "line/pot-1/voltage", "line/current"],
            "value": [500.0, None, float("nan")],
        }
    )
    parquet.write_table(table, tmp_path / "long.parquet")
    made = export(tmp_path, LONG)

    assert rows(readings(made)) == [("line/current", "01 10:00", 500.0)]
    assert made.audit.blanks == {"value": 2}
    assert made.paths() == ["line/current", "line/pot-1/voltage"]


def test_repeats_and_conflicts_are_counted_and_sent_in_order(tmp_path: Path) -> None:
    """Same key and instant again: the same values are a repeat, others a conflict."""
    (tmp_path / "wide.csv").write_text(
        "time,T,I\n"
        "2014-06-01T12:00:00+02:00,300,1000\n"
        "2014-06-01T10:00:00+00:00,300,1000\n"
        "2014-06-01T12:00:00+02:00,300,2000\n"
    )
    made = export(tmp_path, WIDE)

    currents = [r.value for r in readings(made) if r.tag == "line/current"]

    assert currents == [1.0, 1.0, 2.0]
    assert (made.audit.repeats, made.audit.conflicts) == (1, 1)


def test_the_hours_of_summer_time_are_all_there(tmp_path: Path) -> None:
    """A local day of 25 hours gives 25 hourly readings at 25 instants, and no repeat."""
    hours = [*range(3), *range(2, 24)]
    lines = [f"2014-10-26 {hour:02d}:00,300,{place}" for place, hour in enumerate(hours)]
    (tmp_path / "wide.csv").write_text("\n".join(["time,T,I", *lines]) + "\n")
    made = export(tmp_path, WIDE)

    currents = [r for r in readings(made) if r.tag == "line/current"]

    steps = {b.ts_ms - a.ts_ms for a, b in pairwise(currents)}
    assert (len(currents), steps) == (25, {3_600_000})
    assert made.audit.repeats + made.audit.conflicts == 0


def test_rows_that_were_sent_before_are_looked_at_but_not_sent(tmp_path: Path) -> None:
    """The audit is that of the whole file."""
    lines = [f"2014-06-01 12:{minute:02d},300,{minute}" for minute in range(10)]
    (tmp_path / "wide.csv").write_text("\n".join(["time,T,I", *lines]) + "\n")
    made = export(tmp_path, WIDE)

    assert len(readings(made, 7)) == 2 * 3
    assert made.audit.rows == 10


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (WIDE.replace("line/temperature", "line/temprature"), "column.1.path.*line/temperature"),
        (KEYED.replace('"pot-2"', '"pot-9"'), "found 'line/pot-9/voltage'"),
        (WIDE.replace("zone =", "zne ="), "did you mean 'zone'"),
        (WIDE.replace("Europe/Paris", "Paris"), "use an IANA name"),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_read(
    tmp_path: Path, table: str, message: str
) -> None:
    """Key, value and what would be right."""
    with pytest.raises(ConfigError, match=message):
        export(tmp_path, table)


@pytest.mark.parametrize(
    ("text", "message"),
    [("time,T\n2014-06-01 12:00,1\n", "columns time, I, T"), ("", "Empty CSV"), (None, "wide.csv")],
)
def test_a_file_without_its_columns_is_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    """Missing column, empty file, no file."""
    if text is not None:
        (tmp_path / "wide.csv").write_text(text)

    with pytest.raises(ConfigError, match=message):
        readings(export(tmp_path, WIDE))


def test_the_example_loads() -> None:
    """The replay of the wind farm that ships names tags of its plant."""
    config = load_replay(Path("plants/la-haute-borne/replay.toml"))

    assert [made.table.device for made in config.exports] == ["grid-meter", "scada"]
    assert config.exports[1].paths()[0] == "wind/r80711/power"
