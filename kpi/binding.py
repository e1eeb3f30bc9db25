"""A KPI at an asset: which tags it reads, and by how much each counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpi.kpi import Aggregate, Input, Kpi, Rated, Source
from kpi.units import factor
from schemas.errors import NotFoundError
from schemas.plant.model import Asset, Plant, Tag


@dataclass(frozen=True, slots=True)
class Term:
    """One tag's part in an input: *weight* times the aggregate *column* of its summaries."""

    input: str
    tag_id: int
    tag: str
    column: Aggregate
    weight: float


@dataclass(frozen=True, slots=True)
class Binding:
    """A KPI at an asset, ready to be evaluated."""

    kpi: Kpi
    asset: str
    terms: tuple[Term, ...]

    @property
    def tag_ids(self) -> list[int]:
        """The tags whose summaries are needed, each once, in order."""
        return sorted({term.tag_id for term in self.terms})


def kpis_of(kpis: Mapping[str, Kpi], asset: str, plant: Plant) -> list[Kpi]:
    """The KPIs that *asset* has: of its type, and with a tag for every input."""
    return [
        kpi
        for kpi in kpis.values()
        if plant.asset(asset).type in kpi.assets
        and all(
            any(_found(given, asset, plant)) for given in kpi.inputs if isinstance(given, Input)
        )
    ]


def bind(kpi: Kpi, asset: str, plant: Plant, tag_ids: Mapping[str, int]) -> Binding:
    """The terms of *kpi* at *asset*. ``tag_ids`` maps tag paths to ids.

    Raises
    ------
    NotFoundError
        The asset is of another type, or no tag at or below it gives one of the inputs.
    FormulaError
        A tag or rating has a unit that does not fit the input.
    """
    kind = plant.asset(asset).type
    if kind not in kpi.assets:
        right = f"{asset} is a {kind}; {kpi.id} belongs to {', '.join(sorted(kpi.assets))}"
        raise NotFoundError("kpi", kpi.id, right)
    terms: list[Term] = []
    inputs = {given.name: given for given in kpi.inputs}
    for given in kpi.inputs:
        measured = given if isinstance(given, Input) else inputs[given.over]
        if not isinstance(measured, Input):
            raise TypeError(f"KPI {kpi.id}: {given.name} is over a rated input")
        found = list(_found(measured, asset, plant))
        if not found:
            measures = " or ".join(source.measure for source in measured.sources)
            raise NotFoundError("kpi", kpi.id, f"{asset} has no tag for {given.name} ({measures})")
        for source, tag, served in found:
            term = (
                _measured(measured, source, tag, served, tag_ids)
                if isinstance(given, Input)
                else _rated(given, tag, plant, tag_ids)
            )
            terms.append(term)
    return Binding(kpi, asset, tuple(terms))


def _measured(
    given: Input, source: Source, tag: Tag, served: int, tag_ids: Mapping[str, int]
) -> Term:
    unit = source.aggregate.unit(tag.unit)
    weight = served * factor(unit, given.unit, f"{tag.path} as {given.name}")
    return Term(given.name, tag_ids[tag.path], tag.path, source.aggregate, weight)


def _rated(given: Rated, tag: Tag, plant: Plant, tag_ids: Mapping[str, int]) -> Term:
    ratings = [
        asset.ratings[given.rating]
        for asset in plant.subtree(tag.asset)
        if given.rating in asset.ratings
    ]
    weight = sum(
        rating.value * factor(f"({rating.unit}) * s", given.unit, f"{tag.asset} {given.rating}")
        for rating in ratings
    )
    return Term(given.name, tag_ids[tag.path], tag.path, Aggregate.COVERED, weight)


def _found(given: Input, asset: str, plant: Plant) -> Iterator[tuple[Source, Tag, int]]:
    """Source, tag, and how often the tag counts."""
    start = plant.asset(asset)
    below = list(_below(given, start, plant))
    for source, tag in below or _above(given, start, plant):
        served = _served(source, asset if not below else tag.asset, plant)
        if served:
            yield source, tag, served


def _below(given: Input, asset: Asset, plant: Plant) -> Iterator[tuple[Source, Tag]]:
    for source in given.sources:
        if tag := _measured_by(asset, source, plant):
            yield source, tag
            return
    for child in plant.children[asset.path]:
        yield from _below(given, child, plant)


def _above(given: Input, asset: Asset, plant: Plant) -> Iterator[tuple[Source, Tag]]:
    while asset.parent is not None:
        asset = plant.asset(asset.parent)
        for source in given.sources:
            if source.per is not None and (tag := _measured_by(asset, source, plant)):
                yield source, tag
                return


def _measured_by(asset: Asset, source: Source, plant: Plant) -> Tag | None:
    if asset.type not in source.of:
        return None
    return plant.tags.get(f"{asset.path}/{source.measure}")


def _served(source: Source, asset: str, plant: Plant) -> int:
    if source.per is None:
        return 1
    return sum(below.type == source.per for below in plant.subtree(asset))
