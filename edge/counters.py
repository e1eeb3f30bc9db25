"""What the agent counts, for Prometheus.

The readings add up at any time:
unacknowledged at start + scanned + corners + marked_bad = suppressed + acknowledged + dropped
+ overflowed + unacknowledged now. (Corners were suppressed when they were scanned, and went out
after all; the readings that mark the loss of a device are made, not scanned.)
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

#: Bounds of how late a scan starts [s]: the resolution of its percentiles.
LATE_S: Final = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1)


class EdgeCounters:
    """The counters of one agent, in *registry*."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ertis_edge_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"ertis_edge_{name}", text, labels, registry=registry)

        self.scanned = counter("readings_scanned", "Values read from devices", "device")
        self.suppressed = counter("readings_suppressed", "Values within the deadband", "device")
        self.corners = counter("readings_corners", "Suppressed values sent after all", "device")
        self.marked_bad = counter("readings_marked_bad", "Last values of a lost device", "device")
        self.events_lost = counter("events_lost", "Log entries overwritten unread", "device")
        self.scans_missed = counter("scans_missed", "Scans left out: one ran over", "device")
        self.scans_failed = counter("scans_failed", "Scans without an answer", "device")
        self.scan_late = Histogram(
            "ertis_edge_scan_late_seconds",
            "How long after its time a scan started",
            ["device"],
            buckets=LATE_S,
            registry=registry,
        )
        self.device_up = gauge("device_up", "1 while the device answers", "device")
        self.device_data_age = gauge(
            "device_data_age_seconds", "Now less the newest time of a device's data", "device"
        )
        self.device_clock_ahead = gauge(
            "device_clock_ahead_seconds", "The device's clock less the agent's", "device"
        )
        self.host_clock_ahead = gauge(
            "host_clock_ahead_seconds", "The host's clock, by its last command, less the agent's"
        )
        self.clock_steps = counter("clock_steps", "Times that the agent's own clock was set")
        self.spooled = counter("readings_spooled", "Readings committed to the spool")
        self.overflowed = counter("readings_overflowed", "Readings lost while the disk was full")
        self.published = counter("readings_published", "Readings sent as they happened")
        self.replayed = counter("readings_replayed", "Readings sent as history")
        self.acknowledged = counter("readings_acknowledged", "Readings known to be in the database")
        self.dropped = counter("readings_dropped", "Readings beyond the bounds of the spool")
        self.refused = counter("messages_refused", "Messages that were not followed", "reason")
        self.writes = counter("writes", "Values written to devices on command", "outcome")
        self.connects = counter("connects", "Connections to the broker")
        self.spool_bytes = gauge("spool_bytes", "Size of what is in the spool [B]")
        self.unacknowledged = gauge("readings_unacknowledged", "Readings in memory and spool")
        self.spool_hours_left = gauge(
            "spool_hours_left", "Hours without a host until the spool drops its oldest frames [h]"
        )
        self.born = gauge("born", "1 while the node is born on the wire")
