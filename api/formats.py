"""How an answer is written: JSON by rows or columns, NDJSON, CSV, Arrow IPC stream, Parquet.

A large answer is never held: each frame that comes from the database leaves as bytes before the
next is fetched. JSON by columns alone has to be, for it ends its first column with the last row.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from io import RawIOBase
from typing import Any, Final, TypeVar

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from starlette.requests import Request
from starlette.responses import Response

from api.span import iso
from schemas.errors import RequestError

_Form = TypeVar("_Form", bound=StrEnum)
_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


class Format(StrEnum):
    """What ``format=`` may say."""

    JSON = "json"
    COLUMNS = "columns"
    NDJSON = "ndjson"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


#: `Format.COLUMNS` is JSON too: only ``format=`` can ask for it.
MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.COLUMNS: "application/json",
    Format.NDJSON: "application/x-ndjson",
    Format.CSV: "text/csv",
    Format.ARROW: "application/vnd.apache.arrow.stream",
    Format.PARQUET: "application/vnd.apache.parquet",
}
#: The most rows of an answer that is held as a whole: some 100 MB of text.
ROWS_HELD_MAX: Final = 1_000_000


def choose_format(given: Format | None, accept: str | None) -> Format:
    """The format of an answer: ``format=`` first, then the caller's Accept header, then JSON.

    Raises
    ------
    RequestError
        Accept allows none of ours.
    """
    return given or negotiated(accept, MEDIA_TYPES)


def negotiated(accept: str | None, media_types: Mapping[_Form, str]) -> _Form:
    """The one of *media_types* that the header Accept prefers; the first, if it says nothing.

    Raises
    ------
    RequestError
        It allows none of them.
    """
    wanted = sorted(_accepted(accept or "*/*"), key=lambda media: -media[1])
    for media, weight in wanted:
        for known, name in media_types.items():
            if weight > 0 and media in {name, f"{name.partition('/')[0]}/*", "*/*"}:
                return known
    ours = ", ".join(dict.fromkeys(media_types.values()))
    raise RequestError("Accept", accept, f"accept one of {ours}")


def _accepted(header: str) -> list[tuple[str, float]]:
    """Media ranges with their weights (RFC 9110, 12.5.1)."""
    found = []
    for part in header.split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        weights = [word[2:] for word in parameters if word.startswith("q=")]
        try:
            found.append((media.lower(), float(weights[0]) if weights else 1.0))
        except ValueError:
            found.append((media.lower(), 0.0))
    return found


class JSON(Response):
    """A JSON answer; times are written in UTC with Z, NaN as null."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The body."""
        return dumps(content)


def cached(request: Request, content: object) -> Response:
    """*content* with its ETag; 304 without a body if the caller has just that already."""
    answer = JSON(content)
    tag = f'"{hashlib.blake2b(bytes(answer.body), digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in (word.strip() for word in request.headers.get("If-None-Match", "").split(",")):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


def dumps(content: object) -> bytes:
    """*content* as JSON; knows times, dataclasses and enums."""
    return orjson.dumps(content, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Writer(ABC):
    """Writes one table as bytes: a head, any number of row groups, a tail.

    ``facts`` is what the answer says besides its rows, ``schema`` the columns of the rows.
    """

    def __init__(self, facts: Mapping[str, Any], schema: pl.Schema) -> None:
        self.facts = facts
        self.schema = schema

    def head(self) -> bytes:
        """What stands before the rows."""
        return b""

    @abstractmethod
    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows of *frame*, which has the columns of the table."""

    def tail(self) -> bytes:
        """What stands behind the rows."""
        return b""


class JsonWriter(Writer):
    """One object: the facts of the answer, then ``rows``, a list of objects."""

    _comma = b""

    def head(self) -> bytes:
        """The facts, which end where the rows begin."""
        return dumps({**self.facts, "rows": []})[:-2]

    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows as objects."""
        if frame.is_empty():
            return b""
        body = _written(frame).write_json().encode()[1:-1]
        comma, self._comma = self._comma, b","
        return comma + body

    def tail(self) -> bytes:
        """Closes the object."""
        return b"]}"


class ColumnsWriter(Writer):
    """One object: the facts of the answer, then ``columns``, an object of lists of equal length."""

    def __init__(self, facts: Mapping[str, Any], schema: pl.Schema) -> None:
        super().__init__(facts, schema)
        self._held: dict[str, list[bytes]] = {name: [] for name in schema}

    def rows(self, frame: pl.DataFrame) -> bytes:
        """Nothing yet: a column ends with the last row."""
        if not frame.is_empty():
            for column in _written(frame).iter_columns():
                self._held[column.name].append(dumps(column.to_list())[1:-1])
        return b""

    def tail(self) -> bytes:
        """The object."""
        columns = (dumps(name) + b":[" + b",".join(self._held[name]) + b"]" for name in self.schema)
        return dumps({**self.facts, "columns": {}})[:-2] + b",".join(columns) + b"}}"


class NdjsonWriter(Writer):
    """An object a line, nothing before and nothing behind."""

    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows as lines."""
        return _written(frame).write_ndjson().encode()


class CsvWriter(Writer):
    """RFC 4180 with a header line; null is an empty field."""

    def head(self) -> bytes:
        """The header line."""
        return ",".join(self.schema).encode() + b"\r\n"

    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows as lines."""
        return _written(frame).write_csv(include_header=False, line_terminator="\r\n").encode()


class _Binary(Writer):
    """Record batches through a writer of Arrow's; the facts are the schema's metadata ``ertis``."""

    def __init__(self, facts: Mapping[str, Any], schema: pl.Schema) -> None:
        super().__init__(facts, schema)
        empty = pl.DataFrame(schema=schema).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._arrow = empty.schema.with_metadata({"ertis": dumps(facts)})
        self._sink = _Sink()
        self._stream = self._open(self._sink, self._arrow)

    @abstractmethod
    def _open(self, sink: "_Sink", schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        """The writer of this format."""

    def head(self) -> bytes:
        """The schema."""
        return self._sink.taken()

    def rows(self, frame: pl.DataFrame) -> bytes:
        """The rows as record batches."""
        table = _clean(frame).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._stream.write_table(table.cast(self._arrow))
        return self._sink.taken()

    def tail(self) -> bytes:
        """What ends the stream."""
        self._stream.close()
        return self._sink.taken()


class ArrowWriter(_Binary):
    """An Arrow IPC stream."""

    def _open(self, sink: "_Sink", schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        return pa.ipc.new_stream(sink, schema)


class ParquetWriter(_Binary):
    """A Parquet file, a row group for each frame; its index stands at its end."""

    def _open(self, sink: "_Sink", schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(sink, schema, compression="zstd")


class _Sink(RawIOBase):
    """A file that is only ever appended to, and whose new bytes can be taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Append *data*."""
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        """Bytes ever written: Parquet's index counts from the beginning."""
        return self._size

    def taken(self) -> bytes:
        """What was written since it was asked for last."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


WRITERS: Mapping[Format, type[Writer]] = {
    Format.JSON: JsonWriter,
    Format.COLUMNS: ColumnsWriter,
    Format.NDJSON: NdjsonWriter,
    Format.CSV: CsvWriter,
    Format.ARROW: ArrowWriter,
    Format.PARQUET: ParquetWriter,
}


def _clean(frame: pl.DataFrame) -> pl.DataFrame:
    """*frame* without NaN and infinity, which JSON has no word for: they become null."""
    floats = pl.selectors.float()
    return frame.with_columns(pl.when(floats.is_finite()).then(floats).name.keep())


def _written(frame: pl.DataFrame) -> pl.DataFrame:
    """*frame* with its times as text."""
    return _clean(frame).with_columns(pl.selectors.datetime().dt.strftime(_TIME))
