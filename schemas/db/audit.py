"""The audit log: every write, by whom and when, before and after, in the write's transaction."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from schemas.db.tables import audit


def record(
    connection: sa.Connection,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> None:
    """Enter a write in the log, in the transaction that writes: both are there, or neither."""
    entry = {"at": at, "who": who, "action": action, "subject": subject, "reason": reason}
    connection.execute(sa.insert(audit).values(**entry, before=before, after=after))
