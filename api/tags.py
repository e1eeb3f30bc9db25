"""``/api/v1/tags``: the points of the plant, and how a request names some of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.assets import find_asset
from api.cursor import Cursor, fingerprint
from api.formats import cached
from api.openapi import answers
from api.parameters import AskedPage
from api.pattern import compile_pattern, is_pattern, matching
from api.store import Database
from schemas.db.catalogue import Catalogue
from schemas.errors import NotFoundError, nearest
from schemas.plant.model import Tag
from schemas.reading import Kind

router = APIRouter(prefix="/api/v1", tags=["plant"])


@dataclass(frozen=True, slots=True)
class Tags:
    """A page of the catalogue of tags. ``cursor`` leads to the next page while there is one."""

    tags: list[Tag]
    truncated: bool
    cursor: str | None


class AskedTags(AskedPage):
    """Which tags to list."""

    pattern: str = Field(default="**", description="path pattern such as smelter/**/voltage")
    asset: str | None = Field(default=None, description="this asset and all below it")
    measure: str | None = Field(default=None, description="what they measure, as voltage")
    kind: Kind | None = None


@router.get("/tags", summary="The tags of the plant", responses=answers(Tags))
def list_tags(request: Request, store: Database, asked: Annotated[AskedTags, Query()]) -> Response:
    """The tags that fit every filter given, in the order of the catalogue, page by page."""
    catalogue = store.catalogue()
    filters = fingerprint("tags", asked.pattern, asked.asset, asked.measure, asked.kind)
    first = Cursor.decode(asked.cursor, filters).key[0] if asked.cursor else 0
    fitting = [tag for tag in _fitting(catalogue, asked) if catalogue.tag_ids[tag.path] >= first]
    page, rest = fitting[: asked.limit], fitting[asked.limit :]
    cursor = Cursor(filters, (catalogue.tag_ids[rest[0].path], 0)).encode() if rest else None
    return cached(request, Tags(page, truncated=bool(rest), cursor=cursor))


def _fitting(catalogue: Catalogue, asked: AskedTags) -> Iterator[Tag]:
    below = None
    if asked.asset is not None:
        top = find_asset(catalogue.plant, "asset", asked.asset)
        below = {asset.path for asset in catalogue.plant.subtree(top.path)}
    expression = compile_pattern("pattern", asked.pattern)
    for tag in in_order(catalogue, catalogue.plant.tags):
        if (
            (below is None or tag.asset in below)
            and (asked.measure is None or tag.measure == asked.measure)
            and (asked.kind is None or tag.kind == asked.kind)
            and expression.fullmatch(tag.path)
        ):
            yield tag


def select_tags(catalogue: Catalogue, wanted: Sequence[str]) -> list[Tag]:
    """The tags that *wanted* names, each once, in the order of the catalogue.

    Raises
    ------
    NotFoundError
        A path is no tag, or a pattern fits none; names the nearest.
    """
    known = catalogue.plant.tags
    found: set[str] = set()
    for text in wanted:
        paths = matching("tag", text, known) if is_pattern(text) else [text]
        if not paths:
            raise NotFoundError("tag", text, f"it fits none of the {len(known)} tags; see /tags")
        if paths[0] not in known:
            raise NotFoundError("tag", text, nearest(text, known))
        found.update(paths)
    return in_order(catalogue, found)


def in_order(catalogue: Catalogue, paths: Iterable[str]) -> list[Tag]:
    """The tags at *paths* in the order of the catalogue, that of their ids."""
    return [catalogue.plant.tag(path) for path in sorted(paths, key=catalogue.tag_ids.__getitem__)]
