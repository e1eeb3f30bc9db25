"""Signals as something to wait for, so that an end is orderly wherever it finds the program."""

import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Self

#: Ctrl-C, a supervisor's request, a terminal that was closed.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Waits for a request to end, or for the death of a child.

    Python writes the number of each signal to a socket (`signal.set_wakeup_fd`): a wait for it
    loses none, unlike an event set by a handler, and nothing is interrupted half done.
    """

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._former: dict[int, signal.Handlers | object] = {}
        self.ending = False

    def __enter__(self) -> Self:
        self._read.settimeout(0)
        self._write.settimeout(0)  # set_wakeup_fd wants a socket that never blocks
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in (*ENDING, signal.SIGCHLD):
            self._former[number] = signal.signal(number, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave
        signal.set_wakeup_fd(self._wakeup)
        self._read.close()
        self._write.close()

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, *seconds* at most; whether the end was asked for, now or before."""
        if not self.ending and select.select([self._read], [], [], max(0.0, seconds))[0]:
            self._read.recv(4096)
        return self.ending

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's shape
        self.ending = self.ending or number in ENDING
