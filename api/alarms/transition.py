"""What happens to alarms, in the database: each step in its row and in its history, at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alarms.state import Event, State, after, settle
from schemas.db.audit import record
from schemas.db.tables import alarm, alarm_event
from schemas.errors import ConflictError, NotFoundError

#: State before, what happened, state after.
_Step = tuple[State, Event, State]


@dataclass(frozen=True, slots=True)
class Condition:
    """What the value of an alarm says now; ``ts`` is the source's time."""

    active: bool
    known: bool
    value: float | None = None
    ts: datetime | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does to an alarm, and why; ``until`` ends the shelving."""

    event: Event
    who: str
    reason: str | None
    until: datetime | None = None


def apply_conditions(
    connection: sa.Connection, conditions: Mapping[int, Condition], at: datetime
) -> None:
    """Let the values of alarms ring, clear or be unknown, in the caller's transaction.

    Of the alarms of a group that rings anew, the one whose value is oldest was the first out.
    """
    if not conditions:
        return
    rows = {row.id: row for row in connection.execute(_locked(list(conditions)))}
    ringing = _ringing(connection, {row.group for row in rows.values()})

    def order(alarm_id: int) -> tuple[datetime, int]:
        return conditions[alarm_id].ts or at, alarm_id

    for alarm_id in sorted(rows, key=order):
        row, now = rows[alarm_id], conditions[alarm_id]
        state = State(row.state)
        steps = list(_linked(state, settle(state, active=now.active, known=now.known)))
        raised = any(event is Event.RAISE for _, event, _ in steps)
        first_out = raised and row.group not in ringing
        if raised:
            ringing.add(row.group)
        _write(connection, row, steps, at, {"value": now.value, "first_out": first_out})
        _update(connection, alarm_id, active=now.active, known=now.known)


def end_shelving(connection: sa.Connection, at: datetime) -> None:
    """Take from the shelf what has been there for its time; it rings if its value says so."""
    over = sa.select(alarm.c.id).where(
        alarm.c.state == State.SHELVED.value, alarm.c.shelved_until <= at
    )
    for row in connection.execute(_locked(list(connection.scalars(over)))):
        _step(connection, row, Event.UNSHELVE, at, {"reason": "its time is over"})


def act(connection: sa.Connection, alarm_id: int, given: Act, at: datetime) -> None:
    """Do what a person wants done, in the caller's transaction, audit log included.

    Raises
    ------
    NotFoundError
        There is no such alarm.
    ConflictError
        Its state does not allow that.
    """
    row = connection.execute(_locked([alarm_id])).one_or_none()
    if row is None:
        raise NotFoundError("id", alarm_id, "no alarm has this id; see /api/v1/alarms?state=normal")
    before = State(row.state)
    facts = {"who": given.who, "reason": given.reason, "until": given.until}
    reached = _step(connection, row, given.event, at, facts)
    record(
        connection,
        at,
        given.who,
        f"alarm.{given.event.value}",
        row.name,
        before={"state": before.value},
        after={"state": reached.value, "until": given.until and given.until.isoformat()},
        reason=given.reason,
    )


def _step(
    connection: sa.Connection,
    row: sa.Row[Any],
    event: Event,
    at: datetime,
    facts: Mapping[str, object],
) -> State:
    """One event and what follows from the value; the state that is reached."""
    found = after(State(row.state), event)
    if found is None:
        raise ConflictError("id", row.id, f"{row.name} is {row.state}: it has no {event.value}")
    follows = list(settle(found, active=row.active, known=row.known))
    _write(connection, row, [(State(row.state), event, found)], at, facts)
    _write(connection, row, list(_linked(found, follows)), at, {"value": row.value})
    shelved_until = facts.get("until") if found is State.SHELVED else None
    _update(connection, row.id, shelved_until=shelved_until)
    return follows[-1][1] if follows else found


def _linked(state: State, steps: Iterable[tuple[Event, State]]) -> Iterator[_Step]:
    """*steps* from *state* on, each with the state that it leaves."""
    for event, reached in steps:
        yield state, event, reached
        state = reached


def _write(
    connection: sa.Connection,
    row: sa.Row[Any],
    steps: Sequence[_Step],
    at: datetime,
    facts: Mapping[str, object],
) -> None:
    """Enter *steps* in the history, and what they come to in the row."""
    if not steps:
        return
    nothing = {"who": None, "reason": None, "until": None, "value": None, "first_out": False}
    fixed = {**nothing, **facts, "alarm_id": row.id, "at": at}
    connection.execute(
        sa.insert(alarm_event),
        [
            {**fixed, "event": event.value, "before": before.value, "after": reached.value}
            for before, event, reached in steps
        ],
    )
    kept = {name: facts[name] for name in ("value", "first_out") if name in facts}
    _update(connection, row.id, state=steps[-1][2].value, since=at, **kept)


def _locked(ids: Sequence[int]) -> sa.Select[Any]:
    """The rows of these alarms, in one order for all, until the transaction ends."""
    wanted = sa.cast(list(ids), sa.ARRAY(sa.Integer))
    query = sa.select(alarm).where(alarm.c.id == sa.any_(wanted), ~alarm.c.retired)
    return query.order_by(alarm.c.id).with_for_update()


def _ringing(connection: sa.Connection, groups: set[str]) -> set[str]:
    """Those of *groups* that have an active alarm."""
    active = [state.value for state in State if state.active]
    query = sa.select(alarm.c.group).where(
        alarm.c.group.in_(groups), alarm.c.state.in_(active), ~alarm.c.retired
    )
    return set(connection.scalars(query))


def _update(connection: sa.Connection, alarm_id: int, **values: object) -> None:
    connection.execute(sa.update(alarm).where(alarm.c.id == alarm_id).values(**values))
