"""Every error that Ertis raises on purpose: one tree, and whose fault it is is the type.

::

    ErtisError
    ├── ConfigError            the operator's: a setting or a file; a command ends with exit code 2
    │   └── PlantError         ... in a plant model
    ├── SenderError            the sender's: what arrived cannot be used; it is dead-lettered
    │   ├── TopicError         ... the topic names no source
    │   ├── PayloadError       ... the bytes do not decode
    │   ├── ReadingError       ... one value of a frame is unusable; its neighbours are kept
    │   └── CommandError       ... a value that cannot be written to its tag
    ├── RequestError           the caller's: an API request; answered 4xx, names the parameter
    │   ├── NotFoundError      ... no such asset, tag or KPI
    │   ├── TooLargeError      ... more rows than the budget
    │   └── ConflictError      ... what was asked for does not go with how things stand
    │       └── PeriodSigned   ... the period, or a part of it, is signed already
    ├── AccessError            the caller's: who asks may not; answered 401, 403, 429
    │   ├── NotIdentified      ... no key or token, or one that is not good
    │   ├── NotAllowed         ... the role or the areas do not cover it
    │   └── TooManyRequests    ... more than the rate limit
    ├── UnavailableError       the surroundings': may pass, is tried again
    │   ├── BrokerDown
    │   ├── DatabaseDown
    │   ├── DatabaseBusy       ... gave a transaction up: deadlock, lock timeout, no free connection
    │   ├── TablesMissing      ... the database is not, or not yet, of this version
    │   ├── LeaseLost          ... another process leads this shard of ingest now
    │   ├── AlreadyAtWork      ... another process makes the rollups now
    │   ├── DeviceDown         ... a PLC or meter does not answer
    │   ├── ProviderDown       ... the identity provider does not give its keys
    │   └── StorageFull        ... the disk of a spool or of the database
    └── DefectError            ours: a rule of Ertis itself is broken
        ├── SessionError       ... an event that the protocol state forbids
        └── FormulaError       ... a KPI whose dimensions do not give its unit

A message says what was there and what to do about it.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ErtisError(Exception):
    """Root of the tree; never raised itself."""


class ConfigError(ErtisError):
    """A setting is wrong: says the key, the value found and what would be right.

    ``key`` is the dotted path in the file or the environment variable.
    """

    def __init__(self, key: str, found: object, right: str) -> None:
        super().__init__(f"{key}: found {found!r}; {right}")
        self.key = key
        self.found = found
        self.right = right


class PlantError(ConfigError):
    """A plant model contradicts itself or the words of the field."""


class SenderError(ErtisError):
    """What arrived cannot be used; the sender must change.

    ``reason`` is the short fixed word under which it is counted and dead-lettered.
    """

    reason = "unusable"


class TopicError(SenderError):
    """The topic does not name a source in any namespace that is read here."""

    reason = "topic"


class PayloadError(SenderError):
    """The bytes are not a message of the topic's kind."""

    reason = "payload"


class ReadingError(SenderError):
    """One value of a message is unusable; the others are kept."""

    reason = "reading"


class CommandError(SenderError):
    """A command asks for a value that its tag or the device cannot take."""

    reason = "command"


class RequestError(ErtisError):
    """An API request asks for what cannot be: names the parameter and what would be right."""

    def __init__(self, parameter: str, found: object, right: str) -> None:
        super().__init__(f"{parameter}: found {found!r}; {right}")
        self.parameter = parameter
        self.found = found
        self.right = right


class NotFoundError(RequestError):
    """The asset, tag or KPI that was asked for is not in the catalogue."""


class TooLargeError(RequestError):
    """The answer would pass the row budget of the request."""


class ConflictError(RequestError):
    """It cannot be done to this thing as it stands now, such as acknowledging what is normal."""


class PeriodSigned(ConflictError):
    """The period that is to be signed is signed, or a part of it is."""


class AccessError(ErtisError):
    """Who asks may not; the message never repeats a key or token."""


class NotIdentified(AccessError):
    """There is no key or token, or one that is wrong, expired or revoked."""


class NotAllowed(AccessError):
    """Who asks is known, but neither role nor areas cover what is asked for."""


class TooManyRequests(AccessError):
    """More requests than the rate limit; trying again after ``retry_after_s`` [s] helps."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(ErtisError):
    """Something outside this process does not answer now; trying again may help."""


class BrokerDown(UnavailableError):
    """The MQTT broker cannot be reached."""


class DatabaseDown(UnavailableError):
    """PostgreSQL cannot be reached or is restarting."""


class DatabaseBusy(UnavailableError):
    """PostgreSQL gave this transaction up (deadlock, time limit, no free connection)."""


class TablesMissing(UnavailableError):
    """The database lacks a table or column of this version: it is not migrated yet."""


class LeaseLost(UnavailableError):
    """Another process took over what this one led; started again, this one stands by."""


class AlreadyAtWork(UnavailableError):
    """Another process does what only one may do at a time; it lets go when it is done."""


class DeviceDown(UnavailableError):
    """A PLC or meter does not answer."""


class ProviderDown(UnavailableError):
    """The identity provider, whose keys sign the tokens, does not answer."""


class StorageFull(UnavailableError):
    """A disk has no room; what is stored stays, what is new waits at its source."""


class DefectError(ErtisError):
    """A rule of Ertis itself is broken: please report it with the message."""


class SessionError(DefectError):
    """A session was given an event that its state forbids."""


class FormulaError(DefectError):
    """A unit is unknown, or a formula's dimensions do not give the unit that it declares."""


def is_defect(error: Exception) -> bool:
    """Whether *error* is a fault of Ertis itself, which its log shows with the traceback."""
    return isinstance(error, DefectError) or not isinstance(error, ErtisError)


def nearest(word: str, words: Iterable[str]) -> str:
    """What to say after an unknown *word*: the nearest known one, or all when they are few."""
    known = sorted(words)
    if close := get_close_matches(word, known, n=1):
        return f"did you mean {close[0]!r}?"
    if len(known) <= 12:
        return "known here: " + ", ".join(known) if known else "none is known here"
    return f"none of the {len(known)} known ones is near"
