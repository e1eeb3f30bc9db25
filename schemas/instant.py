"""Instants: aware UTC datetimes in Python, whole milliseconds on the wire.

Sparkplug counts milliseconds since 1970 (tck-id-payloads-timestamp-in-UTC); PostgreSQL keeps
microseconds, so a millisecond survives the whole way unchanged.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware *instant*, rounded down.

    Raises
    ------
    ValueError
        The instant is naive: a local time without its zone is not an instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; add one, UTC for instance")
    return (instant - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of *ms* milliseconds since 1970 (exact, unlike a float timestamp)."""
    return EPOCH + timedelta(milliseconds=ms)
