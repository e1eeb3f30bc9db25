"""The rollup worker in a process of its own, beside ingest.

Making summaries takes hundreds of megabytes for moments (645 MB with 5,000 tags, 2026-11-21) and a
core of interpreter; in another process neither is at the cost of the stream.
"""

import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from schemas.process import configure_logs

log = structlog.get_logger()

_LOOK_S: Final = 0.5
_AGAIN_S: Final = 5.0
_LEAVE_WITHIN_S: Final = 10.0


class RollupProcess(Collector):
    """Starts the process and keeps it running; shows its counters as the process last told them."""

    def __init__(self, dsn: str, keep: timedelta | None) -> None:
        self._dsn = dsn
        self._keep = keep
        self._told = ""

    def run(self, stop: threading.Event) -> None:
        """Have the worker work until *stop* is set; a process that ends is started again."""
        while not stop.is_set():
            code = self._watch(stop)
            if not stop.is_set():
                log.error("rollup process ended; it is started again", exit_code=code)
                stop.wait(_AGAIN_S)

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        yield from text_string_to_metric_families(self._told)

    def _watch(self, stop: threading.Event) -> int | None:
        context = get_context("spawn")  # a fork would share our threads' locks
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(self._dsn, self._keep, theirs), name="rollup", daemon=True
        )
        process.start()
        theirs.close()
        with ours:
            while not stop.is_set() and process.is_alive():
                try:
                    if ours.poll(_LOOK_S):
                        self._told = ours.recv_bytes().decode()
                except (EOFError, ConnectionError):
                    break
        process.join(_LEAVE_WITHIN_S)
        if process.is_alive():
            process.terminate()
            process.join()
        return process.exitcode


def _work(dsn: str, keep: timedelta | None, pipe: Connection) -> None:
    """Work until the other end of *pipe* is closed, or gone with its process."""
    from ingest.rollup.worker import RollupWorker  # noqa: PLC0415 - Polars is for the child alone

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too: ingest says when to end
    configure_logs("rollup")
    registry, stop = CollectorRegistry(), threading.Event()
    worker = RollupWorker(dsn, registry=registry, keep=keep)
    working = threading.Thread(target=worker.run, args=(stop,), name="rollup")
    working.start()
    try:
        while working.is_alive():
            pipe.send_bytes(generate_latest(registry))
            if pipe.poll(2 * _LOOK_S):
                pipe.recv_bytes()  # nothing is ever sent: this is the end
    except (EOFError, ConnectionError):
        pass
    finally:
        stop.set()
        working.join()
