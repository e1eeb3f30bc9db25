"""pysparkplug as an edge node or as a listener; runs in an environment of its own.

``edge PORT``: a node that is born, publishes once for every line on stdin, and leaves at its end.
``host PORT``: a JSON line on stdout for every message that it understands, until stdin ends.
"""

import json
import sys
import time
from collections.abc import Iterator

from pysparkplug import (  # type: ignore[import-not-found]  # its pins clash with ours
    SINGLE_LEVEL_WILDCARD,
    Client,
    ClientOptions,
    DataType,
    Device,
    EdgeNode,
    Message,
    MessageType,
    Metric,
    QoS,
    Topic,
)

GROUP, NODE, DEVICE = "pavlodar", "foreign", "meter"


def say(**words: object) -> None:
    """A JSON line."""
    print(json.dumps(words), flush=True)  # noqa: T201 - the test reads it


def clock() -> Iterator[int]:
    """The time [ms], each later than the one before."""
    last = 0
    while True:
        last = max(last + 1, time.time_ns() // 1_000_000)
        yield last


NOW = clock()


def metric(name: str, datatype: DataType, value: object) -> Metric:
    """A metric of now."""
    return Metric(next(NOW), name, datatype, value=value)


def edge(port: int) -> None:
    """Births with one value of each type, then data: the values of line n are n more."""
    client = Client("pysparkplug-edge", client_options=ClientOptions(reconnect_on_failure=False))
    node = EdgeNode(GROUP, NODE, [metric("voltage", DataType.DOUBLE, 4.25)], client)
    device = [
        metric("level", DataType.INT8, -5),
        metric("current", DataType.FLOAT, 1.5),
        metric("flag", DataType.BOOLEAN, value=True),
        metric("recipe", DataType.STRING, "A"),
    ]
    node.register(Device(DEVICE, device))
    node.connect("127.0.0.1", port=port)
    while not node._connected:
        time.sleep(0.01)
    say(born=True)
    for count, _ in enumerate(sys.stdin, 1):
        node.update([metric("voltage", DataType.DOUBLE, 4.25 + count)])
        node.update_device(DEVICE, [metric("level", DataType.INT8, -5 + count)])
        say(sent=count)
    node.disconnect()


def host(port: int) -> None:
    """What the codec makes of everything on the wire; names where births gave aliases."""
    client = Client("pysparkplug-host")

    def hear(_client: Client, message: Message) -> None:
        payload, topic = message.payload, message.topic
        say(
            type=str(topic.message_type),
            device=topic.device_id,
            seq=getattr(payload, "seq", None),
            metrics=[
                {"name": each.name, "value": each.value, "ts": each.timestamp}
                for each in getattr(payload, "metrics", ())
            ],
        )

    for kind in (MessageType.NBIRTH, MessageType.NDATA):
        topic = Topic(message_type=kind, group_id="site", edge_node_id=SINGLE_LEVEL_WILDCARD)
        client.subscribe(topic, QoS.AT_LEAST_ONCE, hear)
    for kind in (MessageType.DBIRTH, MessageType.DDATA, MessageType.DDEATH):
        topic = Topic(
            message_type=kind,
            group_id="site",
            edge_node_id=SINGLE_LEVEL_WILDCARD,
            device_id=SINGLE_LEVEL_WILDCARD,
        )
        client.subscribe(topic, QoS.AT_LEAST_ONCE, hear)
    client.connect("127.0.0.1", port=port, callback=lambda _client: say(listening=True))
    sys.stdin.read()
    client.disconnect()


if __name__ == "__main__":
    {"edge": edge, "host": host}[sys.argv[1]](int(sys.argv[2]))
