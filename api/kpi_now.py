"""KPIs over a span that ends now: rollups and the newest readings together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from api.inputs import sums
from api.store import Store
from api.summaries import MINUTE
from kpi.binding import Binding
from kpi.evaluate import evaluate_together
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
    answers = evaluate_together(list(each.values()), found, edges)
    for (key, binding), answer in zip(each.items(), answers, strict=True):
        value, coverage, reason = answer.row(0)[2:5]
        kpi = binding.kpi
        live[key] = LiveKpi(kpi.id, binding.asset, kpi.unit, edges[0], value, coverage, reason)
    return live


class KpisNow:
    """`live_kpis` for a stream: what was computed within ``kpi_tick_s`` is not computed again.

    A KPI of the last hour moves slowly and costs milliseconds; a tick of the stream has many.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh_for = timedelta(seconds=store.settings.kpi_tick_s)
        self._known: dict[tuple[timedelta, str, str], tuple[datetime, Binding, LiveKpi]] = {}

    def of(
        self, catalogue: Catalogue, wanted: Mapping[timedelta, Sequence[Binding]], at: datetime
    ) -> Mapping[tuple[timedelta, str, str], LiveKpi]:
        """The *wanted* KPIs by window, id and asset; what is not wanted any more is forgotten."""
        kept = {}
        for window, bindings in wanted.items():
            missing = []
            for binding in bindings:
                key = window, binding.kpi.id, binding.asset
                known = self._known.get(key)
                if known and known[1] is binding and at - known[0] < self._fresh_for:
                    kept[key] = known
                else:
                    missing.append(binding)
            found = live_kpis(self._store, catalogue, missing, window, at)
            for binding in missing:
                result = found[binding.kpi.id, binding.asset]
                kept[window, binding.kpi.id, binding.asset] = at, binding, result
        self._known = kept
        return {key: result for key, (_, _, result) in kept.items()}
