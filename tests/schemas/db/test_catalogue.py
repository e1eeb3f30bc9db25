"""The plant in the database: the same plant, with ids that never change."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import select

from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import downgrade, upgrade
from schemas.db.tables import tag
from schemas.errors import PlantError
from schemas.plant.file import load_plant, parse_plant
from schemas.plant.model import Derivation, Plant
from tests.schemas.plants import SMALL

PAVLODAR = Path(__file__).parents[3] / "plants" / "pavlodar.toml"


@pytest.fixture
def engine(database: str) -> Iterator[sqlalchemy.Engine]:
    """An engine on a migrated database."""
    made = make_engine(database)
    yield made
    made.dispose()


@pytest.fixture
def plant() -> Plant:
    """The small plant."""
    return parse_plant(SMALL)


def stored(engine: sqlalchemy.Engine, plant: Plant) -> dict[str, int]:
    """Store *plant*; the ids of the tags afterwards."""
    with engine.begin() as connection:
        store_plant(connection, plant)
    with engine.connect() as connection:
        return dict(load_catalogue(connection).tag_ids)


def test_what_was_stored_is_loaded(engine: sqlalchemy.Engine) -> None:
    """The whole Pavlodar model comes back equal: assets, tags, ratings, products, order."""
    given = load_plant(PAVLODAR)
    stored(engine, given)
    with engine.connect() as connection:
        loaded = load_catalogue(connection).plant

    assert loaded == given
    assert list(loaded.assets) == list(given.assets)
    assert list(loaded.tags) == list(given.tags)


def test_storing_again_changes_no_row(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """A second start writes nothing: ids and row versions stay."""
    versions = sqlalchemy.text(
        "SELECT path, id, xmin::text FROM tag UNION ALL"
        " SELECT path, id, xmin::text FROM asset ORDER BY 1"
    )
    stored(engine, plant)
    with engine.connect() as connection:
        before = connection.execute(versions).all()
    stored(engine, plant)
    with engine.connect() as connection:
        assert connection.execute(versions).all() == before


def test_ids_survive_a_change(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """A corrected unit is stored under the id that the tag always had; new tags get new ids."""
    before = stored(engine, plant)
    pot = "smelter/line-1/pot-01"
    changed = dict(plant.tags)
    changed[f"{pot}/voltage"] = replace(changed[f"{pot}/voltage"], unit="mV", high=None)
    changed[f"{pot}/noise"] = replace(
        changed[f"{pot}/voltage"], path=f"{pot}/noise", measure="noise"
    )
    after = stored(engine, replace(plant, tags=changed))
    with engine.connect() as connection:
        loaded = load_catalogue(connection)

    assert {path: after[path] for path in before} == before
    assert after[f"{pot}/noise"] not in before.values()
    assert loaded.tags[before[f"{pot}/voltage"]].unit == "mV"
    assert loaded.tags[before[f"{pot}/voltage"]].high is None


def test_a_tag_that_left_the_file_keeps_its_history(
    engine: sqlalchemy.Engine, plant: Plant
) -> None:
    """It stays in the catalogue, under its id."""
    before = stored(engine, plant)
    gone = "wind/energy"
    fewer = {path: one for path, one in plant.tags.items() if path != gone}

    assert stored(engine, replace(plant, tags=fewer))[gone] == before[gone]


def test_a_source_that_left_the_file_is_forgotten(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """A mapping is no history: left behind, it would send readings to the wrong asset."""
    stored(engine, plant)
    stored(engine, replace(plant, sources={"foreign/farm": "smelter"}))
    with engine.connect() as connection:
        assert load_catalogue(connection).plant.sources == {"foreign/farm": "smelter"}


def test_products_know_their_operands_by_id(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """Also where an operand comes later in the file, and when a product becomes measured."""
    path = "smelter/line-1/pot-02/power"
    ids = stored(engine, plant)
    product = select(tag.c.product).where(tag.c.path == path)
    with engine.connect() as connection:
        assert connection.scalar(product) == [
            ids["smelter/line-1/pot-02/voltage"],
            ids["smelter/line-1/line_current"],
        ]
    measured = replace(plant.tags[path], derivation=None)
    stored(engine, replace(plant, tags={**plant.tags, path: measured}))
    with engine.connect() as connection:
        assert connection.scalar(product) is None


def test_a_rule_is_stored_with_its_constants(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """What a derived tag is computed by comes back equal, and goes when the tag is measured."""
    path = "smelter/line-1/pot-02/power"
    derivation = Derivation("above", ("smelter/line-1/pot-02/voltage",), {"limit": 8.0})
    for given in (derivation, None):
        tags = {**plant.tags, path: replace(plant.tags[path], derivation=given)}
        stored(engine, replace(plant, tags=tags))
        with engine.connect() as connection:
            assert load_catalogue(connection).plant.tags[path].derivation == given


def test_products_of_the_first_revision_get_their_rule(
    engine: sqlalchemy.Engine, database: str
) -> None:
    """A database that was filled before there were rules gives the same plant."""
    plant = parse_plant(SMALL.replace("max_rate = 11000\n", ""))
    stored(engine, plant)
    downgrade(database, "0001")
    upgrade(database)
    with engine.connect() as connection:
        assert load_catalogue(connection).plant == plant


def test_another_plant_is_refused(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """Two sites in one database would share tag paths; the message names the one that is there."""
    stored(engine, plant)
    with pytest.raises(PlantError, match="'park'"):
        stored(engine, replace(plant, name="quarry"))


def test_a_failed_store_leaves_the_old_plant(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """All or nothing: a tag that the database refuses takes the asset before it along."""
    stored(engine, plant)
    broken = replace(plant.tags["wind/energy"], path="wind/broken", stale_after_s=None)  # type: ignore[arg-type] # what must be refused
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        stored(engine, replace(plant, title="Other", tags={**plant.tags, broken.path: broken}))
    with engine.connect() as connection:
        assert load_catalogue(connection).plant == plant


def test_no_plant_yet(engine: sqlalchemy.Engine) -> None:
    """The error says by which command one gets in."""
    with engine.connect() as connection, pytest.raises(PlantError, match="migrate --plant"):
        load_catalogue(connection)


def test_lookups(engine: sqlalchemy.Engine, plant: Plant) -> None:
    """Tags by id, by asset and measure, and below an asset of the tree."""
    ids = stored(engine, plant)
    with engine.connect() as connection:
        found = load_catalogue(connection)

    assert all(found.tags[tag_id].path == path for path, tag_id in ids.items())
    assert found.measures["wind"]["energy"].path == "wind/energy"
    assert found.measures["smelter"] == {}
    assert {one.path for one in found.tags_below("smelter/line-1")} == {
        path for path in ids if path.startswith("smelter/")
    }
    with pytest.raises(PlantError, match="did you mean 'smelter'"):
        found.tags_below("smeltr")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("foreign", "farm", "pot"), "smelter/line-1/pot-01"),
        (("foreign", "farm", "other"), "wind"),
        (("foreign", "farm", None), "wind"),
        (("foreign", "far", None), None),
        (("park", "line-1", "plc"), None),
    ],
)
def test_foreign_sources(
    engine: sqlalchemy.Engine,
    plant: Plant,
    address: tuple[str, str, str | None],
    expected: str | None,
) -> None:
    """A device's own entry comes before its node's; our own nodes have none."""
    stored(engine, plant)
    with engine.connect() as connection:
        source = load_catalogue(connection).source_of(*address)

    assert (source.path if source else None) == expected
