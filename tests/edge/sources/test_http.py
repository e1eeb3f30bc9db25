"""HTTP sources against a real server."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge.source import Source
from edge.sources.http.document import NOTHING, resolve
from edge.sources.http.table import HttpDevice
from schemas.errors import ConfigError, DeviceDown
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading
from tests.edge.sources.files import load_source
from tests.edge.sources.talk import once, talk

AT = to_ms(datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC))


class Service:
    """Answers every GET with ``body``, its ``status`` and, if given, ``etag``."""

    def __init__(self) -> None:
        self.body = b"{}"
        self.status = 200
        self.etag: str | None = None
        self.delay_s = 0.0
        self.released = threading.Event()
        self.wanted: str | None = None
        self.statuses: list[int] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/values"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        self.released.wait(self.delay_s)
        status, body = self.status, self.body
        if self.wanted is not None and request.headers["Authorization"] != self.wanted:
            status, body = 401, b""
        elif self.etag is not None and request.headers["If-None-Match"] == self.etag:
            status, body = 304, b""
        self.statuses.append(status)
        request.send_response(status)
        if self.etag is not None:
            request.send_header("ETag", self.etag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def say(self, document: object) -> None:
        """Answer *document* from now on."""
        self.body = json.dumps(document).encode()

    def stop(self) -> None:
        """End."""
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    """A server on a free port."""
    made = Service()
    yield made
    made.stop()


def device(folder: Path, url: str, source: str) -> HttpDevice:
    """The device of a file; *source* goes on behind its address."""
    made = load_source(folder, f'type = "http"\ndevice = "api"\nurl = "{url}"\n{source}')
    assert isinstance(made, HttpDevice)
    return made


CURRENT = '[[source.tag]]\npath = "line/current"\npointer = "/current/value"\n'
POTS = '[[source.tag]]\npath = "line/pot-{1..3}/voltage"\npointer = "/pots/{0..2}/v"\n'


def test_values_have_the_time_and_quality_of_the_document(tmp_path: Path, service: Service) -> None:
    """One time for all, another one of a tag's own; OPC codes as they are."""
    service.say(
        {
            "at": "2026-01-02T03:04:05.250Z",
            "current": {"value": 500500},
            "pots": [
                {"v": 4.25, "q": 192, "t": "2026-01-02T08:04:05.250+05:00"},
                {"v": "4.5", "q": 68, "t": "2026-01-02T03:04:06Z"},
                {"v": 4.75, "q": 24, "t": "2026-01-02T03:04:07Z"},
            ],
        }
    )
    made = device(
        tmp_path,
        service.url,
        f'time = {{ pointer = "/at" }}\n{CURRENT}scale = 0.001\n'
        f'{POTS}time = "/pots/{{0..2}}/t"\nquality = "/pots/{{0..2}}/q"\n',
    )

    assert talk(made, once) == [
        Reading("line/current", AT, 500.5),
        Reading("line/pot-1/voltage", AT, 4.25),
        Reading("line/pot-2/voltage", AT + 750, 4.5, Quality.UNCERTAIN),
        Reading("line/pot-3/voltage", AT + 1750, 4.75, Quality.BAD),
    ]


@pytest.mark.parametrize(
    ("form", "sent"), [("s", AT / 1000), ("ms", AT), ("ms", str(AT)), ("iso", None)]
)
def test_times_may_be_counted_since_1970(
    tmp_path: Path, service: Service, form: str, sent: object
) -> None:
    """Seconds with a fraction, milliseconds, as text too; one that is none is a bad reading."""
    service.say({"at": sent, "current": {"value": 1}})
    made = device(
        tmp_path, service.url, f'time = {{ pointer = "/at", form = "{form}" }}\n{CURRENT}'
    )
    before = time.time_ns() // 1_000_000

    (found,) = talk(made, once)

    if sent is None:
        assert (found.value, found.quality) == (None, Quality.BAD)
        assert found.ts_ms >= before
    else:
        assert found == Reading("line/current", AT, 1.0)


def test_what_is_no_number_is_bad_without_a_value(tmp_path: Path, service: Service) -> None:
    """Null, a word, and nothing at all; a truth value is a number."""
    service.say({"current": {"value": True}, "pots": [{"v": None}, {"v": "broken"}]})

    readings = talk(device(tmp_path, service.url, CURRENT + POTS), once)

    assert [(r.value, r.quality) for r in readings] == [
        (1.0, Quality.GOOD),
        (None, Quality.BAD),
        (None, Quality.BAD),
        (None, Quality.BAD),
    ]


def test_an_unchanged_document_is_not_sent_again(tmp_path: Path, service: Service) -> None:
    """By its ETag; its values keep their time, so nothing is new."""
    service.say({"at": "2026-01-02T03:04:05.250Z", "current": {"value": 1}})
    service.etag = '"v1"'

    async def work(source: Source) -> list[list[Reading]]:
        scans = [await once(source), await once(source)]
        service.say({"at": "2026-01-02T03:04:05.250Z", "current": {"value": 2}})
        service.etag = '"v2"'
        return [*scans, await once(source)]

    made = device(tmp_path, service.url, f'time = {{ pointer = "/at" }}\n{CURRENT}')
    first, second, third = talk(made, work)

    assert service.statuses == [200, 304, 200]
    assert second == first
    assert third == [Reading("line/current", AT, 2.0)]


def test_a_secret_header_comes_from_the_environment(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong one is refused, and stands in no message."""
    service.wanted = "Bearer swordfish"
    service.say({"current": {"value": 1}})
    header = 'secret_headers = { Authorization = { env = "API_TOKEN", prefix = "Bearer " } }\n'
    made = device(tmp_path, service.url, header + CURRENT)

    monkeypatch.setenv("API_TOKEN", "swordfish")
    readings = talk(made, once)
    monkeypatch.setenv("API_TOKEN", "herring")
    with pytest.raises(DeviceDown, match="answers 401 Unauthorized") as refused:
        talk(made, once)
    monkeypatch.delenv("API_TOKEN")
    with pytest.raises(ConfigError, match="found 'API_TOKEN'; set this variable"):
        talk(made, once)

    assert readings[0].value == 1.0
    assert "herring" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [(500, b"{}", "answers 500"), (302, b"{}", "answers 302"), (200, b"<html>", "no JSON")],
)
def test_an_answer_that_is_none_is_a_device_down(
    tmp_path: Path, service: Service, status: int, body: bytes, message: str
) -> None:
    """A failure, a page to log in, and a redirection, which is not followed; then it is well."""
    service.status, service.body = status, body

    async def work(source: Source) -> list[Reading]:
        with pytest.raises(DeviceDown, match=f"api at http.*{message}"):
            await source.scan()
        service.status = 200
        service.say({"current": {"value": 1}})
        return await once(source)

    assert [r.value for r in talk(device(tmp_path, service.url, CURRENT), work)] == [1.0]


def test_a_server_that_never_answers_is_down_after_its_time(
    tmp_path: Path, service: Service
) -> None:
    """However slowly it dribbles."""
    service.delay_s = 30.0
    made = device(tmp_path, service.url, "timeout_s = 0.1\n" + CURRENT)

    with pytest.raises(DeviceDown, match="Timeout"):
        talk(made, once)

    service.released.set()


def test_another_address_changes_host_and_port_alone(tmp_path: Path) -> None:
    """As --source asks."""
    table = device(tmp_path, "https://grid.example/api?a=1", CURRENT).table

    assert table.moved("localhost", 8443).url == "https://localhost:8443/api?a=1"


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", NOTHING),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", NOTHING),
        ("/foo/-", NOTHING),
        ("/foo/00", NOTHING),
        ("/foo/0/x", NOTHING),
        ("/nothing", NOTHING),
    ],
)
def test_pointers_lead_where_rfc_6901_says(pointer: str, found: object) -> None:
    """Its section 5, and what leads nowhere."""
    document = {
        "foo": ["bar", "baz"],
        "": 0,
        "a/b": 1,
        "c%d": 2,
        "e^f": 3,
        "g|h": 4,
        "i\\j": 5,
        'k"l': 6,
        " ": 7,
        "m~n": 8,
    }

    assert resolve(document, pointer) == (document if pointer == "" else found)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('heders = { a = "b" }', "did you mean 'headers'"),
        ('secret_headers = { A = { env = "x", file = "y" } }', "a secret is in one place"),
        ('secret_headers = { A = { prefx = "x" } }', "did you mean 'prefix'"),
        (CURRENT.replace("/current", "current"), r"tag\.0\.pointer"),
        (POTS.replace("0..2", "0..1"), "stands for 2 places, path for 3"),
        ('time = { pointer = "/at", form = "local" }', "'iso', 's' or 'ms'"),
    ],
)
def test_a_wrong_table_says_what_would_be_right(tmp_path: Path, source: str, message: str) -> None:
    """As for any other source."""
    with pytest.raises(ConfigError, match=message):
        device(tmp_path, "http://10.0.0.1/", source)
