"""``/api/v1/kpis``: which KPIs there are, by what formula, from what."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl
from fastapi import APIRouter, Request, Response

from api.assets import find_asset
from api.formats import cached
from api.openapi import answers
from api.same import Same
from kpi.binding import Binding, bind, kpis_of
from kpi.catalogue.park import KPIS
from kpi.document import made_of
from kpi.kpi import Kpi
from kpi.sums import TERMS
from schemas.db.catalogue import Catalogue
from schemas.errors import NotFoundError, nearest

router = APIRouter(prefix="/api/v1", tags=["KPIs"])


@dataclass(frozen=True, slots=True)
class Operand:
    """An additive input of a formula, and the measures or the rating that it is summed from."""

    name: str
    title: str
    unit: str
    made_of: list[str]


@dataclass(frozen=True, slots=True)
class Declared:
    """A KPI as it is declared. ``parameter_sets`` are its methodologies with their sources."""

    id: str
    title: str
    unit: str
    description: str
    formula: str
    inputs: list[Operand]
    asset_types: list[str]
    valid: tuple[float, float]
    minimum_coverage: float
    source: str
    parameter_sets: dict[str, str]


@dataclass(frozen=True, slots=True)
class Kpis:
    """The catalogue of KPIs."""

    kpis: list[Declared]


@router.get("/kpis", summary="The catalogue of KPIs", responses=answers(Kpis))
async def catalogue_of_kpis(request: Request) -> Response:
    """Every KPI with its formula, unit, inputs and source."""
    return cached(request, Kpis([_declared(kpi) for kpi in KPIS.values()]))


def _declared(kpi: Kpi) -> Declared:
    return Declared(
        id=kpi.id,
        title=kpi.title,
        unit=kpi.unit,
        description=kpi.description,
        formula=kpi.formula_text,
        inputs=[
            Operand(given.name, given.title, given.unit, made_of(given)) for given in kpi.inputs
        ],
        asset_types=sorted(kpi.assets),
        valid=kpi.valid,
        minimum_coverage=kpi.minimum_coverage,
        source=kpi.source,
        parameter_sets={given.name: given.source for given in kpi.parameter_sets},
    )


def find_kpi(id_: str, parameter: str = "id") -> Kpi:
    """The KPI with this id; `NotFoundError` names the nearest one."""
    if found := KPIS.get(id_):
        return found
    raise NotFoundError(parameter, id_, nearest(id_, KPIS))


def find_binding(catalogue: Catalogue, kpi: Kpi, asset: str) -> Binding:
    """*kpi* at *asset*.

    Raises
    ------
    NotFoundError
        There is no such asset, or it does not have the KPI.
    """
    found = find_asset(catalogue.plant, "asset", asset)
    return _bound(Same(catalogue), kpi.id, found.path)


def bindings_at(catalogue: Catalogue, asset: str) -> Sequence[Binding]:
    """Every KPI that *asset* has; `NotFoundError` if there is no such asset."""
    return bound_at(catalogue, asset).bindings


@dataclass(frozen=True, slots=True)
class Bound:
    """Every KPI that an asset has, with their `kpi.sums.TERMS` and tags, each once."""

    bindings: Sequence[Binding]
    terms: pl.DataFrame
    tag_ids: Sequence[int]


def bound_at(catalogue: Catalogue, asset: str) -> Bound:
    """The KPIs of *asset*; `NotFoundError` if there is no such asset."""
    found = find_asset(catalogue.plant, "asset", asset)
    return _bound_at(Same(catalogue), found.path)


# To find the tags of a KPI of the site takes a walk over thousands of assets.
@lru_cache(maxsize=1024)
def _bound(known: Same[Catalogue], kpi: str, asset: str) -> Binding:
    plant = known.one.plant
    return bind(KPIS[kpi], asset, plant, known.one.tag_ids)


@lru_cache(maxsize=256)
def _bound_at(known: Same[Catalogue], asset: str) -> Bound:
    found = kpis_of(KPIS, asset, known.one.plant)
    bindings = [_bound(known, kpi.id, asset) for kpi in found]
    frames = [pl.DataFrame(schema=dict(TERMS)), *(binding.frame for binding in bindings)]
    terms = pl.concat(frames).unique(maintain_order=True)
    return Bound(bindings, terms, terms["tag_id"].unique().sort().to_list())
