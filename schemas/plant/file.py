"""Plant models as TOML files: templates and ranges in, a checked `Plant` out.

Assets are listed by path; ``pot-{001..240}`` in a path stands for 240 assets. A template lists the
measures of an asset type once. ``plants/pavlodar.toml`` shows every key.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path
from posixpath import normpath
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.document import parse_document, read_document
from schemas.errors import PlantError, nearest
from schemas.plant.alarm_file import AlarmTable, alarm_limits
from schemas.plant.model import PRODUCT, Asset, Derivation, Level, Plant, Rating, Tag
from schemas.plant.ranges import expand
from schemas.plant.shifts import Shift, ShiftPattern, faults
from schemas.plant.target_file import TargetTable, targets
from schemas.reading import Interpolation, Kind

_PATH = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SiteTable(_Table):
    """``[site]``."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    time_zone: str


class RatingTable(_Table):
    """``ratings.<name>``."""

    value: float
    unit: str


class AssetTable(_Table):
    """``[[asset]]``."""

    path: str
    level: Level
    type: str
    title: str = ""
    template: str | None = None
    ratings: dict[str, RatingTable] = {}


class DerivedTable(_Table):
    """``derived`` of a measure: a rule over other tags, relative to the asset."""

    rule: str
    operands: tuple[str, ...] = Field(min_length=1)
    constants: dict[str, float] = {}


class MeasureTable(_Table):
    """``[template.<name>.<measure>]``."""

    title: str
    unit: str
    kind: Kind
    interpolation: Interpolation = Interpolation.STEP
    stale_after_s: float = Field(gt=0)
    deadband: float = Field(default=0.0, ge=0)
    limits: tuple[float, float] | None = None
    modulus: float | None = Field(default=None, gt=0)
    max_rate: float | None = Field(default=None, gt=0)
    product: tuple[str, str] | None = None
    derived: DerivedTable | None = None

    @model_validator(mode="after")
    def _check_one_origin(self) -> Self:
        if self.product is not None and self.derived is not None:
            raise ValueError("product is short for derived: keep one of them")
        return self

    def derivation(self, asset: str) -> Derivation | None:
        """How the measure is computed at *asset*; None if it is measured."""
        given = self.derived
        if self.product is not None:
            given = DerivedTable(rule=PRODUCT, operands=self.product)
        if given is None:
            return None
        operands = tuple(normpath(f"{asset}/{operand}") for operand in given.operands)
        return Derivation(given.rule, operands, given.constants)


class SourceTable(_Table):
    """``[[source]]``."""

    address: str = Field(pattern=r"^[^/+#]+/[^/+#]+(/[^/+#]+)?$")
    asset: str


class ShiftTable(_Table):
    """``[[shift_pattern.shift]]``: local start, and who works it day after day."""

    name: str = Field(min_length=1)
    start: time
    crews: tuple[str, ...] = ()

    @field_validator("start")
    @classmethod
    def _check_is_local(cls, start: time) -> time:
        if start.tzinfo is not None:
            raise ValueError("give a local time without an offset, such as 08:00:00")
        return start


class ShiftPatternTable(_Table):
    """``[[shift_pattern]]``."""

    name: str = Field(min_length=1)
    valid_from: date
    valid_to: date | None = None
    shift: tuple[ShiftTable, ...] = Field(min_length=1)

    def pattern(self) -> ShiftPattern:
        """The pattern that the table describes."""
        shifts = tuple(Shift(given.name, given.start, given.crews) for given in self.shift)
        return ShiftPattern(self.name, self.valid_from, self.valid_to, shifts)


class PlantFile(_Table):
    """The whole file."""

    site: SiteTable
    asset: list[AssetTable] = Field(min_length=1)
    template: dict[str, dict[str, MeasureTable]] = {}
    source: list[SourceTable] = []
    shift_pattern: list[ShiftPatternTable] = []
    alarm: list[AlarmTable] = []
    target: list[TargetTable] = []


def load_plant(path: Path) -> Plant:
    """Read and check the plant model at *path*.

    Raises
    ------
    PlantError
        No such file, not TOML, an unknown key, or a model that contradicts itself.
    """
    return _build(read_document(path, PlantFile, PlantError), path.name)


def parse_plant(text: str, origin: str = "plant") -> Plant:
    """Read a plant model from TOML *text*; errors start with *origin*."""
    return _build(parse_document(text, PlantFile, origin, PlantError), origin)


def _build(tables: PlantFile, origin: str) -> Plant:
    site = tables.site
    try:
        ZoneInfo(site.time_zone)
    except (KeyError, ValueError) as error:
        raise PlantError(
            f"{origin}: site.time_zone", site.time_zone, "use an IANA name such as Asia/Almaty"
        ) from error
    assets = {site.name: Asset(site.name, Level.SITE, "site", site.title, None)}
    tags: dict[str, Tag] = {}
    for table in tables.asset:
        template = _template(tables, table, origin)
        for path in expand(table.path):
            asset = _asset(table, path, site.name, assets, origin)
            assets[path] = asset
            for measure, given in template.items():
                tag = _tag(asset, measure, given)
                tags[tag.path] = tag
    plant = Plant(
        site.name,
        site.title,
        site.time_zone,
        assets,
        tags,
        _sources(tables, origin),
        tuple(given.pattern() for given in tables.shift_pattern),
    )
    _check_links(plant, origin)
    return replace(
        plant,
        alarms=alarm_limits(tables.alarm, plant, origin),
        targets=targets(tables.target, plant, origin),
    )


def _template(tables: PlantFile, table: AssetTable, origin: str) -> dict[str, MeasureTable]:
    if table.template is None:
        return {}
    if table.template not in tables.template:
        raise PlantError(
            f"{origin}: asset {table.path} template",
            table.template,
            nearest(table.template, tables.template),
        )
    return tables.template[table.template]


def _asset(table: AssetTable, path: str, site: str, assets: dict[str, Asset], origin: str) -> Asset:
    if not _PATH.fullmatch(path):
        raise PlantError(
            f"{origin}: asset.path", path, "lower-case words of a-z 0-9 _ - joined by /"
        )
    if path in assets:
        raise PlantError(f"{origin}: asset.path", path, "it is listed twice; keep one")
    parent = path.rpartition("/")[0] or site
    if parent not in assets:
        raise PlantError(f"{origin}: asset.path", path, f"list its parent {parent!r} before it")
    ratings = {name: Rating(given.value, given.unit) for name, given in table.ratings.items()}
    title = table.title or path.rpartition("/")[2]
    return Asset(path, table.level, table.type, title, parent, ratings)


def _tag(asset: Asset, measure: str, given: MeasureTable) -> Tag:
    low, high = given.limits or (None, None)
    return Tag(
        path=f"{asset.path}/{measure}",
        asset=asset.path,
        measure=measure,
        title=given.title,
        unit=given.unit,
        kind=given.kind,
        interpolation=given.interpolation,
        stale_after_s=given.stale_after_s,
        deadband=given.deadband,
        low=low,
        high=high,
        modulus=given.modulus,
        max_rate=given.max_rate,
        derivation=given.derivation(asset.path),
    )


def _sources(tables: PlantFile, origin: str) -> dict[str, str]:
    sources: dict[str, str] = {}
    for table in tables.source:
        if table.address in sources:
            raise PlantError(
                f"{origin}: source.address", table.address, "it is listed twice; keep one"
            )
        sources[table.address] = table.asset
    return sources


def _check_links(plant: Plant, origin: str) -> None:
    for wrong, found, right in chain(_broken_links(plant), faults(plant.shift_patterns)):
        raise PlantError(f"{origin}: {wrong}", found, right)


def _broken_links(plant: Plant) -> Iterator[tuple[str, object, str]]:
    for tag in plant.tags.values():
        operands = tag.derivation.operands if tag.derivation else ()
        if operands and tag.interpolation is Interpolation.LINEAR:
            yield f"{tag.path} interpolation", tag.interpolation.value, "a derived tag has steps"
        for operand in operands:
            if operand not in plant.tags:
                yield f"{tag.path} operands", operand, nearest(operand, plant.tags)
        if tag.low is not None and tag.high is not None and tag.low >= tag.high:
            yield f"{tag.path} limits", [tag.low, tag.high], "the lower limit comes first"
        if tag.kind is not Kind.COUNTER:
            yield from _counter_keys(tag)
    try:
        TopologicalSorter(
            {tag.path: tag.derivation.operands for tag in plant.tags.values() if tag.derivation}
        ).prepare()
    except CycleError as error:
        yield "derived", error.args[1], "a tag cannot be computed from itself"
    for address, asset in plant.sources.items():
        if asset not in plant.assets:
            yield f"source {address} asset", asset, nearest(asset, plant.assets)


def _counter_keys(tag: Tag) -> Iterator[tuple[str, object, str]]:
    if tag.modulus is not None:
        yield f"{tag.path} modulus", tag.kind.value, "only a counter wraps"
    if tag.max_rate is not None:
        yield f"{tag.path} max_rate", tag.kind.value, "only a counter climbs; others have limits"
