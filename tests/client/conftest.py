"""The client against the real API of the demo plant."""

from collections.abc import Iterator

import httpx
import pytest

from client.ertis import Ertis
from tests.api.conftest import demo, demo_dsn

__all__ = ["demo", "demo_dsn"]


@pytest.fixture
def url(demo: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the API, also as ``ERTIS_URL``."""
    address = str(demo.base_url)
    monkeypatch.setenv("ERTIS_URL", address)
    return address


@pytest.fixture
def ertis(url: str) -> Iterator[Ertis]:
    """A client of it."""
    with Ertis(url) as connected:
        yield connected
