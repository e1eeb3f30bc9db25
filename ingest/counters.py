"""What ingest counts. Per source an identity holds at every instant.

    received = stored + duplicate + conflicting + dead_letter + in flight

``received`` are readings that were taken in; those that a full buffer turned away are counted
apart: ``deferred`` come again out of their node's spool, ``refused`` do not (a gap is recorded).
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ingest.buffer import Batch
from ingest.skew import ClockSkew
from ingest.transaction import Fates

UNKNOWN_SOURCE: Final = "unknown"


@dataclass(slots=True)
class Tally:
    """The readings of one source."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    conflicting: int = 0
    dead_letter: int = 0
    in_flight: int = 0
    deferred: int = 0
    refused: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the identity holds."""
        return self.received == (
            self.stored + self.duplicate + self.conflicting + self.dead_letter + self.in_flight
        )


class Ledger(Collector):
    """The tallies of all sources; intake and writer both write in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def taken_in(self, source: str, readings: int) -> None:
        """Readings were put into a batch."""
        with self._lock:
            tally = self._tallies[source]
            tally.received += readings
            tally.in_flight += readings

    def repeated(self, source: str, readings: int) -> None:
        """A frame came that is in the database or on its way there."""
        with self._lock:
            tally = self._tallies[source]
            tally.received += readings
            tally.duplicate += readings

    def deferred(self, source: str, readings: int) -> None:
        """A frame was turned away that comes again."""
        with self._lock:
            self._tallies[source].deferred += readings

    def refused(self, source: str, readings: int) -> None:
        """Readings were turned away that do not come again."""
        with self._lock:
            self._tallies[source].refused += readings

    def committed(self, batch: Batch, fates: Fates) -> None:
        """A batch is in the database."""
        with self._lock:
            for source, number in batch.sources.items():
                tally = self._tallies[source]
                tally.stored += int(fates.stored[number])
                tally.duplicate += int(fates.duplicate[number])
                tally.conflicting += int(fates.conflicting[number])
                tally.dead_letter += int(fates.dead[number])
                tally.in_flight -= batch.readings[number]

    def tallies(self) -> dict[str, Tally]:
        """A copy of all tallies, taken at one instant."""
        with self._lock:
            return {source: replace(tally) for source, tally in self._tallies.items()}

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """For Prometheus: one family a column."""
        tallies = self.tallies()
        for column in fields(Tally):
            name = f"ertis_ingest_readings_{column.name}"
            family = (
                GaugeMetricFamily(
                    name, "Readings taken in and not yet committed", labels=["source"]
                )
                if column.name == "in_flight"
                else CounterMetricFamily(name, f"Readings {column.name}", labels=["source"])
            )
            for source, tally in tallies.items():
                family.add_metric([source], getattr(tally, column.name))
            yield family


class Skews(Collector):
    """The clock skew of each edge node; the intake writes, a scrape reads."""

    def __init__(self) -> None:
        self._skews: dict[str, ClockSkew] = {}

    def estimate_ms(self, source: str) -> int | None:
        """The skew of *source*; None before its first message."""
        skew = self._skews.get(source)
        return None if skew is None else skew.estimate_ms

    def see(self, source: str, sent_ms: int, received_ms: int) -> None:
        """Take note of a message that its source dates *sent_ms*."""
        if (skew := self._skews.get(source)) is None:
            skew = self._skews[source] = ClockSkew()
        skew.see(sent_ms, received_ms)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For Prometheus, in seconds."""
        family = GaugeMetricFamily(
            "ertis_ingest_clock_skew_seconds",
            "How far a source's clock is behind ours",
            labels=["source"],
        )
        for source, skew in self._skews.copy().items():
            family.add_metric([source], skew.estimate_ms / 1000)
        yield family


class Counters:
    """Everything that ``/metrics`` shows, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ledger = Ledger()
        self.skews = Skews()
        self.registry.register(self.ledger)
        self.registry.register(self.skews)
        self.batches = Counter(
            "ertis_ingest_batches",
            "Batches committed, by the way they were written",
            ["path"],
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "ertis_ingest_batch_seconds",
            "Time to write one batch",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.latency_seconds = Histogram(
            "ertis_ingest_latency_seconds",
            "From the receipt of the oldest message of a batch to its commit",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
            registry=self.registry,
        )
        self.retries = Counter(
            "ertis_ingest_write_retries",
            "Attempts to write a batch that failed, by cause",
            ["cause"],
            registry=self.registry,
        )
        self.letters = Counter(
            "ertis_ingest_dead_letters",
            "Dead letters by reason",
            ["reason"],
            registry=self.registry,
        )
        self.gaps = Counter(
            "ertis_ingest_gaps", "Gaps recorded, by cause", ["cause"], registry=self.registry
        )
        self.rebirths = Counter(
            "ertis_ingest_rebirth_requests", "Rebirths asked for", registry=self.registry
        )
        self.acknowledgements = Counter(
            "ertis_ingest_acknowledgements", "Commit Through sent", registry=self.registry
        )
        self.waiting_bytes = Gauge(
            "ertis_ingest_waiting_bytes", "What waits in memory", ["place"], registry=self.registry
        )

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
