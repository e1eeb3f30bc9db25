"""KPIs over a span that ends now: rollups and the newest readings together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from api.inputs import sums
from api.store import Store
from api.summaries import MINUTE
from kpi.binding import Binding
from kpi.evaluate import evaluate_sums
from schemas.db.catalogue import Catalogue
from schemas.instant import EPOCH


@dataclass(frozen=True, slots=True)
class LiveKpi:
    """A KPI over the window that ends now, rollups and the newest readings together."""

    kpi: str
    asset: str
    unit: str
    start: datetime
    value: float | None
    coverage: float
    reason: str | None


def live_kpis(
    store: Store,
    catalogue: Catalogue,
    bindings: Iterable[Binding],
    window: timedelta,
    at: datetime,
) -> Mapping[tuple[str, str], LiveKpi]:
    """Each of *bindings* over the window that ends at *at*; it begins with a whole minute."""
    each = {(binding.kpi.id, binding.asset): binding for binding in bindings}
    if not each:
        return {}
    edges = (EPOCH + (at - window - EPOCH) // MINUTE * MINUTE, at)
    terms = pl.concat(binding.frame for binding in each.values()).unique()
    with store.frames.snapshot() as frames:
        found = sums(frames, catalogue, terms, edges)
    live = {}
    for key, binding in each.items():
        _, _, value, coverage, reason = evaluate_sums(binding, found, edges).row(0)
        kpi = binding.kpi
        live[key] = LiveKpi(kpi.id, binding.asset, kpi.unit, edges[0], value, coverage, reason)
    return live
