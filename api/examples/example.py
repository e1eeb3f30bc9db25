"""What an example is, and what several of them ask about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """What a route answers to a request."""

    title: str
    route: str
    url: str
    body: Mapping[str, Any]
    media_type: str = "application/json"


VOLTAGE: Final = "smelter/potline-1/pot-001/voltage"
