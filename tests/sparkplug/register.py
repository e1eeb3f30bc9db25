"""The statements of Sparkplug 3.0, what Ertis makes of each, and the mark that ties tests to them.

``statements.csv`` has all 299 ids with the part of a system that each binds, its level and the
chapter where it stands; ``exceptions.toml`` those that Ertis does not follow to the letter.
"""

import csv
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import pytest

PREFIX: Final = "tck-id-"
_HERE: Final = Path(__file__).parent
Test = TypeVar("Test", bound=Callable[..., object])


class Status(StrEnum):
    """What Ertis makes of a statement."""

    FOLLOWED = "followed"
    NOT_USED = "not used"
    DEVIATES = "deviates"
    OF_BROKERS = "of brokers"


@dataclass(frozen=True, slots=True)
class Statement:
    """One normative statement; ``reason`` is empty where it is followed."""

    id: str
    part: str
    level: str
    chapter: int
    status: Status
    reason: str


def _read() -> Mapping[str, Statement]:
    document = tomllib.loads((_HERE / "exceptions.toml").read_text())
    exceptions = {
        PREFIX + id_: (Status(each["status"]), each["reason"])
        for each in document["exception"]
        for id_ in each["ids"]
    }
    with (_HERE / "statements.csv").open(newline="") as file:
        found = {
            row["id"]: Statement(
                row["id"],
                row["part"],
                row["level"],
                int(row["chapter"]),
                *exceptions.pop(row["id"], (Status.FOLLOWED, "")),
            )
            for row in csv.DictReader(file)
        }
    assert not exceptions, f"exceptions.toml names no statement: {sorted(exceptions)}"
    return found


#: In the order of the specification.
STATEMENTS: Final = _read()


def tck(*ids: str) -> Callable[[Test], Test]:
    """Mark a test with the statements that it shows: it runs once for each, named after it."""
    full = [PREFIX + id_ for id_ in ids]
    assert full, "a test without a statement needs no mark"
    assert STATEMENTS.keys() >= set(full), f"unknown: {sorted(set(full) - STATEMENTS.keys())}"

    def mark(test: Test) -> Test:
        named: Test = pytest.mark.usefixtures("tck_id")(test)
        marked: Test = pytest.mark.parametrize("tck_id", full, indirect=True)(named)
        return marked

    return mark


def shown_by(test: object) -> list[str]:
    """The statements that a test was marked with."""
    return [
        id_
        for mark in getattr(test, "pytestmark", [])
        if mark.name == "parametrize" and mark.args[0] == "tck_id"
        for id_ in mark.args[1]
    ]
