"""What was simulated, and every KPI of it as the processes know it: without tags and bindings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import polars as pl

from kpi.binding import bind
from kpi.evaluate import evaluate
from kpi.kpi import Amount, Given, Input, Kpi, Rated, Settled, Source
from kpi.units import factor
from schemas.plant.model import Asset, Plant
from simulator.model import Totals
from tests.kpi.quantities import QUANTITIES

EXACT: Final = 1e-9
SCAN: Final = timedelta(seconds=3)
BEGIN: Final = datetime(2026, 7, 21, 5, 45, tzinfo=UTC)
"""Mid-morning of a summer day: sun and wind, and time for the windows of the noise to fill."""

EDGES: Final = (
    datetime(2026, 7, 21, 6, 0, tzinfo=UTC),
    datetime(2026, 7, 21, 6, 40, tzinfo=UTC),
    datetime(2026, 7, 21, 7, 15, tzinfo=UTC),
)
HOUR: Final = datetime(2026, 7, 21, 7, 0, tzinfo=UTC)
INSTANTS: Final = sorted({*EDGES, HOUR})

#: The KPIs that no totaliser lets be exact: kWh that a span may miss, a unit.
SAMPLED: Final = {"energy_delivered": 1.0 + 4800.0 * SCAN.total_seconds() / 3600}


@dataclass(frozen=True)
class Run:
    """What was simulated: the plant, its tags, their summaries by minute, the truth at instants."""

    plant: Plant
    tag_ids: Mapping[str, int]
    summaries: pl.DataFrame
    truth: Mapping[datetime, Totals]

    def value(self, kpi: Kpi, asset: str) -> list[dict[str, Any]]:
        """What the KPI core makes of the readings."""
        binding = bind(kpi, asset, self.plant, self.tag_ids)
        return evaluate(binding, self.summaries, EDGES).to_dicts()

    def true(self, kpi: Kpi, asset: str, start: datetime, end: datetime) -> float | None:
        """The KPI of the true inputs; None where it divides by zero."""
        constants = {name: of.value for name, of in kpi.parameters().constants.items()}
        inputs = {
            given.name: self.input(kpi, given, asset, start, end)
            for given in kpi.inputs
            if given.name in kpi.operands
        }
        try:
            value: float = kpi.formula(**inputs, **constants) * kpi.scale
        except ZeroDivisionError:
            return None
        return value

    def error(self, kpi: Kpi, asset: str) -> float:
        """How far sampling lets the KPI be off, at most."""
        if kpi.id not in SAMPLED:
            return EXACT
        units = sum(one.type in {"turbine", "inverter"} for one in self.plant.subtree(asset))
        return SAMPLED[kpi.id] * units * factor("kWh", kpi.unit, kpi.id)

    def input(self, kpi: Kpi, given: Given, asset: str, start: datetime, end: datetime) -> float:
        """What an input truly was over ``[start, end)``."""
        if isinstance(given, Settled):
            by_name = {one.name: one for one in kpi.inputs}
            instants = [start, *(at for at in (HOUR,) if start < at < end), end]
            hours: list[float] = [
                given.formula(
                    **{
                        name: self.input(kpi, by_name[name], asset, *hour)
                        for name in given.operands
                    }
                )
                for hour in pairwise(instants)
            ]
            return sum(hours)
        if isinstance(given, Rated):
            over = next(one for one in kpi.inputs if one.name == given.over)
            assert isinstance(over, Input)
            seconds = (end - start).total_seconds()
            return sum(
                self.rating(one, given.rating, f"({given.unit}) / s") * seconds
                for one, _ in self.sources(over, asset)
            )
        return sum(
            self.amount(source, one, given.unit, asset, (start, end))
            for one, source in self.sources(given, asset)
        )

    def sources(self, given: Input, asset: str) -> Iterator[tuple[Asset, Source]]:
        """The assets at or below *asset* that measure an input, each by its first source."""
        below = list(self.plant.subtree(asset))
        above = self.plant.asset(asset).parent
        for one in below:
            for source in given.sources:
                # Every pot has a current of its own: none takes that of its line.
                if source.per is not None:
                    continue
                if one.type in source.of and f"{one.path}/{source.measure}" in self.plant.tags:
                    yield one, source
                    break
        if given.sources[0].rated is not None and above is not None and len(below) == 1:
            farm = self.plant.asset(above)
            yield from ((farm, source) for source in given.sources if farm.type in source.of)

    def amount(
        self,
        source: Source,
        one: Asset,
        unit: str,
        asked: str,
        span: tuple[datetime, datetime],
    ) -> float:
        """What one asset gave of an input, in *unit*."""
        start, end = span
        if source.amount is Amount.COVERED:
            return (end - start).total_seconds() * factor("s", unit, one.path)
        quantity, given = QUANTITIES[one.type][source.measure, source.amount]
        grown = self.truth[end][one.path][quantity] - self.truth[start][one.path][quantity]
        if source.rated is None:
            return grown * factor(given, unit, one.path)
        near = [asset for asset in self.plant.subtree(one.path) if source.rated in asset.ratings]
        within = [asset for asset in near if f"{asset.path}/".startswith(f"{asked}/")] or near
        ratings = [asset.ratings[source.rated] for asset in within]
        return grown * sum(
            rating.value * factor(f"({given}) * ({rating.unit})", unit, one.path)
            for rating in ratings
        )

    def rating(self, asset: Asset, name: str, unit: str) -> float:
        """The rating of *asset* or of the nearest asset above it."""
        while name not in asset.ratings:
            assert asset.parent is not None
            asset = self.plant.asset(asset.parent)
        return asset.ratings[name].value * factor(asset.ratings[name].unit, unit, asset.path)
