"""One service of the park: what is to run, and the process that runs it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import structlog

from schemas.process import ExitCode
from standalone import leash

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: A process that has run this long is taken for healthy, and its next death for a new trouble.
STEADY_S = 60.0
#: Enough for ingest to drain and for an edge to commit its spool; then it is killed.
END_WITHIN_S = 15.0
#: At a start, a longer log makes room for a new one.
LONGEST_LOG_BYTES = 10_000_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """What is to run, how it is reached, and how to tell that it is ready."""

    name: str
    module: str
    arguments: tuple[str, ...]
    address: str
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """The process of a `Service`: started, started again when it dies, ended.

    A process that ends with exit code 2 has found its configuration wrong and is left alone:
    starting it again would not help.
    """

    def __init__(self, service: Service, log_file: Path) -> None:
        self.service = service
        self.log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None
        self._log_starts_at = 0
        self._deaths = 0
        self._left_alone = False
        self._started_at = 0.0
        self._again_at: float | None = None

    def start(self) -> None:
        """Start the process, in a session of its own: Ctrl-C on the terminal is the park's."""
        _set_aside(self.log_file)
        with self.log_file.open("ab") as output:
            self._log_starts_at = output.tell()
            self.process = subprocess.Popen(  # noqa: S603 - a command of our own
                [
                    *(sys.executable, "-IS", leash.__file__, str(os.getpid())),
                    *(sys.executable, "-m", self.service.module, *self.service.arguments),
                ],
                env={**_inherited(), **self.service.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started_at = monotonic()
        self._again_at = None

    @property
    def pid(self) -> int | None:
        """Process id; None while there is none."""
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def refused(self) -> bool:
        """Whether the process ended because it found its configuration wrong."""
        return self.process is not None and self.process.poll() == ExitCode.CONFIG

    def tend(self) -> None:
        """Start the process again if it died, after a pause that grows with each death."""
        if self.process is None or self._left_alone:
            return
        now = monotonic()
        if self._again_at is not None:
            if now >= self._again_at:
                self.start()
        elif (code := self.process.poll()) is not None:
            self._note_death(code, now)
        elif self._deaths and now > self._started_at + STEADY_S:
            log.info("runs steadily again", service=self.service.name, deaths=self._deaths)
            self._deaths = 0

    def _note_death(self, code: int, now: float) -> None:
        self._left_alone = code == ExitCode.CONFIG
        if self._deaths == 0 or self._left_alone:
            log.warning(
                "died and is left alone" if self._left_alone else "died, is started again",
                service=self.service.name,
                exit_code=code,
                last_words=self.last_words(),
                log=str(self.log_file),
            )
        self._again_at = now + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._deaths, 10))
        self._deaths += 1

    def end(self) -> None:
        """Ask the process to finish what it has in hand and end; kill it when it takes too long."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            log.warning("did not end, is killed", service=self.service.name, after_s=END_WITHIN_S)
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        """The last line that the process has logged."""
        try:
            with self.log_file.open("rb") as log_file:
                log_file.seek(self._log_starts_at)
                lines = log_file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


def _inherited() -> dict[str, str]:
    """Our own environment without what names another broker or database."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MQTT_", "PG")) and name != "ERTIS_DSN"
    }


def _set_aside(log_file: Path) -> None:
    """Move a log that has grown long aside; the one moved before goes."""
    if log_file.exists() and log_file.stat().st_size > LONGEST_LOG_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
