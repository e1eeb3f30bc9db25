"""What is known of devices beside their values: do they answer, how old is it, how do clocks go.

All of it is a metric; what changes is told once. Whether a device answers can be a tag of the plant
as well (``connected`` in the file), of the node's own, since a device that is dead on the wire has
nothing more to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from edge.counters import EdgeCounters
from edge.exception import ExceptionReport, Rule
from schemas.reading import Reading

#: Clocks that are further apart are told of [ms]; NTP holds a plant within a tenth of a second.
CLOCK_MS: Final = 5_000

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Link:
    """The tag that says whether a device answers, and how it is reported."""

    path: str
    rule: Rule


@dataclass(slots=True)
class _Known:
    up: bool
    newest_ms: int | None = None
    ahead_ms: int = 0
    old_after_ms: int = 0
    old: bool = False
    skewed: bool = False


@dataclass(slots=True)
class Watch:
    """The devices of one agent. ``links`` are the tags that say whether they answer, by device."""

    counters: EdgeCounters
    links: Mapping[str, Link] = field(default_factory=dict)
    _known: dict[str, _Known] = field(default_factory=dict)
    _report: ExceptionReport = field(default_factory=lambda: ExceptionReport({}))
    _host_skewed: bool = False

    def follow(self, links: Mapping[str, Link]) -> None:
        """These tags say from now on whether devices answer."""
        self.links = links
        self._report = ExceptionReport({link.path: link.rule for link in links.values()})

    def answered(
        self, device: str, newest_ms: int | None, ahead_ms: int, old_after_ms: int
    ) -> None:
        """*device* was scanned: its newest source time, its clock less ours, when its data is old.

        ``old_after_ms`` is 0 for devices that report changes alone: theirs may be of any age.
        """
        known = self._known.setdefault(device, _Known(up=True))
        known.up, known.ahead_ms, known.old_after_ms = True, ahead_ms, old_after_ms
        if newest_ms is not None:
            known.newest_ms = newest_ms

    def lost(self, device: str) -> None:
        """*device* does not answer."""
        self._known.setdefault(device, _Known(up=False)).up = False

    def forget(self, device: str) -> None:
        """*device* is looked at no more."""
        self._known.pop(device, None)

    def look(self, now_ms: int) -> list[Reading]:
        """Set the metrics, tell what changed, and report the tags of links; once a second."""
        for device, known in self._known.items():
            if known.newest_ms is not None:
                self._age(device, known, now_ms - known.newest_ms)
            self._clock(device, known)
        return self._report.filter(
            Reading(link.path, now_ms, float(self._known[device].up))
            for device, link in self.links.items()
            if device in self._known
        )

    def host_clock(self, ahead_ms: int) -> None:
        """The host's clock less ours, by the time of its last command."""
        self.counters.host_clock_ahead.set(ahead_ms / 1000)
        skewed = abs(ahead_ms) > CLOCK_MS
        if skewed is not self._host_skewed:
            self._host_skewed = skewed
            _tell_clock(skewed, of="host", ahead_ms=ahead_ms)

    def _age(self, device: str, known: _Known, age_ms: int) -> None:
        self.counters.device_data_age.labels(device).set(age_ms / 1000)
        old = known.up and 0 < known.old_after_ms < age_ms
        if old is known.old:
            return
        known.old = old
        if old:
            log.warning("device answers with old data", device=device, age_s=age_ms // 1000)
        else:
            log.info("device answers with new data again", device=device)

    def _clock(self, device: str, known: _Known) -> None:
        self.counters.device_clock_ahead.labels(device).set(known.ahead_ms / 1000)
        skewed = abs(known.ahead_ms) > CLOCK_MS
        if skewed is not known.skewed:
            known.skewed = skewed
            _tell_clock(skewed, of=device, ahead_ms=known.ahead_ms)


def _tell_clock(skewed: bool, *, of: str, ahead_ms: int) -> None:
    if skewed:
        log.warning("clocks differ", of=of, ahead_of_ours_s=ahead_ms / 1000)
    else:
        log.info("clocks agree again", of=of)
