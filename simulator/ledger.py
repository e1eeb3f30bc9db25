"""What really happened, written beside the plant and read by tests.

``truth.jsonl``
    One object per scan: ``ts_ms`` and ``totals`` (asset path -> quantity -> running total). Totals
    cover everything before ``ts_ms``; the increase between two scans is the truth of the half-open
    span between them.
``served.csv``
    One line per (tag, ts_ms, value) that an answer carried, in the order of the answers, each only
    once. It is written before the answer leaves, so it holds at least all that a client has seen.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import ConfigError, DefectError
from simulator.model import Totals
from simulator.plc import Carried

TRUTH = "truth.jsonl"
SERVED = "served.csv"
#: More than two lines of the truth of a large plant.
_TAIL_BYTES = 1 << 20


class Ledger:
    """The two files in *directory*; every line is with the operating system when a call returns.

    Raises
    ------
    ConfigError
        The directory cannot be written, or holds a ledger already: a truth is not overwritten.
    """

    def __init__(self, directory: Path) -> None:
        with ExitStack() as opened:
            try:
                directory.mkdir(parents=True, exist_ok=True)
                self._truth = opened.enter_context((directory / TRUTH).open("x", encoding="utf-8"))
                self._served = opened.enter_context(
                    (directory / SERVED).open("x", encoding="utf-8", newline="")
                )
            except OSError as error:
                raise ConfigError(
                    "--ledger", str(directory), f"name a new directory ({error.strerror})"
                ) from error
            self._rows = csv.writer(self._served, lineterminator="\n")
            self._rows.writerow(["tag", "ts_ms", "value"])
            self._files = opened.pop_all()

    def scan(self, ts_ms: int, totals: Totals) -> None:
        """Write down the totals until *ts_ms* [ms]."""
        self._truth.write(json.dumps({"ts_ms": ts_ms, "totals": totals}) + "\n")
        self._truth.flush()

    def answer(self, carried: Iterable[Carried]) -> None:
        """Write down what an answer carries."""
        self._rows.writerows((row.tag, row.ts_ms, row.value) for row in carried)
        self._served.flush()

    def close(self) -> None:
        """Close both files."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Truth:
    """The totals of one scan: everything before ``ts_ms``."""

    ts_ms: int
    totals: Totals


def read_truth(directory: Path) -> list[Truth]:
    """All scans of the ledger in *directory*, in order; a line still being written is left out."""
    return [
        Truth(given["ts_ms"], given["totals"])
        for given in map(json.loads, _whole_lines(directory / TRUTH))
    ]


def newest_scan_ms(directory: Path) -> int:
    """Time of the newest scan of the ledger in *directory* [ms], without reading all of it."""
    with (directory / TRUTH).open("rb") as lines:
        size = lines.seek(0, os.SEEK_END)
        lines.seek(max(0, size - _TAIL_BYTES))
        *whole, _rest = lines.read().split(b"\n")
    return int(json.loads(whole[-1])["ts_ms"])


def increase(
    truth: Iterable[Truth], asset: str, quantity: str, start_ms: int, end_ms: int
) -> float:
    """By how much *quantity* of *asset* grew in ``[start_ms, end_ms)`` [ms, both scans].

    Raises
    ------
    KeyError
        The ledger has no such scan, asset or quantity.
    """
    at = {scan.ts_ms: scan.totals for scan in truth if scan.ts_ms in (start_ms, end_ms)}
    return at[end_ms][asset][quantity] - at[start_ms][asset][quantity]


def read_served(directory: Path) -> dict[tuple[str, int], float]:
    """Value by (tag, ts_ms) of all that was served; a line still being written is left out.

    Raises
    ------
    DefectError
        A (tag, ts_ms) stands there twice.
    """
    served: dict[tuple[str, int], float] = {}
    for tag, ts_ms, value in csv.reader(list(_whole_lines(directory / SERVED))[1:]):
        key = tag, int(ts_ms)
        if key in served:
            raise DefectError(f"{SERVED}: {tag} at {ts_ms} stands there twice; once is the rule")
        served[key] = float(value)
    return served


def _whole_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield line
