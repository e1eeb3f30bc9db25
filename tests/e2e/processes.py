"""The services of a park as real processes that a test starts, kills and starts again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standalone import leash


@dataclass
class Service:
    """One ``python -m <module> ...`` with its log; started again with the same words."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; what it prints is appended to the log. It ends with the test run."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    leash.__file__,
                    str(os.getpid()),
                    sys.executable,
                    "-m",
                    *self.command,
                ],
                env={**os.environ, **self.env},
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL: the power cut. Nothing of the process gets to run any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout_s: float = 20.0) -> int:
        """SIGTERM, and the exit code; a process that stays is killed and fails the test."""
        assert self.process is not None
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM; {self.tail()}") from None

    def wait(self, timeout_s: float = 60.0) -> int:
        """The exit code of a command that ends by itself."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def tail(self) -> str:
        """The last lines of its log, for a failed assertion."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
