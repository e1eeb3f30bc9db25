"""The KPIs of a report: each beside its target and the period before, all evaluated together."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from api.formulas import Bound
from api.inputs import sums
from api.span import Span
from api.store import Store
from kpi.binding import Binding
from kpi.evaluate import evaluate_together
from schemas.db.targets import load_targets
from schemas.plant.targets import Better, Target, target_on


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A KPI of the period.

    ``value`` is null where ``coverage`` is too small; ``reason`` says so. ``good`` is the share of
    the period in which its inputs are of good quality. ``previous`` is the value of the period
    before, ``change`` what it rose by since. ``difference`` is the value less the ``target``, and
    ``met`` whether it is on the ``better`` side of it. What is not known is null.
    """

    kpi: str
    title: str
    unit: str
    value: float | None
    coverage: float
    good: float
    reason: str | None
    previous: float | None
    change: float | None
    target: float | None
    better: Better | None
    difference: float | None
    met: bool | None
    formula: str
    parameter_set: str


def report_lines(
    store: Store, bound: Bound, span: Span, before: datetime | None, known_at: datetime | None
) -> list[ReportLine]:
    """The KPIs of an asset over *span*, compared with the time since *before*, if that is given.

    Targets are those known at *known_at*; now, if that is None.
    """
    if not bound.bindings:
        return []
    edges = (span.start, span.end) if before is None else (before, span.start, span.end)
    catalogue = store.catalogue()
    with store.frames.snapshot() as frames:
        found = sums(frames, catalogue, bound.terms, edges)
    with store.connection() as connection:
        targets = load_targets(connection, known_at)
    day = span.start.astimezone(ZoneInfo(catalogue.plant.time_zone)).date()
    rows = evaluate_together(bound.bindings, found, edges)
    return [
        _line(binding, of_kpi, target_on(targets, binding.kpi.id, binding.asset, day))
        for binding, of_kpi in zip(bound.bindings, rows, strict=True)
    ]


def _line(binding: Binding, rows: pl.DataFrame, target: Target | None) -> ReportLine:
    """The last of *rows*, beside the one before it."""
    kpi, (value, coverage, reason, good) = binding.kpi, rows.row(-1)[2:]
    previous = rows["value"][-2] if rows.height > 1 else None
    return ReportLine(
        kpi=kpi.id,
        title=kpi.title,
        unit=kpi.unit,
        value=value,
        coverage=coverage,
        good=good,
        reason=reason,
        previous=previous,
        change=_less(value, previous),
        target=target.value if target else None,
        better=target.better if target else None,
        difference=_less(value, target.value if target else None),
        met=target.is_met(value) if target and value is not None else None,
        formula=kpi.formula_text,
        parameter_set=kpi.parameters().name,
    )


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
