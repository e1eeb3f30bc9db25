"""A KPI at an asset: which tags it reads, and by how much each counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import polars as pl

from kpi.kpi import Amount, Given, Input, Kpi, Rated, Source
from kpi.sums import TERMS
from kpi.units import factor
from schemas.errors import NotFoundError
from schemas.plant.model import Asset, Plant, Rating, Tag


@dataclass(frozen=True, slots=True)
class Term:
    """One tag's part in an input: *weight* times the *column* of its summaries."""

    input: str
    tag_id: int
    tag: str
    column: Amount
    weight: float


@dataclass(frozen=True)
class Binding:
    """A KPI at an asset, ready to be evaluated."""

    kpi: Kpi
    asset: str
    terms: tuple[Term, ...]

    @cached_property
    def tag_ids(self) -> list[int]:
        """The tags whose summaries are needed, each once, in order."""
        return sorted({term.tag_id for term in self.terms})

    @cached_property
    def of_input(self) -> Mapping[str, tuple[Term, ...]]:
        """The terms of each input that has any, by its name."""
        found: dict[str, list[Term]] = {}
        for term in self.terms:
            found.setdefault(term.input, []).append(term)
        return {name: tuple(terms) for name, terms in found.items()}

    @cached_property
    def input_ids(self) -> Mapping[str, int]:
        """The `input_id` of each input that has terms, by its name."""
        return {name: input_id(terms) for name, terms in self.of_input.items()}

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The terms as `kpi.sums.TERMS`; inputs with the same terms are there once."""
        by_id = {self.input_ids[name]: terms for name, terms in self.of_input.items()}
        return terms_frame(by_id)


def input_id(terms: Iterable[Term]) -> int:
    """What the sum of *terms* is known by: a digest of tags, columns and weights, 64 bits signed.

    KPIs of an asset that share an input share its sum. When the plant or the catalogue changes what
    an input is the sum of, it is another one: sums made before can never be taken for it.
    """
    parts = sorted((term.tag_id, term.column.value, term.weight.hex()) for term in terms)
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def terms_frame(inputs: Mapping[int, Iterable[Term]]) -> pl.DataFrame:
    """*inputs* by their ids as `kpi.sums.TERMS`."""
    rows = [
        (id_, term.tag_id, term.column.value, term.weight)
        for id_, terms in inputs.items()
        for term in terms
    ]
    return pl.DataFrame(rows, schema=dict(TERMS), orient="row")


def kpis_of(kpis: Mapping[str, Kpi], asset: str, plant: Plant) -> list[Kpi]:
    """The KPIs that *asset* has: of its type, and with a tag for every input."""
    return [
        kpi
        for kpi in kpis.values()
        if plant.asset(asset).type in kpi.assets and _is_measured(kpi, asset, plant)
    ]


def bind(kpi: Kpi, asset: str, plant: Plant, tag_ids: Mapping[str, int]) -> Binding:
    """The terms of *kpi* at *asset*. ``tag_ids`` maps tag paths to ids.

    Raises
    ------
    NotFoundError
        The asset is of another type, or no tag or rating at or below it gives one of the inputs.
    FormulaError
        A tag or rating has a unit that does not fit the input.
    """
    kind = plant.asset(asset).type
    if kind not in kpi.assets:
        right = f"{asset} is a {kind}; {kpi.id} belongs to {', '.join(sorted(kpi.assets))}"
        raise NotFoundError("kpi", kpi.id, right)
    return Binding(
        kpi,
        asset,
        tuple(
            Term(given.name, tag_ids[part.tag.path], part.tag.path, column, weight)
            for given in kpi.inputs
            for part, column, weight in _weighed(kpi, given, asset, plant)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A tag that gives a part of an input; it serves the assets at and below ``at``.

    ``count`` is how often it counts: once, or once for each asset of the type that it is ``per``.
    """

    source: Source
    tag: Tag
    at: str
    count: int


def _is_measured(kpi: Kpi, asset: str, plant: Plant) -> bool:
    """Whether at least one tag, with its rating, gives each input."""
    for given in kpi.inputs:
        measured = _measured(kpi, given)
        if measured is None or measured.optional:
            continue
        parts = list(_found(measured, asset, plant))
        if not parts or any(_unrated(given, part, plant) for part in parts):
            return False
    return True


def _unrated(given: Given, part: _Part, plant: Plant) -> str | None:
    """The rating that a part is to be weighed by and that nothing has."""
    rating = given.rating if isinstance(given, Rated) else part.source.rated
    return rating if rating is not None and not _ratings(rating, part.at, plant) else None


def _measured(kpi: Kpi, given: Given) -> Input | None:
    """The input whose tags *given* takes; None if it takes none."""
    if isinstance(given, Rated):
        given = next(one for one in kpi.inputs if one.name == given.over)
    return given if isinstance(given, Input) else None


def _weighed(
    kpi: Kpi, given: Given, asset: str, plant: Plant
) -> Iterator[tuple[_Part, Amount, float]]:
    """The tags that give an input, with what is taken of each and by how much it counts."""
    measured = _measured(kpi, given)
    if measured is None:
        return
    found = False
    for part in _found(measured, asset, plant):
        found = True
        if rating := _unrated(given, part, plant):
            raise NotFoundError("kpi", kpi.id, f"{part.at} has no rating {rating}")
        if isinstance(given, Rated):
            yield part, Amount.COVERED, _rated_weight(given, part, plant)
        else:
            yield part, part.source.amount, _weight(measured, part, plant)
    if not found and not measured.optional:
        measures = " or ".join(source.measure for source in measured.sources)
        raise NotFoundError("kpi", kpi.id, f"{asset} has no tag for {given.name} ({measures})")


def _weight(given: Input, part: _Part, plant: Plant) -> float:
    unit = part.source.amount.unit(part.tag.unit)
    what = f"{part.tag.path} as {given.name}"
    if part.source.rated is None:
        return part.count * factor(unit, given.unit, what)
    return sum(
        rating.value * factor(f"({unit}) * ({rating.unit})", given.unit, what)
        for rating in _ratings(part.source.rated, part.at, plant)
    )


def _rated_weight(given: Rated, part: _Part, plant: Plant) -> float:
    return sum(
        rating.value * factor(f"({rating.unit}) * s", given.unit, f"{part.at} {given.rating}")
        for rating in _ratings(given.rating, part.at, plant)
    )


def _ratings(name: str, asset: str, plant: Plant) -> list[Rating]:
    """The ratings of this name at and below *asset*, or else of the nearest asset above."""
    below = [one.ratings[name] for one in plant.subtree(asset) if name in one.ratings]
    parent = plant.asset(asset).parent
    while not below and parent is not None:
        above = plant.asset(parent)
        below = [above.ratings[name]] if name in above.ratings else []
        parent = above.parent
    return below


def _found(given: Input, asset: str, plant: Plant) -> Iterator[_Part]:
    start = plant.asset(asset)
    below = list(_below(given, start, plant))
    yield from below or _above(given, start, plant)


def _below(given: Input, asset: Asset, plant: Plant) -> Iterator[_Part]:
    # A park has thousands of units, and most inputs are measured in one corner of it.
    if plant.measured[asset.path].isdisjoint(source.measure for source in given.sources):
        return
    shared = None
    for source in given.sources:
        if tag := _measured_by(asset, source, plant):
            if source.per is None:
                yield _Part(source, tag, asset.path, 1)
                return
            shared = shared or (source, tag)
    own = [part for child in plant.children[asset.path] for part in _below(given, child, plant)]
    yield from own
    if shared is not None:
        source, tag = shared
        served = {below.path for part in own for below in plant.subtree(part.at)}
        rest = sum(
            below.type == source.per and below.path not in served
            for below in plant.subtree(asset.path)
        )
        if rest:
            yield _Part(source, tag, asset.path, rest)


def _above(given: Input, asset: Asset, plant: Plant) -> Iterator[_Part]:
    asked = asset
    while asset.parent is not None:
        asset = plant.asset(asset.parent)
        for source in given.sources:
            tag = _measured_by(asset, source, plant)
            if tag is None or (source.per is None and source.rated is None):
                continue
            count = sum(below.type == source.per for below in plant.subtree(asked.path))
            if count or source.rated is not None:
                yield _Part(source, tag, asked.path, count)
            return


def _measured_by(asset: Asset, source: Source, plant: Plant) -> Tag | None:
    if asset.type not in source.of:
        return None
    return plant.tags.get(f"{asset.path}/{source.measure}")
