"""What opening signed periods again would do to the KPIs of an asset."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from api.formulas import Bound
from api.inputs import sums
from api.span import Span
from api.store import Store
from kpi.evaluate import evaluate_together


@dataclass(frozen=True, slots=True)
class Effect:
    """A KPI of a period as it was signed, and as it would be if it were opened again.

    ``change`` is what it would rise by; ``reason`` says why it would have no value, or a doubtful.
    """

    kpi: str
    unit: str
    signed: float | None
    reopened: float | None
    change: float | None
    reason: str | None


def effects(
    store: Store,
    bound: Bound,
    late: Collection[str],
    span: Span,
    signed: Mapping[str, float | None],
) -> list[Effect]:
    """The effect of the tags *late* on the KPIs in *bound*; *signed* are these KPIs as they are."""
    catalogue = store.catalogue()
    late_ids = {catalogue.tag_ids[path] for path in late if path in catalogue.tag_ids}
    touched = [one for one in bound.bindings if late_ids.intersection(one.tag_ids)]
    if not touched:
        return []
    edges = (span.start, span.end)
    terms = pl.concat(binding.frame for binding in touched).unique(maintain_order=True)
    with store.frames.snapshot() as frames:
        found = sums(frames, catalogue, terms, edges, reopened=True)
    told = []
    for binding, rows in zip(touched, evaluate_together(touched, found, edges), strict=True):
        kpi, before = binding.kpi, signed[binding.kpi.id]
        value, reason = rows.select("value", "reason").row(0)
        change = None if value is None or before is None else value - before
        told.append(Effect(kpi.id, kpi.unit, before, value, change, reason))
    return told


def signed_values(store: Store, bound: Bound, span: Span) -> dict[str, float | None]:
    """The KPIs in *bound* over *span* as they are, by id."""
    if not bound.bindings:
        return {}
    edges = (span.start, span.end)
    with store.frames.snapshot() as frames:
        found = sums(frames, store.catalogue(), bound.terms, edges)
    rows = evaluate_together(bound.bindings, found, edges)
    return {
        binding.kpi.id: row["value"].item()
        for binding, row in zip(bound.bindings, rows, strict=True)
    }
