"""The plant as somebody sees it who may see only some of it."""

import pytest

from api.access.areas import PART, Areas, seen
from kpi.binding import bind, kpis_of
from kpi.catalogue.park import KPIS
from schemas.db.catalogue import Catalogue
from schemas.errors import RequestError
from schemas.plant.file import load_plant
from tests.api.demo import PLANT


@pytest.fixture(scope="module")
def whole() -> Catalogue:
    """The plant of the repository with ids."""
    plant = load_plant(PLANT)
    return Catalogue(plant, {path: place for place, path in enumerate(plant.tags, 1)})


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("smelter/**", "smelter/potline-1/pot-001", "refinery/digestion-1"),
        ("smelter", "smelter", "smelter-2"),
        ("smelter/*/pot-00?", "smelter/potline-1/pot-009", "smelter/potline-1"),
        ("**", "pavlodar", ""),
    ],
)
def test_an_area_is_an_asset_with_all_below(pattern: str, inside: str, outside: str) -> None:
    """By path or pattern; a name that merely begins alike is another asset."""
    areas = Areas((pattern,))

    assert areas.hold(inside)
    assert not outside or not areas.hold(outside)


def test_too_many_wildcards_are_refused() -> None:
    """An area is a pattern like any other."""
    with pytest.raises(RequestError):
        Areas(("*/" * 9 + "x",)).hold("smelter")


def test_only_the_area_is_seen(whole: Catalogue) -> None:
    """Tags of the area alone, with the ids that they have; the way to them leads from the site."""
    found = seen(whole, Areas(("smelter/**",)))

    assert set(found.plant.tags) == {path for path in whole.plant.tags if path[:8] == "smelter/"}
    assert all(whole.tag_ids[path] == tag_id for path, tag_id in found.tag_ids.items())
    assert {path.split("/")[0] for path in found.plant.assets} == {"pavlodar", "smelter"}
    assert found.plant.asset("pavlodar").type == PART
    assert found.plant.asset("smelter") == whole.plant.asset("smelter")


def test_a_computed_tag_needs_all_that_it_is_made_of(whole: Catalogue) -> None:
    """A pot's power would tell the line's current to who may not see the line."""
    found = seen(whole, Areas(("smelter/potline-1/pot-001",)))

    assert "smelter/potline-1/pot-001/voltage" in found.plant.tags
    assert "smelter/potline-1/pot-001/power" not in found.plant.tags
    assert found.plant.asset("smelter/potline-1/pot-001").type == PART


@pytest.mark.parametrize("pattern", ["smelter/**", "power/wind-1", "power/*/inv-0?", "refinery"])
def test_a_kpi_is_never_of_a_part(whole: Catalogue, pattern: str) -> None:
    """A KPI that an area shows is bound to the very tags that the whole plant binds it to."""
    found = seen(whole, Areas((pattern,)))
    bound = 0
    for path in found.plant.assets:
        for kpi in kpis_of(KPIS, path, found.plant):
            bound += 1
            own = bind(kpi, path, found.plant, found.tag_ids)
            assert own == bind(kpi, path, whole.plant, whole.tag_ids)

    assert bound


def test_nothing_is_seen_of_no_area(whole: Catalogue) -> None:
    """A token without areas opens an empty plant."""
    found = seen(whole, Areas(()))

    assert not found.plant.tags
    assert list(found.plant.assets) == ["pavlodar"]
