"""``python -m benchmarks.generator``: spooling edge nodes, or JSON devices, as one process.

Makes its load, says ``ready``, waits for a line on its input, sends, and prints one JSON line.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import typer
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.load import GROUP, MEASURES, Edge, device_birth, edges, node_birth, plant
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from schemas.sparkplug.topic import MessageType, Topic

_RESEND_S: Final = 5.0
#: Field 3, varint: what protobuf appends to a payload for its seq.
_SEQ_KEY: Final = b"\x18"


@dataclass
class Node:
    """A spooling edge node: sends frames in order, at most *window* ahead of the host."""

    edge: Edge
    port: int
    window: int
    through: int = 0
    sent: int = 0
    newest: int = 0
    seq: int = 0
    sent_s: dict[int, float] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    rebirth: bool = False
    progress_s: float = 0.0

    def connect(self) -> None:
        """Connect and be born."""
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"bench-{self.edge.node}", protocol=MQTTv5
        )
        ready = threading.Event()
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect("127.0.0.1", self.port, clean_start=True)
        self.client.loop_start()
        self.client.subscribe(f"spBv1.0/{GROUP}/NCMD/{self.edge.node}", 1)
        ready.wait(10)
        self.be_born()

    def be_born(self) -> None:
        """NBIRTH and DBIRTHs."""
        now_ms, self.seq, self.rebirth = int(time.time() * 1000), 0, False
        birth = node_birth(now_ms, 0, f"spool-{self.edge.node}").SerializeToString()
        self._publish(MessageType.NBIRTH, birth)
        for device, paths in self.edge.devices.items():
            self._publish(
                MessageType.DBIRTH, device_birth(now_ms, paths).SerializeToString(), device
            )

    def step(self, now_s: float) -> int:
        """Send one frame if the window allows; the readings sent."""
        if self.rebirth:
            self.be_born()
        if self.sent > self.through and now_s - self.progress_s > _RESEND_S:
            self.sent, self.progress_s = self.through, now_s
        if self.sent >= len(self.edge.frames) or self.sent - self.through >= self.window:
            return 0
        frame = self.edge.frames[self.sent]
        self.sent += 1
        self.newest = max(self.newest, self.sent)
        self.sent_s.setdefault(self.sent, now_s)
        self._publish(MessageType.DDATA, frame.payload, frame.device)
        return frame.readings

    def end(self) -> None:
        """Send nothing new from here on."""
        self.edge = Edge(self.edge.node, self.edge.devices, self.edge.frames[: self.newest])

    @property
    def done(self) -> bool:
        """Whether every frame is acknowledged."""
        return self.through >= len(self.edge.frames)

    def _publish(self, kind: MessageType, payload: bytes, device: str | None = None) -> None:
        seq, self.seq = self.seq, (self.seq + 1) % 256
        varint = bytes([seq]) if seq < 128 else bytes([seq & 0x7F | 0x80, seq >> 7])
        topic = Topic(GROUP, kind, self.edge.node, device)
        self.client.publish(str(topic), payload + _SEQ_KEY + varint)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        now_s = time.monotonic()
        for metric in Payload.FromString(bytes(message.payload)).metrics:
            if metric.name == REBIRTH:
                self.rebirth = True
            elif metric.name == COMMIT_THROUGH and metric.long_value > self.through:
                before, self.through = self.through, metric.long_value
                self.progress_s = now_s
                for position in range(before + 1, self.through + 1):
                    self.latencies_s.append(now_s - self.sent_s.pop(position, now_s))


def run_sparkplug(
    port: int, load: list[Edge], window: int, rate: float, *, until_told: bool = False
) -> dict[str, float]:
    """Send all, at most *rate* readings/s (0: no bound); returns when all is acknowledged.

    With *until_told* a second line on the input ends it: what was sent by then is waited for.
    """
    nodes = [Node(edge, port, window) for edge in load]
    for node in nodes:
        node.connect()
    _wait_for_start()
    told = threading.Event()
    if until_told:
        threading.Thread(target=_hear, args=(told,), daemon=True).start()
    started_s = time.monotonic()
    for node in nodes:
        node.progress_s = started_s
    sent = 0
    while not all(node.done for node in nodes):
        if told.is_set():
            for node in nodes:
                node.end()
        now_s = time.monotonic()
        if rate and sent > (now_s - started_s) * rate:
            time.sleep(0.001)
            continue
        moved = sum(node.step(now_s) for node in nodes)
        sent += moved
        if not moved:
            time.sleep(0.001)
    seconds = time.monotonic() - started_s
    latencies = np.concatenate([node.latencies_s for node in nodes]) * 1000
    for node in nodes:
        node.client.disconnect()
        node.client.loop_stop()
    return {
        "seconds": seconds,
        "readings": sum(frame.readings for node in nodes for frame in node.edge.frames),
        "latency_p50_ms": float(np.percentile(latencies, 50)),
        "latency_p99_ms": float(np.percentile(latencies, 99)),
    }


def run_json(port: int, messages: Sequence[tuple[str, bytes]], rate: float) -> dict[str, float]:
    """Publish everything at QoS 1, at most *rate* readings/s; returns when the broker has it."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-json", protocol=MQTTv5)
    room = threading.Semaphore(100)
    client.on_publish = lambda *_: room.release()
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", port, clean_start=True)
    client.loop_start()
    _wait_for_start()
    started_s, sent = time.monotonic(), 0
    for topic, payload in messages:
        while rate and sent > (time.monotonic() - started_s) * rate:
            time.sleep(0.001)
        room.acquire()
        client.publish(topic, payload, qos=1)
        sent += MEASURES
    for _ in range(100):
        room.acquire()
    seconds = time.monotonic() - started_s
    client.disconnect()
    client.loop_stop()
    return {"seconds": seconds}


def json_messages(
    paths: Sequence[str], rounds: int, first_ms: int, seed: int
) -> list[tuple[str, bytes]]:
    """One message of 25 values for each unit and second."""
    values = np.random.default_rng(seed).normal(100.0, 5.0, (rounds, len(paths))).round(4)
    made = []
    for number, row in enumerate(values.tolist()):
        for start in range(0, len(paths), MEASURES):
            asset = paths[start].rpartition("/")[0]
            part = {
                path.rpartition("/")[2]: value
                for path, value in zip(
                    paths[start : start + MEASURES], row[start : start + MEASURES], strict=True
                )
            }
            body = {"ts": first_ms + number * 1000, "values": part}
            made.append((f"telemetry/{asset}", json.dumps(body).encode()))
    return made


def _hear(told: threading.Event) -> None:
    sys.stdin.readline()
    told.set()


def _wait_for_start() -> None:
    print("ready", flush=True)  # noqa: T201 - the protocol with the benchmark
    sys.stdin.readline()


def main(  # noqa: PLR0917 - arguments of a command
    lane: str, port: int, tags: int, rounds: int, first_ms: int, frame: int, rate: float
) -> None:
    """Make the load, wait, send, tell; a backlog is of half of the tags, live is the other."""
    paths = list(plant(tags).tags)
    half = tags // 2
    if lane == "backlog":
        load = edges(
            paths[:half],
            nodes=4,
            rounds=rounds,
            frame=frame,
            first_ms=first_ms,
            seed=1,
            name="late",
            historical=True,
        )
        found = run_sparkplug(port, load, window=512, rate=rate)
    elif lane == "live":
        load = edges(paths[half:], nodes=4, rounds=rounds, frame=frame, first_ms=first_ms, seed=2)
        found = run_sparkplug(port, load, window=512, rate=rate, until_told=True)
    elif lane == "json":
        found = run_json(port, json_messages(paths, rounds, first_ms, seed=1), rate)
    else:
        load = edges(paths, nodes=4, rounds=rounds, frame=frame, first_ms=first_ms, seed=1)
        found = run_sparkplug(port, load, window=512, rate=rate)
    found["sender_cpu_s"] = time.process_time()
    print(json.dumps(found), flush=True)  # noqa: T201 - the protocol with the benchmark


if __name__ == "__main__":
    typer.run(main)
