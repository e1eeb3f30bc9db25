"""One table in every format."""

import csv
import io
from datetime import UTC, datetime

import orjson
import polars as pl
import pyarrow.ipc
import pyarrow.parquet
import pytest

from api.formats import WRITERS, Format, choose_format
from schemas.errors import RequestError

FRAME = pl.DataFrame(
    {
        "tag": ["a/x", "a/x", 'b, "y"'],
        "ts": [
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC),
            None,
        ],
        "value": [1.5, float("nan"), float("-inf")],
        "quality": [192, 64, 0],
    },
    schema_overrides={"ts": pl.Datetime("us", "UTC"), "tag": pl.Enum(["a/x", 'b, "y"'])},
)
FACTS = {"start": datetime(2026, 1, 1, tzinfo=UTC), "cursor": None}
ROWS: list[dict[str, object]] = [
    {"tag": "a/x", "ts": "2026-01-01T00:00:00Z", "value": 1.5, "quality": 192},
    {"tag": "a/x", "ts": "2026-01-01T00:00:00.250Z", "value": None, "quality": 64},
    {"tag": 'b, "y"', "ts": None, "value": None, "quality": 0},
]


def write(form: Format, *frames: pl.DataFrame) -> bytes:
    """The whole answer."""
    writer = WRITERS[form](FACTS, FRAME.schema)
    return writer.head() + b"".join(map(writer.rows, frames)) + writer.tail()


@pytest.mark.parametrize("frames", [[], [FRAME], [FRAME[:0], FRAME, FRAME[:0]], [FRAME, FRAME]])
def test_json_is_one_object_however_the_rows_come(frames: list[pl.DataFrame]) -> None:
    """Facts first, then the rows of every frame; what is not finite is null."""
    rows = ROWS * sum(not frame.is_empty() for frame in frames)
    assert orjson.loads(write(Format.JSON, *frames)) == {
        "start": "2026-01-01T00:00:00Z",
        "cursor": None,
        "rows": rows,
    }


def test_csv_says_the_same() -> None:
    """Every field of the CSV is the text of the JSON's value, null an empty one."""
    text = write(Format.CSV, FRAME[:1], FRAME[1:]).decode()
    assert [
        {name: value or None for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ] == [
        {name: None if value is None else str(value) for name, value in row.items()} for row in ROWS
    ]


def test_arrow_says_the_same() -> None:
    """The record batches hold the typed values, the schema the facts."""
    table = pyarrow.ipc.open_stream(write(Format.ARROW, FRAME[:1], FRAME[1:])).read_all()
    read = pl.DataFrame(pl.from_arrow(table))
    finite = pl.when(pl.col("value").is_finite()).then("value")
    assert read["tag"].cast(pl.String).to_list() == [row["tag"] for row in ROWS]
    assert read.drop("tag").equals(FRAME.with_columns(finite).drop("tag"))
    assert orjson.loads(table.schema.metadata[b"ertis"])["start"] == "2026-01-01T00:00:00Z"


def test_columns_say_the_same() -> None:
    """Lists of equal length instead of a list of objects."""
    body = orjson.loads(write(Format.COLUMNS, FRAME[:1], FRAME[:0], FRAME[1:]))
    assert body.pop("columns") == {name: [row[name] for row in ROWS] for name in FRAME.columns}
    assert body == {"start": "2026-01-01T00:00:00Z", "cursor": None}
    assert orjson.loads(write(Format.COLUMNS))["columns"] == {name: [] for name in FRAME.columns}


def test_ndjson_says_the_same() -> None:
    """An object a line."""
    text = write(Format.NDJSON, FRAME[:1], FRAME[:0], FRAME[1:]).decode()
    assert [orjson.loads(line) for line in text.splitlines()] == ROWS


def test_parquet_says_the_same() -> None:
    """A row group a frame; the facts are in the schema."""
    written = io.BytesIO(write(Format.PARQUET, FRAME[:1], FRAME[1:]))
    file = pyarrow.parquet.ParquetFile(written)
    read = pl.DataFrame(pl.from_arrow(file.read()))
    finite = pl.when(pl.col("value").is_finite()).then("value")
    assert read["tag"].cast(pl.String).to_list() == [row["tag"] for row in ROWS]
    assert read.drop("tag").equals(FRAME.with_columns(finite).drop("tag"))
    assert file.num_row_groups == 2
    assert orjson.loads(file.schema_arrow.metadata[b"ertis"])["start"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("given", "accept", "form"),
    [
        (None, None, Format.JSON),
        (None, "*/*", Format.JSON),
        (None, "text/html, */*;q=0.1", Format.JSON),
        (None, "text/csv", Format.CSV),
        (None, "text/*", Format.CSV),
        (None, "application/json;q=0.5, text/csv", Format.CSV),
        (None, "application/vnd.apache.arrow.stream", Format.ARROW),
        (None, "application/x-ndjson", Format.NDJSON),
        (None, "application/vnd.apache.parquet", Format.PARQUET),
        (Format.COLUMNS, "application/json", Format.COLUMNS),
        (Format.CSV, "application/json", Format.CSV),
        (None, "text/csv;q=0, application/json;q=x, */*", Format.JSON),
    ],
)
def test_the_parameter_wins_over_the_header(
    given: Format | None, accept: str | None, form: Format
) -> None:
    """``format=`` first, then Accept by its weights, then JSON."""
    assert choose_format(given, accept) is form


def test_a_format_that_is_not_offered_is_refused() -> None:
    """The error lists what is."""
    with pytest.raises(RequestError, match="text/csv"):
        choose_format(None, "image/png")
