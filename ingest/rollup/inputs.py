"""The inputs of KPIs, summed over their tags as soon as the tags' summaries are made.

A KPI of a line adds up some tags of each of its 240 pots. Those sums are kept by hour
(``input_1h``), and by minute in the hour that is open (``input_1m``), for every asset that has
others below it and for what the ledger books: some 900 inputs for a park of 57,581 tags. When
summaries are replaced, the inputs that they are part of are summed again in just those buckets,
from the summaries of all their tags: never by adding a difference, so that they come out the same
to the bit whatever came when.

An input is known by a digest of what it is the sum of (`kpi.binding.input_id`), so a changed plant
or catalogue makes other inputs, whose past `ingest.rollup.history` sums up. Like a summary, a sum
is right where it stands and no dirty mark of its tags reaches; where there is none, tags are asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import chain
from typing import Final

import polars as pl
import psycopg
import sqlalchemy as sa

from ingest.rollup.marks import rows_in
from kpi.binding import Binding, Term, bind, kpis_of, terms_frame
from kpi.catalogue.park import KPIS
from kpi.ledger.accounts import booked
from kpi.sums import add_up
from schemas.db.catalogue import Catalogue
from schemas.db.tables import rollup_1h, rollup_1m
from schemas.errors import FormulaError

#: Summaries in memory at once.
CHUNK: Final = 500_000


@dataclass(frozen=True, slots=True)
class Width:
    """One of the two widths of buckets [min] in which inputs are kept, and of what."""

    minutes: int
    table: str
    rollup: sa.Table


MINUTES: Final = Width(1, "input_1m", rollup_1m)
HOURS: Final = Width(60, "input_1h", rollup_1h)


@dataclass(frozen=True, slots=True)
class Operand:
    """Which input an operand of a KPI is at an asset."""

    kpi: str
    asset: str
    name: str
    unit: str
    minimum_coverage: float
    tags: int
    input_id: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs to prepare: ``terms`` as `kpi.sums.TERMS`, ``named`` each one's asset and name.

    ``operands`` tells which of them each KPI takes: for who reads them from the database.
    """

    terms: pl.DataFrame
    named: dict[int, tuple[str, str]]
    operands: tuple[Operand, ...]

    @property
    def tags(self) -> pl.DataFrame:
        """``input_id, tag_id``, each pair once."""
        return self.terms.select("input_id", "tag_id").unique()


def inputs_of(catalogue: Catalogue) -> Inputs:
    """What the KPIs of assets with others below them, and the ledger, are made of."""
    plant = catalogue.plant
    terms: dict[int, tuple[Term, ...]] = {}
    named: dict[int, tuple[str, str]] = {}
    operands: dict[tuple[str, str, str], Operand] = {}
    above = (asset for asset in plant.assets if plant.children[asset])
    of_kpis = ((kpi, asset) for asset in above for kpi in kpis_of(KPIS, asset, plant))
    for kpi, asset in chain(of_kpis, booked(plant)):
        with suppress(FormulaError):  # a unit that does not fit: who asks for the KPI is told
            binding = bind(kpi, asset, plant, catalogue.tag_ids)
            for name, id_ in binding.input_ids.items():
                terms.setdefault(id_, binding.of_input[name])
                named.setdefault(id_, (asset, name))
            if kpi.id in KPIS:  # the ledger has amounts of its own
                operands |= {(kpi.id, asset, one.name): one for one in _operands(binding)}
    return Inputs(terms_frame(terms), named, tuple(operands.values()))


def _operands(binding: Binding) -> Iterator[Operand]:
    """Those that have tags: what is settled by the hour, and what the plant lacks, has none."""
    units = {given.name: given.unit for given in binding.kpi.inputs}
    for name, id_ in binding.input_ids.items():
        yield Operand(
            binding.kpi.id,
            binding.asset,
            name,
            units[name],
            binding.kpi.minimum_coverage,
            len(binding.of_input[name]),
            id_,
        )


def touched(inputs: Inputs, spans: pl.DataFrame, width: Width) -> pl.DataFrame:
    """``input_id, start, end``: the buckets of inputs that *spans* of tags touch, in order."""
    start = pl.col("start") // width.minutes * width.minutes
    return (
        spans.select("tag_id", start=pl.int_ranges(start, "end", width.minutes))
        .explode("start")
        .drop_nulls()
        .join(inputs.tags, on="tag_id")
        .select("input_id", "start")
        .unique()
        .sort("start", "input_id")
        .with_columns(end=pl.col("start") + width.minutes)
    )


def parts(inputs: Inputs, buckets: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """*buckets* of inputs in parts that take some `CHUNK` summaries."""
    sizes = inputs.tags.group_by("input_id").len("tags")
    counted = buckets.join(sizes, on="input_id", maintain_order="left")
    part = pl.col("tags").cum_sum() // CHUNK
    for _, found in counted.group_by(part, maintain_order=True):
        yield found.drop("tags")


def others(inputs: Inputs, buckets: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """``tag_id, start, end`` of what *buckets* of inputs are made of, without *spans*."""
    made_of = buckets.join(inputs.tags, on="input_id").select("tag_id", "start", "end").unique()
    as_time = made_of.with_columns(at=pl.from_epoch(pl.col("start") * 60, time_unit="s"))
    return rows_in(as_time, spans, "at", inside=False).drop("at")


def summed(inputs: Inputs, buckets: pl.DataFrame, summaries: pl.DataFrame) -> pl.DataFrame:
    """`kpi.sums.SUMS` of *buckets*, from the *summaries* of all that they are made of."""
    terms = inputs.terms.join(buckets.select("input_id").unique(), on="input_id", how="semi")
    at = pl.from_epoch(pl.col("start") * 60, time_unit="s").dt.cast_time_unit("us")
    wanted = buckets.select("input_id", bucket=at.dt.replace_time_zone("UTC"))
    rows = summaries.join(wanted.select("bucket").unique(), on="bucket", how="semi")
    return add_up(terms, rows).join(wanted, on=["input_id", "bucket"], how="semi")


def register(connection: psycopg.Connection, inputs: Inputs, before: datetime) -> None:
    """Enter *inputs* that are new, their hours before *before* to be summed; forget all others.

    *before* is an hour that is not merged yet: from there on sums are made with the summaries.
    """
    ids = list(inputs.named)
    connection.execute("DELETE FROM input_1m WHERE input_id <> ALL(%s::int8[])", (ids,))
    gone = connection.execute(
        "DELETE FROM kpi_input WHERE id <> ALL(%s::int8[]) RETURNING id", (ids,)
    ).fetchall()
    connection.execute(
        "DELETE FROM input_1h WHERE input_id = ANY(%s::int8[])", ([id_ for (id_,) in gone],)
    )
    sizes = dict(inputs.terms.group_by("input_id").len().iter_rows())
    connection.execute(
        """INSERT INTO kpi_input (id, asset_id, name, tags, built_from)
           SELECT given.id, asset.id, given.name, given.tags, %s
           FROM unnest(%s::int8[], %s::text[], %s::text[], %s::int4[])
                AS given (id, path, name, tags) JOIN asset USING (path)
           ON CONFLICT (id) DO NOTHING""",
        (
            before,
            ids,
            [path for path, _ in inputs.named.values()],
            [name for _, name in inputs.named.values()],
            [sizes[id_] for id_ in ids],
        ),
    )
    _enter(connection, inputs.operands)


def _enter(connection: psycopg.Connection, operands: Sequence[Operand]) -> None:
    """Enter *operands* instead of all that were known."""
    connection.execute("DELETE FROM kpi_operand")
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO kpi_operand (kpi, asset_id, name, unit, minimum_coverage, tags, input_id)
               SELECT %s, id, %s, %s, %s, %s, %s FROM asset WHERE path = %s""",
            [(one.kpi, *astuple(one)[2:], one.asset) for one in operands],
        )
