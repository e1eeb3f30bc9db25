"""A room for each test."""

from collections.abc import Iterator

import pytest

from api.app import create_app
from schemas.plant.file import parse_plant
from tests.api.alarms.room import PLANT, QUIET, Clock, Room, room_of
from tests.api.conftest import Serve
from tests.api.demo import store


@pytest.fixture
def room(serve: Serve, database: str) -> Iterator[Room]:
    """Its plant at 10:00, everything as it should be."""
    catalogue, clock = store(database, parse_plant(PLANT)), Clock()
    client = serve(create_app(QUIET, database, clock))
    with room_of(database, client, catalogue, clock) as made:
        made.tick(current=500.0, **{f"pot_{n:02}": 4.2 for n in range(1, 15)})
        yield made
