"""The plant in the database: stored by path, loaded with ids."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, time
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Row,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from schemas.db.alarms import load_alarms, store_alarms
from schemas.db.outdated import mark_outdated
from schemas.db.tables import asset, plant, source, tag
from schemas.db.targets import load_targets, store_targets
from schemas.errors import PlantError
from schemas.plant.model import Asset, Derivation, Level, Plant, Rating, Tag
from schemas.plant.shifts import Shift, ShiftPattern
from schemas.reading import Interpolation, Kind

Node = TypeVar("Node", Asset, Tag)


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
        for one in self.plant.tags.values():
            found[one.asset][one.measure] = one
        return found

    def tags_below(self, path: str) -> list[Tag]:
        """The tags of the asset at *path* and of all below it; `PlantError` if there is none."""
        return [
            tag for part in self.plant.subtree(path) for tag in self.measures[part.path].values()
        ]

    def source_of(self, group: str, node: str, device: str | None) -> Asset | None:
        """The asset that a foreign Sparkplug source measures, by its device's entry or its node's.

        None for a source whose metric names are tag paths.
        """
        addresses = [f"{group}/{node}/{device}"] if device is not None else []
        for address in (*addresses, f"{group}/{node}"):
            if path := self.plant.sources.get(address):
                return self.plant.assets[path]
        return None


def store_plant(connection: Connection, model: Plant) -> None:
    """Store *model* in the caller's transaction: assets and tags by path, ids never change.

    Assets and tags that *model* lacks stay, for their history; its sources replace all others.
    Only what differs from the stored is written. Summaries of tags that are made another way now
    are marked, to be made again.

    Raises
    ------
    PlantError
        The database belongs to another plant.
    """
    connection.execute(text("LOCK TABLE plant IN SHARE ROW EXCLUSIVE MODE"))
    _store_site(connection, model)
    known = load_catalogue(connection).plant
    asset_ids = _store_assets(connection, model.assets, known.assets)
    tag_ids = _store_tags(connection, model.tags, known.tags, asset_ids)
    mark_outdated(connection, known.tags, model, tag_ids)
    connection.execute(delete(source))
    _insert(
        connection,
        source,
        [{"address": key, "asset_id": asset_ids[path]} for key, path in model.sources.items()],
    )
    store_alarms(connection, model.alarms, asset_ids, _ids(connection, tag))
    store_targets(connection, model.targets, asset_ids)


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
    tag_ids = _ids(connection, tag)
    asset_paths = {asset_id: path for path, asset_id in _ids(connection, asset).items()}
    assets = connection.execute(select(asset).order_by(asset.c.id))
    tags = connection.execute(select(tag).order_by(tag.c.id))
    sources = connection.execute(select(source).order_by(source.c.address))
    return Catalogue(
        Plant(
            site.name,
            site.title,
            site.time_zone,
            _by_path(_asset(row, asset_paths) for row in assets),
            _by_path(_tag(row, asset_paths) for row in tags),
            {row.address: asset_paths[row.asset_id] for row in sources},
            tuple(_shift_pattern(**given) for given in site.shift_patterns),
            tuple(load_alarms(connection).values()),
            load_targets(connection),
        ),
        tag_ids,
    )


def _store_site(connection: Connection, model: Plant) -> None:
    site = {
        "title": model.title,
        "time_zone": model.time_zone,
        "loaded_at": func.now(),
        "shift_patterns": [_written(pattern) for pattern in model.shift_patterns],
    }
    match connection.scalars(select(plant.c.name)).all():
        case []:
            connection.execute(insert(plant).values(name=model.name, **site))
        case [model.name]:
            connection.execute(update(plant).values(site))
        case [other, *_]:
            raise PlantError(
                "site.name", model.name, f"this database holds {other!r}; name another database"
            )


def _store_assets(
    connection: Connection, given: Mapping[str, Asset], known: Mapping[str, Asset]
) -> Mapping[str, int]:
    """Write what differs, return the ids; parents are linked when all have one."""
    changed = {
        row.path: {
            "path": row.path,
            "level": row.level,
            "type": row.type,
            "title": row.title,
            "ratings": {name: asdict(rating) for name, rating in row.ratings.items()},
        }
        for row in given.values()
        if known.get(row.path) != row
    }
    _insert(connection, asset, [row for path, row in changed.items() if path not in known])
    ids = _ids(connection, asset)
    parents = {path: given[path].parent for path in changed}
    _update(
        connection,
        asset,
        [
            row | {"parent_id": ids[up] if (up := parents[path]) else None}
            for path, row in changed.items()
        ],
    )
    return ids


def _store_tags(
    connection: Connection,
    given: Mapping[str, Tag],
    known: Mapping[str, Tag],
    asset_ids: Mapping[str, int],
) -> Mapping[str, int]:
    """Write what differs, return the ids; products are linked when all tags have one."""
    changed = {}
    for row in given.values():
        if known.get(row.path) != row:
            columns = asdict(row) | {"asset_id": asset_ids[row.asset], "product": None}
            del columns["asset"]
            changed[row.path] = columns
    _insert(connection, tag, [row for path, row in changed.items() if path not in known])
    ids = _ids(connection, tag)
    operands = {path: given[path].product for path in changed}
    _update(
        connection,
        tag,
        [
            row | {"product": [ids[operand] for operand in operands[path] or ()] or None}
            for path, row in changed.items()
            if path in known or operands[path]
        ],
    )
    return ids


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _update(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        at_path = update(table).where(table.c.path == bindparam("at"))
        connection.execute(at_path, [row | {"at": row["path"]} for row in rows])


def _ids(connection: Connection, table: Table) -> Mapping[str, int]:
    return {row.path: row.id for row in connection.execute(select(table.c.path, table.c.id))}


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


def _tag(row: Row[Any], assets: Mapping[int, str]) -> Tag:
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
        max_rate=row.max_rate,
        derivation=None if row.derivation is None else _derivation(**row.derivation),
    )


def _written(pattern: ShiftPattern) -> dict[str, Any]:
    """As JSON has it: days and times by ISO 8601."""
    written = asdict(pattern)
    for name in ("valid_from", "valid_to"):
        written[name] = written[name] and written[name].isoformat()
    written["shifts"] = [
        {**asdict(shift), "start": shift.start.isoformat()} for shift in pattern.shifts
    ]
    return written


def _shift_pattern(
    name: str, valid_from: str, valid_to: str | None, shifts: list[dict[str, Any]]
) -> ShiftPattern:
    return ShiftPattern(
        name,
        date.fromisoformat(valid_from),
        None if valid_to is None else date.fromisoformat(valid_to),
        tuple(
            Shift(given["name"], time.fromisoformat(given["start"]), tuple(given["crews"]))
            for given in shifts
        ),
    )


def _derivation(rule: str, operands: list[str], constants: dict[str, float]) -> Derivation:
    return Derivation(rule, tuple(operands), constants)
