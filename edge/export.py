"""Historian exports: CSV and Parquet files of other systems, as readings.

A file is a table of rows. Each row has a time, perhaps a key that says what it is about (a turbine,
a tag), and value columns. ``path`` of a column is the tag, with ``{key}`` for the row's key: so one
mechanism reads a file with a column for each tag, a file with rows for each turbine, and a file
with rows for each tag::

    time,P1,P2            time,turbine,P,V              time,tag,value
    path = "w1/power"     path = "{key}/power"          path = "{key}"

``plants/la-haute-borne/replay.toml`` shows the first two.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet
from pydantic import Field

from edge.config import DeliveryTable, NodeTable, SpoolTable, beside
from edge.sources.device import Id, Section, measured_tag
from edge.stamp import StampReader, TimeTable
from schemas.document import read_document
from schemas.errors import ConfigError, SenderError, nearest
from schemas.reading import Reading

Row = tuple[object, ...]


class KeyTable(Section):
    """``key``: the column that says what a row is about."""

    column: str
    stands_for: dict[str, str] = Field(default={}, description="key in the file -> in the path")


class ColumnTable(Section):
    """``[[export.column]]``: ``value = number * scale + offset`` [unit of the tag]."""

    name: str
    path: str
    scale: float = 1.0
    offset: float = 0.0


class ExportTable(Section):
    """``[[export]]``: one file."""

    device: str = Field(pattern=Id)
    file: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    time: TimeTable
    key: KeyTable | None = None
    where: dict[str, list[str]] = Field(default={}, description="rows to take, by column")
    column: list[ColumnTable] = Field(min_length=1)


class ReplayFile(Section):
    """The whole file of a replay."""

    plant: str
    node: NodeTable
    spool: SpoolTable = SpoolTable()
    delivery: DeliveryTable = DeliveryTable()
    export: list[ExportTable] = Field(min_length=1)


@dataclass(slots=True)
class Audit:
    """What was found in a file. Rows = read + left out + no_time + unknown_key.

    ``blanks`` counts by column. A row whose key and instant were there before is a ``repeat`` if
    its values are the same and a ``conflict`` if not: then the later row counts.
    """

    rows: int = 0
    read: int = 0
    left_out: int = 0
    no_time: int = 0
    unknown_key: int = 0
    no_number: int = 0
    repeats: int = 0
    conflicts: int = 0
    readings: int = 0
    blanks: Counter[str] = field(default_factory=Counter)
    first_fault: str = ""

    def note(self, fault: str) -> None:
        """Keep the first thing wrong, as an example."""
        self.first_fault = self.first_fault or f"row {self.rows}: {fault}"


@dataclass(frozen=True, slots=True)
class Lot:
    """Some rows further: the readings in them, and the share of the file that is behind us."""

    readings: Sequence[Reading]
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """What a replay does."""

    node: NodeTable
    spool: SpoolTable
    delivery: DeliveryTable
    exports: Sequence["Export"]


def load_replay(path: Path, files: Path | None = None) -> ReplayConfig:
    """Read the replay's file at *path*; exports are found in the folder *files*, or beside it.

    Raises
    ------
    ConfigError
        No such file, an unknown key, a tag that the plant does not have, a column that the export
        does not have.
    """
    file = read_document(path, ReplayFile)
    plant = beside(path, file.plant)
    exports = []
    for number, table in enumerate(file.export):
        key = f"{path.name}: export.{number}"
        exports.append(Export(table, (files or path.parent) / table.file, key))
        for place, column in enumerate(table.column):
            for tag in _paths(column, table.key):
                measured_tag(plant, tag, f"{key}.column.{place}.path")
    return ReplayConfig(file.node, file.spool, file.delivery, exports)


def _paths(column: ColumnTable, key: KeyTable | None) -> Sequence[str]:
    """The tags of a column; of free keys none is known before the file is read."""
    if "{key}" not in column.path:
        return [column.path]
    return [column.path.replace("{key}", word) for word in key.stands_for.values()] if key else []


class Export:
    """One file, read lot by lot. ``key`` is where the table stands, for messages.

    To find repeats it remembers the instants of all rows: about 100 bytes a row.
    """

    def __init__(self, table: ExportTable, file: Path, key: str) -> None:
        self.table = table
        self.file = file
        self.audit = Audit()
        self._key = key
        self._stamps = StampReader(table.time, f"{key}.time")
        self._seen: dict[str, dict[int, int]] = {}
        self._tags: dict[str, Sequence[str]] = {}
        key_column = [table.key.column] if table.key else []
        values = [column.name for column in table.column]
        self._columns = list(dict.fromkeys([table.time.column, *key_column, *table.where, *values]))
        place = {name: number for number, name in enumerate(self._columns)}
        self._time_at = place[table.time.column]
        self._key_at = place[table.key.column] if table.key else None
        self._where = [(place[name], frozenset(wanted)) for name, wanted in table.where.items()]
        self._values_at = [place[name] for name in values]

    @property
    def mark(self) -> str:
        """The name under which the spool keeps how many rows were read."""
        return f"export/{self.table.device}/{self.file.name}"

    def paths(self) -> Sequence[str]:
        """The tags that the file holds; the keys of a file without a list of them are read."""
        key = self.table.key
        if key is not None and not key.stands_for:
            words = {str(word) for rows, _ in self._rows([key.column]) for (word,) in rows}
            key = KeyTable(column=key.column, stands_for={word: word for word in words})
        return sorted({path for column in self.table.column for path in _paths(column, key)})

    def lots(self, done: int = 0) -> Iterator[Lot]:
        """All rows behind the first *done*; those are looked at again for the audit alone."""
        audit = self.audit
        for rows, share in self._rows(self._columns):
            readings: list[Reading] = []
            for row in rows:
                audit.rows += 1
                found = self._readings(row)
                if audit.rows > done:
                    readings += found
            yield Lot(readings, audit.rows, share)

    def _readings(self, row: Row) -> Sequence[Reading]:
        audit = self.audit
        if any(str(row[place]) not in wanted for place, wanted in self._where):
            audit.left_out += 1
            return ()
        key = "" if self._key_at is None else str(row[self._key_at])
        tags = self._tags.get(key) or self._tags_of(key)
        if not tags:
            audit.unknown_key += 1
            return ()
        try:
            ts_ms = self._stamps.ms(row[self._time_at], key)
        except SenderError as error:
            audit.no_time += 1
            audit.note(str(error))
            return ()
        audit.read += 1
        values = [row[place] for place in self._values_at]
        self._look_for_repeat(key, ts_ms, hash(tuple(values)))
        readings = [
            Reading(tag, ts_ms, number * column.scale + column.offset)
            for tag, column, value in zip(tags, self.table.column, values, strict=True)
            if (number := self._number(column.name, value)) is not None
        ]
        audit.readings += len(readings)
        return readings

    def _tags_of(self, key: str) -> Sequence[str]:
        """The tags of a row about *key*; none if the key is unknown."""
        table = self.table
        known = table.key.stands_for if table.key else {}
        if known and key not in known:
            self.audit.note(f"key {key!r}; {nearest(key, known)}")
            return ()
        word = known.get(key, key)
        self._tags[key] = [column.path.replace("{key}", word) for column in table.column]
        return self._tags[key]

    def _look_for_repeat(self, key: str, ts_ms: int, values: int) -> None:
        instants = self._seen.setdefault(key, {})
        before = instants.get(ts_ms)
        instants[ts_ms] = values
        if before is not None:
            self.audit.repeats += before == values
            self.audit.conflicts += before != values

    def _number(self, column: str, value: object) -> float | None:
        if value is None or value == "":
            self.audit.blanks[column] += 1
            return None
        try:
            if isinstance(value, str):
                value = value.replace(self.table.decimal, ".")
            number = float(value)  # type: ignore[arg-type]  # else a TypeError says so
        except (TypeError, ValueError):
            number = math.inf
        if math.isnan(number):  # how many an export writes a blank
            self.audit.blanks[column] += 1
        elif math.isinf(number):
            self.audit.no_number += 1
            self.audit.note(f"{column} {value!r} is no number")
        return number if math.isfinite(number) else None

    def _rows(self, columns: list[str]) -> Iterator[tuple[Iterable[Row], float]]:
        """The file's rows in lots, and the share of the file that has been read."""
        try:
            read = self._parquet if self.file.suffix == ".parquet" else self._csv
            for batch, share in read(columns):
                yield zip(*(batch[name].to_pylist() for name in columns), strict=True), share
        except OSError as error:
            raise ConfigError(f"{self._key}.file", str(self.file), f"{error}") from error
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            right = f"it has to have the columns {', '.join(columns)} ({error})"
            raise ConfigError(f"{self._key}.file", str(self.file), right) from error

    def _csv(self, columns: list[str]) -> Iterator[tuple[pa.RecordBatch, float]]:
        size = self.file.stat().st_size
        # Everything as text: what is blank and what is no number is counted here, not guessed.
        convert = csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=False,
        )
        parse = csv.ParseOptions(delimiter=self.table.delimiter)
        with (
            self.file.open("rb") as file,
            csv.open_csv(file, convert_options=convert, parse_options=parse) as reader,
        ):
            for batch in reader:
                yield batch, min(1.0, file.tell() / size)

    def _parquet(self, columns: list[str]) -> Iterator[tuple[pa.RecordBatch, float]]:
        with parquet.ParquetFile(self.file) as file:
            total, done = file.metadata.num_rows, 0
            if missing := set(columns) - set(file.schema_arrow.names):
                raise pa.ArrowKeyError(f"no {min(missing)!r}")
            for batch in file.iter_batches(columns=columns):
                done += batch.num_rows
                yield batch, done / total
