"""``/api/v1/ledger``: the green-aluminium ledger of a period, and the statement of it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from api.formats import JSON, CsvWriter, Format, choose_format
from api.inputs import sums
from api.openapi import answers
from api.parameters import Asked
from api.same import Same
from api.signed import Signature, signatures
from api.span import Span, parse_span
from api.store import Database, Store
from api.stream import Answer, Frames, answered
from api.summaries import HOUR
from kpi.calendar import Calendar
from kpi.ledger.accounts import METHODOLOGIES
from kpi.ledger.entries import ledger, ledger_bindings
from kpi.ledger.statement import statement
from kpi.sums import TERMS
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader
from schemas.errors import NotFoundError, RequestError, TooLargeError, nearest
from schemas.instant import EPOCH

router = APIRouter(prefix="/api/v1", tags=["ledger"])

#: Hours of inputs that are held at one time, some 300 MB of frames; a year of a park of 57,581 tags
#: has 1.7 million.
_HOURS_MAX: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What an account comes to at an asset in one hour.

    ``scope`` is that of the GHG Protocol. ``value`` [unit] is null where too little is known, for
    the ``reason``. Metal and carbon of anodes come in lumps and are spread over the period.
    """

    start: datetime
    end: datetime
    account: str
    scope: int | None
    asset: str
    unit: str
    value: float | None
    coverage: float
    reason: str | None
    parameter_set: str
    code_version: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries of a period, hour by hour."""

    start: datetime
    end: datetime
    parameter_set: str
    code_version: str
    signed: list[Signature]
    truncated: bool
    cursor: str | None
    rows: list[Entry]


@dataclass(frozen=True, slots=True)
class Line:
    """A total or a ratio of ``hours`` hours; ``missing`` ones are not known and left out."""

    line: str
    unit: str
    value: float | None
    hours: int
    missing: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an input gave to the ledger: readings, hours covered by usable and by good values.

    It is the sum over ``tags`` tags, and so are they.
    """

    asset: str
    input: str
    tags: int
    readings: int
    covered_h: float
    good_h: float


@dataclass(frozen=True, slots=True)
class Statement:
    """What the ledger comes to, and what an auditor needs to make it again.

    ``entries_sha256`` is that of the entries as ``/api/v1/ledger`` gives them in CSV, byte by byte;
    ``inputs_sha256`` that of the hourly inputs that they were made of. Both stay what they are once
    the period is signed.
    """

    start: datetime
    end: datetime
    parameter_set: str
    code_version: str
    signed: list[Signature]
    entries_sha256: str
    inputs_sha256: str
    lines: list[Line]
    inputs: list[Evidence]


class AskedLedger(Asked):
    """Which period, by which methodology."""

    start: str = Field(
        default="previous-month",
        alias="from",
        description="start of an hour: as in history, the previous month if left out",
        examples=["2026-10-01T00:00:00+05:00", "previous-month"],
    )
    end: str = Field(default="month", alias="to", description="likewise; not in the period")
    parameters: str = Field(
        default=METHODOLOGIES[0],
        description=f"the methodology: {', '.join(METHODOLOGIES)}",
        examples=[METHODOLOGIES[0]],
    )


class AskedEntries(AskedLedger):
    """In which form."""

    form: Format | None = Field(default=None, alias="format", description="wins over Accept")


@router.get(
    "/ledger",
    summary="The green-aluminium ledger",
    responses=answers(Ledger, table=True),
)
async def entries(
    request: Request,
    store: Database,
    asked: Annotated[AskedEntries, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Generation, storage, import, consumption by line, metal and emissions, hour by hour."""
    form = choose_format(asked.form, accept)

    def make(frames: FrameReader) -> Answer:
        book = _Book.of(store, frames, asked)
        facts = {**book.facts(store), "truncated": False, "cursor": None}
        return facts, book.entries.schema, _frames(book.entries)

    return await answered(request, form, store.frames, make)


@router.get(
    "/ledger/statement",
    summary="What the ledger comes to",
    responses=answers(Statement),
)
def state(store: Database, asked: Annotated[AskedLedger, Query()]) -> Response:
    """Totals, the hourly matched renewable share beside the annual one, t CO2e per tonne."""
    book = _Book.of(store, store.frames, asked)
    marks = ["parameter_set", "code_version"]
    lines = statement(book.entries).drop(marks).iter_rows()
    return JSON(
        Statement(
            **book.facts(store),  # type: ignore[arg-type]
            entries_sha256=_sha256(book.entries),
            inputs_sha256=_sha256(book.hourly),
            lines=[Line(*line) for line in lines],
            inputs=[Evidence(*row) for row in _evidence(book.hourly).iter_rows()],
        )
    )


@dataclass(frozen=True, slots=True)
class _Book:
    """A ledger with the inputs by the hour that it was made of, each named by asset and input."""

    span: Span
    parameter_set: str
    tag_ids: Sequence[int]
    hourly: pl.DataFrame
    entries: pl.DataFrame

    @classmethod
    def of(cls, store: Store, frames: FrameReader, asked: AskedLedger) -> "_Book":
        """The ledger that is asked for.

        Raises
        ------
        RequestError
            The period is not made of whole hours, not over, or too long; or nothing is booked.
        """
        catalogue = store.catalogue()
        if asked.parameters not in METHODOLOGIES:
            right = nearest(asked.parameters, METHODOLOGIES)
            raise NotFoundError("parameters", asked.parameters, right)
        span = _period(store, catalogue, asked)
        inputs = _inputs(Same(catalogue))
        hours, most = (span.end - span.start) // HOUR, _HOURS_MAX // max(1, inputs.named.height)
        if hours > most:
            right = f"{inputs.named.height} inputs have room for {most} hours"
            raise TooLargeError("from", asked.start, right)
        edges = [span.start + number * HOUR for number in range(hours + 1)]
        with frames.snapshot() as snapshot:
            hourly = _by_hour(sums(snapshot, catalogue, inputs.terms, edges))
        booked = ledger(
            catalogue.plant,
            catalogue.tag_ids,
            hourly,
            span.start,
            span.end,
            code_version=version("ertis"),
            parameter_set=asked.parameters,
        )
        if booked.is_empty():
            raise NotFoundError("from", asked.start, "the plant has no account to book: see docs")
        named = inputs.named.join(hourly, on="input_id", how="inner").drop("input_id")
        order = named.sort("asset", "input", "bucket")
        tag_ids = inputs.terms["tag_id"].unique().sort().to_list()
        return cls(span, asked.parameters, tag_ids, order, booked)

    def facts(self, store: Store) -> dict[str, object]:
        """What is said of the whole."""
        with store.connection() as connection:
            signed = signatures(connection, self.span, self.tag_ids)
        return {
            "start": self.span.start,
            "end": self.span.end,
            "parameter_set": self.parameter_set,
            "code_version": version("ertis"),
            "signed": signed,
        }


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a ledger is made of: `kpi.sums.TERMS`, and ``input_id, asset, input, tags`` of each."""

    terms: pl.DataFrame
    named: pl.DataFrame


# To find what is booked takes seconds in a park of thousands of units.
@lru_cache(maxsize=4)
def _inputs(known: Same[Catalogue]) -> _Inputs:
    bindings = ledger_bindings(known.one.plant, known.one.tag_ids)
    rows = [
        (id_, binding.asset, name, len(binding.of_input[name]))
        for binding in bindings
        for name, id_ in binding.input_ids.items()
    ]
    schema = {"input_id": pl.Int64, "asset": pl.String, "input": pl.String, "tags": pl.Int64}
    named = pl.DataFrame(rows, schema=schema, orient="row")
    terms = [pl.DataFrame(schema=dict(TERMS)), *(binding.frame for binding in bindings)]
    return _Inputs(
        pl.concat(terms).unique(maintain_order=True),
        named.unique("input_id", keep="first", maintain_order=True),
    )


def _by_hour(found: pl.DataFrame) -> pl.DataFrame:
    """*found* with one row for each input and hour, where the last hour came by minutes."""
    amounts = pl.col("value", "covered_s", "good_s")
    return (
        found.with_columns(pl.col("bucket").dt.truncate(HOUR))
        .sort("input_id", "bucket")
        .group_by("input_id", "bucket", maintain_order=True)
        # As lists, for the reason given in kpi.summary.
        .agg(amounts, pl.col("readings").sum())
        .with_columns(amounts.list.sum())
    )


def _period(store: Store, catalogue: Catalogue, asked: AskedLedger) -> Span:
    now = store.now()
    span = parse_span(asked.start, asked.end, now, Calendar.of(catalogue.plant))
    for parameter, edge in (("from", span.start), ("to", span.end)):
        if (edge - EPOCH) % HOUR != timedelta(0):
            raise RequestError(parameter, edge.isoformat(), "use the start of an hour, UTC")
    if span.end > now:
        raise RequestError("to", asked.end, "a ledger is of hours that are over")
    return span


def _frames(entries: pl.DataFrame) -> Frames:
    yield from entries.iter_slices(100_000)


def _evidence(hourly: pl.DataFrame) -> pl.DataFrame:
    seconds = pl.col("covered_s", "good_s")
    return (
        hourly.group_by("asset", "input", "tags", maintain_order=True)
        .agg(pl.col("readings").sum(), seconds)
        # As lists, for the reason given in kpi.summary.
        .with_columns(seconds.list.sum() / 3600.0)
    )


def _sha256(frame: pl.DataFrame) -> str:
    """The digest of *frame* as CSV."""
    digest = hashlib.sha256()
    for part in _csv(frame):
        digest.update(part)
    return digest.hexdigest()


def _csv(frame: pl.DataFrame) -> Iterator[bytes]:
    writer = CsvWriter({}, frame.schema)
    yield writer.head()
    for part in frame.iter_slices(100_000):
        yield writer.rows(part)
    yield writer.tail()
