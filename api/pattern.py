"""Path patterns: ``smelter/potline-1/pot-*/voltage`` stands for that tag of every pot."""

import re
from collections.abc import Iterable

from schemas.errors import RequestError

#: Backtracking grows with the power of this number; no tree of ours is that deep.
WILDCARDS_MAX = 8
_PARTS = re.compile(r"(\*\*|\*|\?)")
_MEANING = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def is_pattern(text: str) -> bool:
    """Whether *text* has a wildcard, and so may stand for many paths."""
    return "*" in text or "?" in text


def compile_pattern(parameter: str, text: str) -> re.Pattern[str]:
    """The expression for *text*: ``*`` and ``?`` stay within one step, ``**`` crosses steps.

    Raises
    ------
    RequestError
        More than `WILDCARDS_MAX` wildcards.
    """
    parts = _PARTS.split(text)
    if len(parts) // 2 > WILDCARDS_MAX:
        raise RequestError(parameter, text, f"use at most {WILDCARDS_MAX} wildcards")
    return re.compile("".join(_MEANING.get(part) or re.escape(part) for part in parts))


def matching(parameter: str, text: str, paths: Iterable[str]) -> list[str]:
    """Those of *paths* that *text* stands for, in their order."""
    expression = compile_pattern(parameter, text)
    return [path for path in paths if expression.fullmatch(path)]
