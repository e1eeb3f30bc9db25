"""The newest value of a tag, and whether it still holds."""

from dataclasses import replace
from datetime import timedelta

import httpx
import psycopg
import pytest

from schemas.db.catalogue import Catalogue
from schemas.plant.file import load_plant
from schemas.plant.model import Derivation
from tests.api.demo import LINE, NOW, PLANT, POTS, TURBINE, add_device, insert, store

VOLTAGE = f"{POTS[0]}/voltage"
CURRENT = f"{LINE}/line_current"


def latest(client: httpx.Client, *tags: str) -> list[dict[str, object]]:
    """The values of the answer."""
    answer = client.get("/api/v1/latest", params={"tag": list(tags)})
    assert answer.status_code == 200, answer.text
    values: list[dict[str, object]] = answer.json()["values"]
    return values


def ago(seconds: float) -> str:
    """An instant before now, as the API writes it."""
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_a_backfill_does_not_replace_the_newest(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """Newest is by source time, in whatever order readings arrive, and a repeat changes nothing."""
    insert(database, pavlodar, [(VOLTAGE, NOW - timedelta(seconds=5), 4.3, 192)])
    insert(database, pavlodar, [(VOLTAGE, NOW - timedelta(days=30), 9.9, 192)])

    (value,) = latest(api, VOLTAGE)

    assert (value["ts"], value["value"], value["quality"]) == (ago(5), 4.3, 192)


@pytest.mark.parametrize(("age_s", "quality"), [(60, 192), (61, 500)])
def test_a_value_is_stale_after_its_silence(
    api: httpx.Client, database: str, pavlodar: Catalogue, age_s: int, quality: int
) -> None:
    """The tag's own stale_after decides, to the second."""
    insert(database, pavlodar, [(VOLTAGE, NOW - timedelta(seconds=age_s), 4.3, 192)])

    assert latest(api, VOLTAGE)[0]["quality"] == quality


def test_the_quality_of_the_source_is_kept(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """Bad and uncertain values are shown as what they are."""
    insert(database, pavlodar, [(VOLTAGE, NOW, None, 0), (CURRENT, NOW, 480.0, 64)])

    values = latest(api, VOLTAGE, CURRENT)

    assert [(one["tag"], one["value"], one["quality"]) for one in values] == [
        (CURRENT, 480.0, 64),
        (VOLTAGE, None, 0),
    ]


def test_a_tag_that_was_never_read_says_so(api: httpx.Client) -> None:
    """Null and bad, with the reason."""
    (value,) = latest(api, VOLTAGE)

    assert (value["ts"], value["value"], value["quality"]) == (None, None, 0)
    assert value["reason"] == "no reading yet"


def test_the_values_of_a_dead_device_are_stale(demo: httpx.Client) -> None:
    """A fresh reading of a device that is offline is vouched for by nobody."""
    (value,) = latest(demo, TURBINE)

    assert (value["value"], value["quality"]) == (3000.0, 500)
    assert value["reason"] == "pavlodar/power-1/wtg-01 is offline"


def test_a_dead_node_takes_its_devices_along(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """A device that is online behind a node that is not is offline too."""
    insert(database, pavlodar, [(VOLTAGE, NOW, 4.2, 192)])
    add_device(database, "plc", [pavlodar.tag_ids[VOLTAGE]], online=True)
    assert latest(api, VOLTAGE)[0]["quality"] == 192

    with psycopg.connect(database) as connection:
        connection.execute("UPDATE edge_node SET online = false")

    assert latest(api, VOLTAGE)[0]["quality"] == 500


def test_one_living_device_is_enough(api: httpx.Client, database: str, pavlodar: Catalogue) -> None:
    """A tag that moved to another device is not stale because the old one is gone."""
    insert(database, pavlodar, [(VOLTAGE, NOW, 4.2, 192)])
    add_device(database, "old", [pavlodar.tag_ids[VOLTAGE]], online=False)
    add_device(database, "new", [pavlodar.tag_ids[VOLTAGE]], online=True)

    assert latest(api, VOLTAGE)[0]["quality"] == 192


def test_a_computed_tag_follows_its_operands(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """The product of the newest values, as new as the newer, as good as the worse."""
    insert(database, pavlodar, [(VOLTAGE, NOW - timedelta(seconds=3), 4.0, 192)])
    assert latest(api, f"{POTS[0]}/power")[0]["value"] is None

    insert(database, pavlodar, [(CURRENT, NOW - timedelta(seconds=9), 500.0, 64)])
    (value,) = latest(api, f"{POTS[0]}/power")

    assert (value["ts"], value["value"], value["quality"]) == (ago(3), 2000.0, 64)
    assert value["unit"] == "kW"


def test_a_tag_by_a_rule_that_looks_back(api: httpx.Client, database: str) -> None:
    """An anode effect of 30 s is one at its end too; a minute after it there is none."""
    path = f"{POTS[0]}/effect"
    plant = load_plant(PLANT)
    rule = Derivation("anode_effect", (VOLTAGE,), {"threshold": 8.0, "start_s": 3.0, "end_s": 60.0})
    effect = replace(plant.tags[VOLTAGE], path=path, measure="effect", unit="1", derivation=rule)
    catalogue = store(database, replace(plant, tags={**plant.tags, path: effect}))
    insert(database, catalogue, [(VOLTAGE, NOW - timedelta(seconds=40), 30.0, 192)])
    during = latest(api, path)[0]
    insert(database, catalogue, [(VOLTAGE, NOW - timedelta(seconds=10), 4.2, 192)])
    after = latest(api, path)[0]

    assert (during["ts"], during["value"]) == (ago(40), 1.0)
    assert (after["ts"], after["value"], after["quality"]) == (ago(10), 0.0, 192)


def test_unknown_tags_are_404_with_the_nearest(demo: httpx.Client) -> None:
    """A path that is none, and a pattern that fits none."""
    path = demo.get("/api/v1/latest", params={"tag": f"{POTS[0]}/voltag"})
    pattern = demo.get("/api/v1/latest", params={"tag": "smelter/*/nothing"})

    assert (path.status_code, pattern.status_code) == (404, 404)
    assert VOLTAGE in path.json()["right"]
    assert f"fits none of the {len(load_plant(PLANT).tags)} tags" in pattern.json()["right"]
