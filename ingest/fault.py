"""Points at which a test may kill this process, to show that nothing is lost there.

``ERTIS_FAULT=ingest.commit`` kills at the first pass of that point, ``ingest.commit:7`` at the
seventh. The points: ``ingest.receive``, ``ingest.copy``, ``ingest.commit``, ``ingest.acknowledge``.
"""

import os
import signal


class FaultPoint:
    """The one point at which this process is to die; most processes have none."""

    def __init__(self, wanted: str = "") -> None:
        self._name, _, passes = wanted.partition(":")
        self._left = int(passes or 1)

    def reached(self, name: str) -> None:
        """Die here without a word, if this is the point."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
