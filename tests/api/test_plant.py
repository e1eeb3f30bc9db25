"""Assets and tags."""

import httpx
import pytest

from schemas.plant.file import load_plant
from tests.api.demo import PLANT

PAVLODAR = load_plant(PLANT)


def get(client: httpx.Client, path: str, **query: object) -> httpx.Response:
    """The answer to a GET of *path* below ``/api/v1``."""
    return client.get(f"/api/v1/{path}", params={k: str(v) for k, v in query.items()})


def paths_of(node: dict[str, object]) -> list[str]:
    """The paths of a tree, parents first."""
    children = node["children"]
    assert isinstance(children, list)
    return [str(node["path"]), *(path for child in children for path in paths_of(child))]


def test_the_tree_holds_every_asset_once(demo: httpx.Client) -> None:
    """Without filters the site with all that is below it."""
    found = paths_of(get(demo, "assets").json())

    assert sorted(found) == sorted(PAVLODAR.assets)


def test_depth_cuts_the_tree(demo: httpx.Client) -> None:
    """Depth 1 is the site and its areas."""
    node = get(demo, "assets", depth=1).json()

    assert paths_of(node) == ["pavlodar", "smelter", "refinery", "power"]


@pytest.mark.parametrize(
    ("query", "leaves"),
    [
        ({"type": "inverter"}, [f"power/solar-1/inv-0{n}" for n in range(1, 5)]),
        ({"level": "line"}, ["smelter/potline-1", "power/wind-1", "power/solar-1"]),
        ({"pattern": "smelter/*/pot-01?", "level": "unit", "type": "pot"}, 10),
    ],
)
def test_filters_keep_the_branches_that_lead_to_what_fits(
    demo: httpx.Client, query: dict[str, str], leaves: list[str] | int
) -> None:
    """The ancestors of what fits stay, other branches go."""
    found = paths_of(get(demo, "assets", **query).json())
    ends = [path for path in found if not any(other.startswith(f"{path}/") for other in found)]
    ends.remove("pavlodar")

    assert ends == leaves or len(ends) == leaves
    assert found[0] == "pavlodar"


def test_an_unknown_root_names_the_nearest(demo: httpx.Client) -> None:
    """404 with the path that was meant."""
    answer = get(demo, "assets", root="smelter/potline-2")

    assert answer.status_code == 404
    assert "'smelter/potline-1'" in answer.json()["right"]


def test_filters_that_fit_nothing_are_an_error(demo: httpx.Client) -> None:
    """An empty tree would look like an empty plant."""
    assert get(demo, "assets", type="blast_furnace").status_code == 404


def test_an_unchanged_catalogue_is_not_sent_again(demo: httpx.Client) -> None:
    """The ETag of the answer gives 304; another one the body."""
    first = get(demo, "assets")
    again = demo.get("/api/v1/assets", headers={"If-None-Match": first.headers["ETag"]})
    other = demo.get("/api/v1/assets", headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert other.content == first.content


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, len(PAVLODAR.tags)),
        ({"pattern": "smelter/potline-1/pot-*/voltage"}, 24),
        ({"asset": "power/solar-1"}, 5 + 4 * 7),
        ({"measure": "power", "asset": "power"}, 12),
        ({"kind": "counter"}, 24 * 2 + 2 * 2 + 8 + 4),
        ({"kind": "counter", "asset": "smelter/potline-1/pot-024"}, 2),
    ],
)
def test_tags_fit_every_filter(demo: httpx.Client, query: dict[str, str], count: int) -> None:
    """Pattern, subtree, measure and kind together."""
    assert len(get(demo, "tags", **query).json()["tags"]) == count


def test_pages_of_tags_are_the_whole(demo: httpx.Client) -> None:
    """Following the cursor gives every tag once, in order."""
    whole = get(demo, "tags").json()["tags"]
    pages: list[dict[str, object]] = []
    cursor = None
    while cursor or not pages:
        page = get(demo, "tags", limit=50, **({"cursor": cursor} if cursor else {})).json()
        pages += page["tags"]
        cursor = page["cursor"]
        assert page["truncated"] == (cursor is not None)

    assert pages == whole
    assert len(whole) == len(PAVLODAR.tags)
