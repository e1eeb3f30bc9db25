"""A fault scenario: what fails, what is promised, and what a run of it measured."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, Self

#: Where runs leave their results, for `tests.faults.report`.
RESULTS: Final = Path(".cache/faults")


class Promise(Enum):
    """What is promised where a part fails, as the README and docs/reliability.md say it."""

    INGEST = (
        "Ingest is killed (SIGKILL) at any point",
        "Nothing is lost, nothing is stored twice; it resumes by itself.",
    )
    EDGE = (
        "An edge agent is killed, or its power is cut",
        "At most the readings not yet in a group commit (250 ms) are lost; the spool is intact.",
    )
    BROKER = (
        "The broker restarts, or loses its memory",
        "Nothing is lost.",
    )
    NETWORK = (
        "The network is cut, or swallows, repeats and reorders messages",
        "Nothing is lost, nothing is stored twice.",
    )
    DATABASE = (
        "The database is down or restarts, or a disk is full",
        "Nothing is lost: spools fill, the memory of ingest is bounded, all resumes by itself.",
    )
    SESSION = (
        "Deaths come twice or late",
        "What is alive stays alive, and no reading depends on it.",
    )
    HOSTILE = (
        "Payloads are malformed, hostile or huge",
        "They become dead letters; other sources are undisturbed.",
    )
    CLOCK = (
        "The clock of an edge node is wrong",
        "Readings too far in the future are set aside, to be replayed; the skew is measured.",
    )

    @property
    def title(self) -> str:
        """What fails."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What is promised."""
        return self.value[1]


@dataclass
class Scenario:
    """One scenario, filled in by its test; kept as JSON when the test has passed.

    ``recovery_s`` is the time from the end of the fault until the database held everything that was
    sent; where the source went on measuring meanwhile, that time is in it.
    """

    fails: str
    promise: str
    sent: int = 0
    stored: int = 0
    duplicate: int = 0
    conflicting: int = 0
    dead_letter: int = 0
    deferred: int = 0
    lost: int = 0
    recovery_s: float | None = None
    peak_mb: float = 0.0
    scrapes: int = 0
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def recovery(self) -> Iterator[None]:
        """Measure the time from the end of the fault to the end of the block."""
        started_s = time.monotonic()
        yield
        self.recovery_s = round(time.monotonic() - started_s, 1)

    def note(self, text: str) -> None:
        """Something else that this run found, in words and numbers."""
        self.notes.append(text)

    @property
    def path(self) -> Path:
        """Its file below `RESULTS`."""
        return RESULTS / (re.sub(r"[^a-z0-9]+", "-", self.fails.lower()).strip("-") + ".json")

    def keep(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """The scenario that `keep` wrote."""
        return cls(**json.loads(path.read_text()))
