"""Who may ask for what: one table for all routes, those of tomorrow included."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from api.access.person import Person, Role
from schemas.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Right:
    """What the routes that fit need. ``role`` None: open to anybody, nobody is identified.

    ``whole``: only for those who see the whole plant, since the answer cannot be cut to an area.
    """

    methods: frozenset[str]
    path: str
    role: Role | None
    whole: bool = False

    def fits(self, method: str, path: str) -> bool:
        """Whether this line speaks of the request; ``*`` in a path crosses slashes."""
        return (not self.methods or method in self.methods) and fnmatchcase(path, self.path)


_READ: Final = frozenset({"GET", "HEAD"})
_POST: Final = frozenset({"POST"})
_ANY: Final[frozenset[str]] = frozenset()

#: The first line that fits counts; what no other line names is read by viewers, written by
#: engineers.
RIGHTS: Final[Sequence[Right]] = (
    Right(_READ, "/health/*", None),
    Right(_READ, "/metrics", None),
    Right(_READ, "/docs*", None),
    # The page itself; what it shows it asks for like anybody else.
    Right(_READ, "/", None),
    Right(_READ, "/console/*", None),
    Right(_READ, "/openapi.json", None),
    # A key that is kept by a browser, and forgotten: also where it is not good any more.
    Right(_POST, "/api/v1/session", Role.VIEWER),
    Right(frozenset({"DELETE"}), "/api/v1/session", None),
    Right(_READ, "/api/v1/audit", Role.ADMIN),
    # A question that is too long for an address: nothing is written.
    Right(_POST, "/api/v1/history*", Role.VIEWER),
    Right(_READ, "/api/v1/ledger*", Role.VIEWER, whole=True),
    Right(_READ, "/api/v1/periods*", Role.VIEWER, whole=True),
    # Whoever closes the books need not be who may open them again.
    Right(_POST, "/api/v1/periods/*/reopen", Role.ADMIN, whole=True),
    Right(_POST, "/api/v1/periods*", Role.ENGINEER, whole=True),
    Right(_READ, "*", Role.VIEWER),
    Right(_ANY, "*", Role.ENGINEER),
)


def right_for(method: str, path: str) -> Right:
    """The line of `RIGHTS` that speaks of this request."""
    return next(right for right in RIGHTS if right.fits(method, path))


def check(right: Right, person: Person) -> None:
    """`NotAllowed` unless *person* has *right*."""
    if right.role is not None and not person.role.covers(right.role):
        raise NotAllowed(
            f"{person.name} is {_a(person.role)}; this needs {_a(right.role)}: "
            "ask whoever administers Ertis for a key with that role"
        )
    if right.whole and not person.areas.whole:
        shown = ", ".join(person.areas.patterns)
        raise NotAllowed(f"{person.name} sees {shown}; this answer is about the whole plant")


def _a(role: Role) -> str:
    return f"a{'n' if role.value[0] in 'aeiou' else ''} {role.value}"
