"""What the rollup worker counts."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class RollupCounters:
    """What the worker counts, on *registry*."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.minutes = Counter(
            "ertis_rollup_tag_minutes", "Minutes of tags summarised", registry=registry
        )
        self.hours = Counter("ertis_rollup_tag_hours", "Hours of tags merged", registry=registry)
        self.sums = Counter(
            "ertis_rollup_inputs", "Minutes and hours of KPI inputs summed", registry=registry
        )
        self.refused = Counter(
            "ertis_rollup_tag_minutes_refused",
            "Dirty minutes of tags whose raw readings are beyond retention",
            registry=registry,
        )
        self.late = Counter(
            "ertis_rollup_tag_hours_late",
            "Hours of tags that changed after their period was signed",
            registry=registry,
        )
        self.failures = Counter("ertis_rollup_failures", "Steps that failed", registry=registry)
        self.seconds = Histogram(
            "ertis_rollup_step_seconds",
            "Time of a step that had work",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
