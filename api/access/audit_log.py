"""``/api/v1/audit``: the audit log, for admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.cursor import Cursor, fingerprint
from api.formats import JSON
from api.openapi import answers
from api.parameters import AskedPage
from api.store import Database
from schemas.db.tables import audit

router = APIRouter(prefix="/api/v1", tags=["people"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A write. ``before`` and ``after`` hold what it changed; null where there was nothing."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class AuditLog:
    """A page of the log, the newest entry first."""

    entries: list[Entry]
    truncated: bool
    cursor: str | None


class AskedAudit(AskedPage):
    """Which entries."""

    who: str | None = Field(default=None, description="only what this person wrote")
    action: str | None = Field(default=None, description="only these, as alarm.acknowledge")
    subject: str | None = Field(default=None, description="only what was done to this one")


@router.get("/audit", summary="Who wrote what", responses=answers(AuditLog))
def log(store: Database, asked: Annotated[AskedAudit, Query()]) -> Response:
    """The audit log, the newest entry first; for admins."""
    given = {name: getattr(asked, name) for name in ("who", "action", "subject")}
    request = fingerprint("audit", *given.values())
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(asked.limit + 1)
    if asked.cursor is not None:
        query = query.where(audit.c.id <= Cursor.decode(asked.cursor, request).key[0])
    for name, value in given.items():
        if value is not None:
            query = query.where(audit.c[name] == value)
    with store.connection() as connection:
        rows = [Entry(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name
    page, rest = rows[: asked.limit], rows[asked.limit :]
    cursor = Cursor(request, (rest[0].id, 0)).encode() if rest else None
    body = AuditLog(page, truncated=bool(rest), cursor=cursor)
    return JSON(body, headers={"Cache-Control": "no-store"})
