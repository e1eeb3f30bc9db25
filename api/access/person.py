"""Who asks: a name for the audit log, a role, and the areas of the plant that they see."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request

from api.access.areas import EVERYWHERE, Areas
from schemas.errors import NotIdentified


class Role(StrEnum):
    """What somebody may do; each also what those before it may."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what *needed* may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a script, that was identified: by a key, a token, or as the local viewer."""

    name: str
    role: Role
    areas: Areas = EVERYWHERE


def person_of(request: Request) -> Person:
    """Who sent *request*; the gate has put them there.

    Raises
    ------
    NotIdentified
        The route is open to anybody, so nobody was identified.
    """
    found = getattr(request.state, "person", None)
    if not isinstance(found, Person):
        raise NotIdentified("send Authorization: Bearer with a key or token")
    return found


Asking = Annotated[Person, Depends(person_of)]
