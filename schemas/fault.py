"""Points at which a test may kill a process of ours, to show that nothing is lost there.

``ERTIS_FAULT=ingest.commit`` kills at the first pass of that point, ``ingest.commit:7`` at the
seventh. The points: ``ingest.receive``, ``ingest.copy``, ``ingest.commit``, ``ingest.acknowledge``;
``edge.write`` within a group commit, ``edge.commit`` behind it.
"""

import os
import signal
from typing import Self


class FaultPoint:
    """The one point at which this process is to die; most processes have none."""

    def __init__(self, wanted: str = "") -> None:
        self._name, _, passes = wanted.partition(":")
        self._left = int(passes or 1)

    @classmethod
    def of_environment(cls) -> Self:
        """What ``ERTIS_FAULT`` asks for."""
        return cls(os.environ.get("ERTIS_FAULT", ""))

    def reached(self, name: str) -> None:
        """Die here without a word, if this is the point."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
