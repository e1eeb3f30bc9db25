"""Plant files: templates and ranges in, a checked plant out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PlantError
from schemas.plant.file import load_plant, parse_plant
from schemas.plant.model import Derivation, Level, Rating
from schemas.plant.ranges import expand
from schemas.reading import Interpolation, Kind
from tests.schemas.plants import SMALL

PAVLODAR = Path(__file__).parents[3] / "plants" / "pavlodar.toml"


def changed(old: str, new: str) -> str:
    """The small plant with one piece of text replaced."""
    assert SMALL.count(old) == 1, "the text to replace stands there once"
    return SMALL.replace(old, new)


def test_the_pavlodar_plant_is_sound() -> None:
    """24 pots, 8 turbines and 4 inverters from one table each, with all their tags."""
    plant = load_plant(PAVLODAR)
    kinds = [asset.type for asset in plant.assets.values()]

    assert (kinds.count("pot"), kinds.count("turbine"), kinds.count("inverter")) == (24, 8, 4)
    assert sum(tag.measure == "voltage" for tag in plant.tags.values()) == 24
    assert plant.time_zone == "Asia/Almaty"


def test_a_template_gives_each_asset_its_tags() -> None:
    """Path, unit, kind, limits, as the template says; defaults where it is silent."""
    plant = parse_plant(SMALL)
    voltage = plant.tag("smelter/line-1/pot-02/voltage")
    current = plant.tag("smelter/line-1/line_current")

    assert (voltage.asset, voltage.measure) == ("smelter/line-1/pot-02", "voltage")
    assert (voltage.low, voltage.high, voltage.deadband) == (0.0, 60.0, 0.002)
    assert (voltage.kind, voltage.interpolation) == (Kind.GAUGE, Interpolation.LINEAR)
    assert (current.interpolation, current.deadband, current.low) == (Interpolation.STEP, 0.0, None)


def test_the_tree() -> None:
    """The site on top, parents by path, ratings on the asset."""
    plant = parse_plant(SMALL)

    assert plant.asset("park").level is Level.SITE
    assert plant.asset("smelter").parent == "park"
    assert plant.asset("smelter/line-1/pot-01").parent == "smelter/line-1"
    assert plant.asset("smelter/line-1").ratings == {"line_current": Rating(500.0, "kA")}
    assert [asset.path for asset in plant.subtree("smelter")] == [
        "smelter",
        "smelter/line-1",
        "smelter/line-1/pot-01",
        "smelter/line-1/pot-02",
    ]
    assert [asset.path for asset in plant.subtree("park")] == list(plant.assets)


def test_products_are_relative_to_their_asset() -> None:
    """`../line_current` of a pot is the line's."""
    assert parse_plant(SMALL).tag("smelter/line-1/pot-01/power").product == (
        "smelter/line-1/pot-01/voltage",
        "smelter/line-1/line_current",
    )


def test_a_derived_tag_names_its_rule() -> None:
    """Operands relative to the asset, constants beside them; what it is finally made of."""
    text = (
        SMALL
        + """
[template.pot.loss]
title = "Loss"
unit = "kW"
kind = "gauge"
stale_after_s = 60
derived = { rule = "loss", operands = ["power", "../line_current"], constants = { limit = 4.0 } }
"""
    )
    plant = parse_plant(text)
    pot = "smelter/line-1/pot-02"
    loss = plant.tag(f"{pot}/loss")

    assert loss.product is None
    assert loss.derivation == Derivation(
        "loss", (f"{pot}/power", "smelter/line-1/line_current"), {"limit": 4.0}
    )
    assert [tag.path for tag in plant.made_of(loss.path)] == [
        f"{pot}/voltage",
        "smelter/line-1/line_current",
        "smelter/line-1/line_current",
    ]


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("pot", ["pot"]),
        ("pot-{1..3}", ["pot-1", "pot-2", "pot-3"]),
        ("pot-{008..011}", ["pot-008", "pot-009", "pot-010", "pot-011"]),
        ("a-{1..2}/b-{01..02}", ["a-1/b-01", "a-1/b-02", "a-2/b-01", "a-2/b-02"]),
        ("{7..7}", ["7"]),
    ],
)
def test_ranges(path: str, paths: list[str]) -> None:
    """Leading zeros are kept; two ranges give every pair."""
    assert list(expand(path)) == paths


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 4))
def test_a_range_gives_each_number_once(low: int, more: int, width: int) -> None:
    """As many paths as numbers, all different."""
    paths = expand(f"x-{{{low:0{width}d}..{low + more}}}")

    assert len(set(paths)) == more + 1


def test_a_range_that_runs_backwards_is_refused() -> None:
    """It would stand for no asset at all, and nobody would notice."""
    with pytest.raises(PlantError, match="lower number comes first"):
        expand("pot-{024..001}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed("Asia/Almaty", "Asia/Astana"), "site.time_zone: found 'Asia/Astana'; use an IANA"),
        (changed('template = "pot"', 'template = "pott"'), "did you mean 'pot'?"),
        (changed('"voltage", "../line_current"', '"voltag", "../line_current"'), "/voltage'?"),
        (changed('"voltage", "../line_current"', '"power", "../line_current"'), "from itself"),
        (
            changed(
                '"voltage", "../line_current"]',
                '"voltage", "../line_current"]\nderived = '
                '{ rule = "above", operands = ["voltage"] }',
            ),
            "keep one of them",
        ),
        (
            changed(
                '"voltage", "../line_current"]',
                '"voltage", "../line_current"]\ninterpolation = "linear"',
            ),
            "a derived tag has steps",
        ),
        (changed("[0.0, 60.0]", "[60.0, 0.0]"), "the lower limit comes first"),
        (changed('kind = "counter"', 'kind = "gauge"'), "only a counter wraps"),
        (
            changed("stale_after_s = 129600", "stale_after_s = 1\nmax_rate = 9"),
            "only a counter climbs",
        ),
        (changed("max_rate = 11000", "max_rate = 0"), "greater than 0"),
        (changed('asset = "wind"', 'asset = "wnd"'), "did you mean 'wind'?"),
        (changed('"foreign/farm/pot"', '"foreign"'), "source.1.address"),
        (changed('"foreign/farm/pot"', '"foreign/farm"'), "listed twice"),
        (changed('path = "wind"', 'path = "Wind"'), "lower-case words"),
        (changed('path = "wind"', 'path = "smelter"'), "listed twice"),
        (changed('path = "wind"', 'path = "power/wind"'), "list its parent 'power' before it"),
        (changed('level = "area"', 'level = "aera"'), "asset.0.level"),
        (changed("stale_after_s = 300", "stale_after_s = 0"), "stale_after_s: found 0"),
        (changed("stale_after_s = 300", "stale_after = 300"), "did you mean 'stale_after_s'?"),
        (changed("value = 500.0", "value = inf"), "ratings"),
        ("[site]", "site.name"),
        ("site = [", "not TOML"),
    ],
)
def test_a_wrong_plant_says_what_would_be_right(text: str, said: str) -> None:
    """The operator gets the file, the key, the value and a way out."""
    with pytest.raises(PlantError) as caught:
        parse_plant(text, "park.toml")

    assert str(caught.value).startswith("park.toml: ")
    assert said in str(caught.value)


def test_lookups_name_the_nearest() -> None:
    """A mistyped path is answered with the one that was meant."""
    plant = parse_plant(SMALL)
    with pytest.raises(PlantError, match="did you mean 'smelter/line-1'"):
        plant.asset("smelter/line1")
    with pytest.raises(PlantError, match="did you mean 'wind/energy'"):
        plant.tag("wind/energie")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A plant error, so that the command ends with exit code 2."""
    with pytest.raises(PlantError, match="absent"):
        load_plant(tmp_path / "absent.toml")
