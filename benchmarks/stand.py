"""What a benchmark stands on: a database, a broker and ingest, all real and its own."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil
import psycopg

from schemas.errors import BrokerDown, UnavailableError
from standalone import leash
from standalone.broker import EmbeddedBroker
from standalone.database import EmbeddedDatabase, tools

HOST: Final = "127.0.0.1"
#: Nothing is bounded in the broker, so that it is not what is measured.
_MOSQUITTO: Final = """\
listener {port} {host}
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
"""
_START_WITHIN_S: Final = 60.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], what: str, within_s: float = _START_WITHIN_S) -> None:
    """Wait for *condition*.

    Raises
    ------
    UnavailableError
        It did not come true.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise UnavailableError(f"waited {within_s:g} s for {what}")
        time.sleep(0.02)


def python(*arguments: str) -> list[str]:
    """The command of a Python process that ends with this one, whatever ends that."""
    return [sys.executable, leash.__file__, str(os.getpid()), sys.executable, *arguments]


@contextmanager
def process(*arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of ours, ended at exit."""
    running = subprocess.Popen(  # noqa: S603 - our own modules
        python(*arguments), env={**os.environ, **environment}
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def database() -> Iterator[str]:
    """DSN of an empty server."""
    with (
        tempfile.TemporaryDirectory(prefix="ertis-bench-") as folder,
        EmbeddedDatabase(Path(folder)) as server,
    ):
        yield server.dsn


def psql() -> str:
    """PostgreSQL's own client, from the wheel that `database` runs."""
    return str(tools() / "psql")


@contextmanager
def broker(port: int | None = None) -> Iterator[tuple[str, int]]:
    """Name and port of a broker: Mosquitto where it is installed, else the embedded one."""
    port = port or free_port()
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ertis-bench-")))
        if found is None:
            held.enter_context(EmbeddedBroker(port, config_dir=folder))
            yield "rumqttd", port
            return
        config = folder / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=port, host=HOST))
        command = (sys.executable, leash.__file__, str(os.getpid()), found, "-c", str(config))
        with subprocess.Popen(  # noqa: S603 - the broker just found
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            try:
                until(lambda: _listens(port), "mosquitto to listen")
                yield "mosquitto", port
            finally:
                running.terminate()


@contextmanager
def ingest(dsn: str, mqtt_port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running ingest that is ready."""
    port = free_port()
    environment = {
        "ERTIS_DSN": dsn,
        "MQTT_HOST": HOST,
        "MQTT_PORT": str(mqtt_port),
        "INGEST_METRICS_PORT": str(port),
        **settings,
    }
    with process("-m", "ingest", "run", environment=environment) as running:
        until(lambda: _online(running, port), "ingest to be connected")
        yield running


def peak_rss_mb(running: subprocess.Popen[bytes]) -> float:
    """The most memory that the process ever held [MB]."""
    status = Path(f"/proc/{running.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def cpu_s(running: subprocess.Popen[bytes] | subprocess.Popen[str]) -> float:
    """Processor time that the process has used [s]."""
    used = psutil.Process(running.pid).cpu_times()
    return float(used.user + used.system)


def server_cpu_s(connection: psycopg.Connection) -> float:
    """Processor time of the server behind *connection*, its ended sessions included [s]."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    server = psutil.Process(row[0] if row else 0).parent()
    if server is None:
        return 0.0
    spent = server.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for session in server.children():
        used = session.cpu_times()
        total += used.user + used.system
    return float(total)


def _online(running: subprocess.Popen[bytes], port: int) -> bool:
    """Connected to the broker; the database counts only once there is something to write."""
    if running.poll() is not None:
        raise BrokerDown(f"ingest ended with {running.returncode}; its log says why")
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        parts = json.loads(connection.getresponse().read())
    except OSError:
        return False
    finally:
        connection.close()
    return bool(
        parts.get("broker") == "connected" and parts.get("lane", "connected") == "connected"
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
