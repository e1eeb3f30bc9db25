"""The park while it runs: started stage by stage, looked after, ended in reverse."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from schemas.errors import ConfigError, UnavailableError
from standalone.data_dir import DataDir
from standalone.service import Child, Service
from standalone.signals import Signals

READY_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.05
#: A child's death is noticed at once (SIGCHLD); the database is no child of ours.
GLANCE_EVERY_S: Final = 2.0

log = structlog.get_logger()


class Server(Protocol):
    """An embedded server: a database, a broker."""

    @property
    def pid(self) -> int | None:
        """Process id; None while there is none."""

    def start(self) -> None:
        """Start it; returns when it answers."""

    def stop(self) -> None:
        """End it."""


@dataclass(slots=True)
class Ground:
    """What the services stand on: an embedded server, and how to tell that it lives."""

    name: str
    server: Server
    address: str
    log: str
    lives: Callable[[], bool]
    _down: bool = False

    def tend(self) -> None:
        """Start the server again if it died; if that fails, the next call tries again."""
        if self.lives():
            return
        first, self._down = not self._down, True
        if first:
            log.warning("died, is started again", service=self.name)
        try:
            self.server.stop()
            self.server.start()
        except UnavailableError as error:
            if first:
                log.warning("does not start", service=self.name, error=str(error))
            return
        self._down = False
        log.info("runs again", service=self.name)


class Park:
    """The processes of a park, in the order in which they were started."""

    def __init__(self, grounds: Sequence[Ground], data: DataDir, signals: Signals) -> None:
        self.grounds = grounds
        self.children: list[Child] = []
        self._data = data
        self._signals = signals

    def start(self, stages: Sequence[Sequence[Service]]) -> None:
        """Start each stage when the one before it is ready; returns early when asked to end.

        Raises
        ------
        ConfigError
            A service refused its configuration.
        UnavailableError
            A service did not become ready in time.
        """
        for stage in stages:
            if self._signals.ending:
                return
            children = [Child(service, self._data.log(service.name)) for service in stage]
            for child in children:
                child.start()
                self.children.append(child)
            self._await(children)

    def _await(self, waiting: Sequence[Child]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while waiting and not self._signals.wait(LOOK_EVERY_S):
            for child in waiting:
                if child.refused:
                    raise ConfigError(child.service.name, child.last_words(), _see(child))
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"{child.service.name} is not ready after {READY_WITHIN_S:.0f} s; "
                        f"its last words: {child.last_words() or 'none'}; {_see(child)}"
                    )
                child.tend()
            waiting = [child for child in waiting if not child.service.ready()]

    def watch(self, seconds: float) -> None:
        """Look after everything for so many *seconds*, or until the end is asked for."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            if self._signals.wait(min(left, GLANCE_EVERY_S)):
                return
            for ground in self.grounds:
                ground.tend()
            for child in self.children:
                child.tend()

    def end(self) -> None:
        """End the services, the last started first, each after what it has in hand."""
        for child in reversed(self.children):
            child.end()


def _see(child: Child) -> str:
    return f"see {child.log_file}"
