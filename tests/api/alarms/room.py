"""A small potroom with alarms, an evaluator that a test steps, and the API over HTTP."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from api.access.areas import EVERYWHERE, Areas
from api.access.keys import create
from api.access.person import Role
from api.alarms.evaluator import Evaluator
from api.counters import Counters
from api.store import Store
from schemas.db.catalogue import Catalogue
from schemas.db.engine import make_engine
from tests.api.conftest import SETTINGS
from tests.api.demo import insert

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
QUIET = SETTINGS.model_copy(update={"alarms": False})
CURRENT = "line/line_current"
LOW = f"{CURRENT}#low"
PLANT = """
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "line"
level = "line"
type = "potline"
template = "line"

[[asset]]
path = "line/pot-{01..14}"
level = "unit"
type = "pot"
template = "pot"

[template.line.line_current]
title = "Line current"
unit = "kA"
kind = "gauge"
stale_after_s = 60

[template.pot.voltage]
title = "Voltage"
unit = "V"
kind = "gauge"
stale_after_s = 60

[[alarm]]
tag = "line/line_current"
low = { limit = 480, priority = "high" }
on_delay_s = 5
off_delay_s = 5
deadband = 2

[[alarm]]
tag = "line/pot-{01..14}/voltage"
high = { limit = 8, priority = "low" }
group = "line"
"""


class Clock:
    """The API's clock, which a test moves."""

    now = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


class Room:
    """A plant with alarms, an evaluator that a test steps, and the API over HTTP."""

    def __init__(self, dsn: str, catalogue: Catalogue, client: httpx.Client, clock: Clock) -> None:
        self.dsn = dsn
        self.catalogue = catalogue
        self.client = client
        self.clock = clock
        self.store = Store(dsn, QUIET, clock)
        self.evaluator = evaluator(self.store, dsn)
        self.headers = self.key("operator", Role.ENGINEER)
        self.admin = self.key("admin", Role.ADMIN)
        self.viewer = self.key("viewer", Role.VIEWER)
        self.neighbour = self.key("neighbour", Role.ENGINEER, Areas(("line/pot-02",)))

    def key(self, name: str, role: Role, areas: Areas = EVERYWHERE) -> dict[str, str]:
        """The header of a new key."""
        engine = make_engine(self.dsn)
        with engine.begin() as connection:
            text = create(connection, name, role, areas, by="test", now=NOW)
        engine.dispose()
        return {"Authorization": f"Bearer {text}"}

    def tick(self, seconds: float = 1.0, **values: float) -> None:
        """Let time pass, then let readings come (``current=490``, ``pot_01=9``), and evaluate."""
        self.clock.now += timedelta(seconds=seconds)
        paths = {
            "current": CURRENT,
            **{f"pot_{n:02}": f"line/pot-{n:02}/voltage" for n in range(1, 15)},
        }
        rows = [(paths[name], self.clock.now, value, 192) for name, value in values.items()]
        if rows:
            insert(self.dsn, self.catalogue, rows)
        assert self.evaluator.step(self.clock.now)

    def get(self, path: str = "", **query: Any) -> Any:  # noqa: ANN401 - any JSON
        """The answer of a route of alarms."""
        self.clock.now += timedelta(milliseconds=1)  # what happens now is not before now
        url = f"/api/v1/alarms{path}"
        answer = self.client.get(url, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def one(self, name: str) -> dict[str, Any]:
        """An alarm as it stands."""
        every = ["normal", "unacknowledged", "acknowledged", "returned", "shelved"]
        found = self.get(state=[*every, "out_of_service", "unknown"])["alarms"]
        alarm: dict[str, Any] = next(one for one in found if one["name"] == name)
        return alarm

    def do(self, name: str, action: str, **doing: object) -> httpx.Response:
        """What an operator does."""
        url = f"/api/v1/alarms/{self.one(name)['id']}/{action}"
        return self.client.post(url, json=doing, headers=self.headers)

    def told(self, **query: Any) -> list[tuple[str, str, str | None]]:  # noqa: ANN401 - any
        """Name, event and who of the history, the oldest first; without what is unknown."""
        events = self.get("/history", **query)["events"]
        return [
            (one["name"], one["event"], one["who"])
            for one in reversed(events)
            if one["event"] not in {"lose", "find"}
        ]


def evaluator(of: Store, dsn: str) -> Evaluator:
    """An evaluator of its own."""
    return Evaluator(of, make_engine(dsn, pool_size=1), Counters())


@contextmanager
def room_of(dsn: str, client: httpx.Client, catalogue: Catalogue, clock: Clock) -> Iterator[Room]:
    """A room; its evaluator and store are closed."""
    room = Room(dsn, catalogue, client, clock)
    with closing(room.store), closing(room.evaluator):
        yield room
