"""docs/sparkplug.md, from the statements and their tests: ``python -m tests.sparkplug.page``."""

import importlib
import pkgutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import tests.sparkplug
from tests.sparkplug.register import PREFIX, STATEMENTS, Statement, Status, shown_by

PARTS: Final = {
    "edge": "Edge node",
    "host": "Host application",
    "command": "Commands",
    "topic": "Topics and ids",
    "payload": "Payloads",
    "broker": "MQTT servers",
}
_HEAD: Final = """\
# Sparkplug 3.0, statement by statement

<!-- Written by `make docs` from tests/sparkplug: do not edit. -->

Ertis is tested against ids of Sparkplug 3.0 (ISO/IEC 20237:2023). The specification has {all}
normative statements with ids; below each has its level, what Ertis makes of it, and the tests that
show it. The tests are in `tests/sparkplug/`; each runs once for every statement that it shows, and
its name ends with the id: `.venv/bin/pytest tests/sparkplug -k tck-id-payloads-nbirth-seq`. What is
said of packets (QoS, retain, clean start, will) is read off the wire by a server of the tests' own,
not taken from what the MQTT library says.

These are our own tests of our own software: no certification, and not the result of Eclipse's kit.

| | followed | not used | deviates | of brokers | all |
|---|---|---|---|---|---|
"""


def shown_in() -> Mapping[str, list[str]]:
    """The tests of each statement, as ``file::test``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for module in pkgutil.iter_modules(tests.sparkplug.__path__):
        if not module.name.startswith("test_"):
            continue
        loaded = importlib.import_module(f"tests.sparkplug.{module.name}")
        for name, test in vars(loaded).items():
            if name.startswith("test_"):
                for id_ in shown_by(test):
                    found[id_].append(f"{module.name}.py::{name}")
    return found


def page() -> str:
    """The whole page."""
    return _HEAD.format(all=len(STATEMENTS)) + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for part, title in PARTS.items():
        counts = Counter(each.status for each in STATEMENTS.values() if each.part == part)
        columns = " | ".join(str(counts[status] or "") for status in Status)
        yield f"| {title} | {columns} | {counts.total()} |"
    total = Counter(each.status for each in STATEMENTS.values())
    yield f"| all | {' | '.join(str(total[status]) for status in Status)} | {total.total()} |"
    yield from ("", "## What is not followed to the letter", "")
    for (status, reason), ids in _exceptions().items():
        yield f"- **{status}**: {reason}"
        yield "  " + ", ".join(f"`{id_}`" for id_ in ids)
    shown = shown_in()
    for part, title in PARTS.items():
        yield from ("", f"## {title}", "", "| id | level | status | tests |", "|---|---|---|---|")
        for each in STATEMENTS.values():
            if each.part == part:
                yield _row(each, shown[each.id])


def _exceptions() -> Mapping[tuple[Status, str], list[str]]:
    grouped: defaultdict[tuple[Status, str], list[str]] = defaultdict(list)
    for each in STATEMENTS.values():
        if each.status is not Status.FOLLOWED:
            grouped[each.status, each.reason].append(each.id.removeprefix(PREFIX))
    return grouped


def _row(statement: Statement, shown: list[str]) -> str:
    named = "<br>".join(f"`{test}`" for test in shown)
    id_ = statement.id.removeprefix(PREFIX)
    return f"| `{id_}` | {statement.level} | {statement.status} | {named} |"


if __name__ == "__main__":
    sys.stdout.write(page())
