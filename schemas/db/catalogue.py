"""The plant in the database: stored by path, loaded with ids."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, delete, select, text

from schemas.db.tables import asset, plant, source, tag
from schemas.errors import PlantError
from schemas.plant.model import Asset, Level, Plant, Rating, Tag
from schemas.reading import Interpolation, Kind

Node = TypeVar("Node", Asset, Tag)

#: Each statement takes its rows as one JSON document: one round trip for 150,000 tags. MERGE and
#: not ON CONFLICT, which uses up an id for every row that is there already.
_MERGE_PLANT: Final = """
    MERGE INTO plant USING (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
            name text, title text, time_zone text)
    ) AS given ON plant.name = given.name
    WHEN MATCHED THEN UPDATE SET title = given.title, time_zone = given.time_zone,
        loaded_at = now()
    WHEN NOT MATCHED THEN INSERT (name, title, time_zone, loaded_at)
        VALUES (given.name, given.title, given.time_zone, now())
"""
_MERGE_ASSETS: Final = """
    MERGE INTO asset USING (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
            path text, level text, type text, title text, ratings jsonb)
    ) AS given ON asset.path = given.path
    WHEN MATCHED THEN UPDATE SET level = given.level, type = given.type, title = given.title,
        ratings = given.ratings
    WHEN NOT MATCHED THEN INSERT (path, level, type, title, ratings)
        VALUES (given.path, given.level, given.type, given.title, given.ratings)
"""
_LINK_PARENTS: Final = """
    UPDATE asset SET parent_id = parent.id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (path text, parent text)
    LEFT JOIN asset AS parent ON parent.path = given.parent
    WHERE asset.path = given.path AND asset.parent_id IS DISTINCT FROM parent.id
"""
_MERGE_TAGS: Final = """
    MERGE INTO tag USING (
        SELECT given.*, asset.id AS asset_id
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
            path text, asset text, measure text, title text, unit text, kind text,
            interpolation text, stale_after_s float8, deadband float8, low float8, high float8,
            modulus float8)
        JOIN asset ON asset.path = given.asset
    ) AS given ON tag.path = given.path
    WHEN MATCHED THEN UPDATE SET title = given.title, unit = given.unit, kind = given.kind,
        interpolation = given.interpolation, stale_after_s = given.stale_after_s,
        deadband = given.deadband, low = given.low, high = given.high, modulus = given.modulus
    WHEN NOT MATCHED THEN INSERT (path, asset_id, measure, title, unit, kind, interpolation,
            stale_after_s, deadband, low, high, modulus)
        VALUES (given.path, given.asset_id, given.measure, given.title, given.unit, given.kind,
            given.interpolation, given.stale_after_s, given.deadband, given.low, given.high,
            given.modulus)
"""
_LINK_PRODUCTS: Final = """
    UPDATE tag SET product = CASE WHEN first.id IS NOT NULL THEN ARRAY[first.id, second.id] END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (path text, first text, second text)
    LEFT JOIN tag AS first ON first.path = given.first
    LEFT JOIN tag AS second ON second.path = given.second
    WHERE tag.path = given.path AND (tag.product IS NOT NULL OR first.id IS NOT NULL)
"""
_INSERT_SOURCES: Final = """
    INSERT INTO source (address, asset_id)
    SELECT given.address, asset.id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (address text, asset text)
    JOIN asset ON asset.path = given.asset
"""


@dataclass(frozen=True)
class Catalogue:
    """The plant as the database knows it, with the ids of its tags.

    It holds what was ever stored: a tag that left the plant file keeps its history.
    """

    plant: Plant
    tag_ids: Mapping[str, int]

    @cached_property
    def tags(self) -> Mapping[int, Tag]:
        """Tags by id."""
        return {self.tag_ids[path]: tag for path, tag in self.plant.tags.items()}

    @cached_property
    def measures(self) -> Mapping[str, Mapping[str, Tag]]:
        """The tags of each asset, by measure."""
        found: dict[str, dict[str, Tag]] = {path: {} for path in self.plant.assets}
        for tag in self.plant.tags.values():
            found[tag.asset][tag.measure] = tag
        return found

    def tags_below(self, path: str) -> list[Tag]:
        """The tags of the asset at *path* and of all below it; `PlantError` if there is none."""
        return [
            tag for part in self.plant.subtree(path) for tag in self.measures[part.path].values()
        ]

    def source_of(self, group: str, node: str, device: str | None) -> Asset | None:
        """The asset that a foreign Sparkplug source measures: the device's own entry, else its
        node's; None for a source whose metric names are tag paths."""
        addresses = [f"{group}/{node}/{device}"] if device is not None else []
        for address in (*addresses, f"{group}/{node}"):
            if path := self.plant.sources.get(address):
                return self.plant.assets[path]
        return None


def store_plant(connection: Connection, model: Plant) -> None:
    """Store *model*, in the caller's transaction: assets and tags by path, ids never change.

    Assets and tags that *model* lacks stay, for their history; its sources replace all others.

    Raises
    ------
    PlantError
        The database belongs to another plant.
    """
    connection.execute(text("LOCK TABLE plant IN SHARE ROW EXCLUSIVE MODE"))
    for name in connection.scalars(select(plant.c.name)):
        if name != model.name:
            raise PlantError(
                "site.name", model.name, f"this database holds {name!r}; name another database"
            )
    site = {"name": model.name, "title": model.title, "time_zone": model.time_zone}
    connection.execute(delete(source))
    for statement, rows in (
        (_MERGE_PLANT, [site]),
        (_MERGE_ASSETS, [asdict(row) for row in model.assets.values()]),
        (
            _LINK_PARENTS,
            [{"path": row.path, "parent": row.parent} for row in model.assets.values()],
        ),
        (_MERGE_TAGS, [asdict(row) for row in model.tags.values()]),
        (_LINK_PRODUCTS, [_operands(row) for row in model.tags.values()]),
        (_INSERT_SOURCES, [{"address": a, "asset": path} for a, path in model.sources.items()]),
    ):
        connection.execute(text(statement), {"rows": json.dumps(rows)})


def load_catalogue(connection: Connection) -> Catalogue:
    """The catalogue as it stands.

    Raises
    ------
    PlantError
        No plant was stored yet.
    """
    site = connection.execute(select(plant)).one_or_none()
    if site is None:
        raise PlantError("plant", None, "store one: python -m ingest migrate --plant FILE")
    asset_paths = {row.id: row.path for row in connection.execute(select(asset.c.id, asset.c.path))}
    tag_paths = {row.id: row.path for row in connection.execute(select(tag.c.id, tag.c.path))}
    assets = connection.execute(select(asset).order_by(asset.c.id))
    tags = connection.execute(select(tag).order_by(tag.c.id))
    sources = connection.execute(select(source).order_by(source.c.address))
    return Catalogue(
        Plant(
            site.name,
            site.title,
            site.time_zone,
            _by_path(_asset(row, asset_paths) for row in assets),
            _by_path(_tag(row, asset_paths, tag_paths) for row in tags),
            {row.address: asset_paths[row.asset_id] for row in sources},
        ),
        {path: tag_id for tag_id, path in tag_paths.items()},
    )


def _operands(row: Tag) -> dict[str, str | None]:
    first, second = row.product or (None, None)
    return {"path": row.path, "first": first, "second": second}


def _by_path(rows: Iterable[Node]) -> dict[str, Node]:
    return {row.path: row for row in rows}


def _asset(row: Row[Any], paths: Mapping[int, str]) -> Asset:
    return Asset(
        path=row.path,
        level=Level(row.level),
        type=row.type,
        title=row.title,
        parent=None if row.parent_id is None else paths[row.parent_id],
        ratings={name: Rating(**given) for name, given in row.ratings.items()},
    )


def _tag(row: Row[Any], assets: Mapping[int, str], tags: Mapping[int, str]) -> Tag:
    return Tag(
        path=row.path,
        asset=assets[row.asset_id],
        measure=row.measure,
        title=row.title,
        unit=row.unit,
        kind=Kind(row.kind),
        interpolation=Interpolation(row.interpolation),
        stale_after_s=row.stale_after_s,
        deadband=row.deadband,
        low=row.low,
        high=row.high,
        modulus=row.modulus,
        product=None if row.product is None else (tags[row.product[0]], tags[row.product[1]]),
    )
