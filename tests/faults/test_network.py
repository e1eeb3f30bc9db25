"""The wire between the processes is cut, or stays up and carries nothing."""

import random
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.faults.load import NODES, Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.proxy import Proxy
from tests.fixtures.until import until

MakeProxy = Callable[[str, int], Proxy]
CUTS = 50


def is_online(stand: Stand) -> bool:
    """Whether the host holds the edge node for alive."""
    with psycopg.connect(stand.dsn) as connection:
        row = connection.execute("SELECT online FROM edge_node").fetchone()
    return row == (True,)


@pytest.mark.fault(
    "The edge's connection is half-open beyond its keep-alive", promise=Promise.NETWORK
)
def test_edge_half_open(stand: Stand, proxy: MakeProxy) -> None:
    """Broker and edge both find out by themselves: the will comes, later the edge."""
    load = Load("edge-1", before_the_hour(120), steps=150)
    wire = proxy(*stand.mqtt)
    ingest, edge = stand.start_ingest(), stand.start_edge(load, mqtt=(wire.host, wire.port))
    stand.wait_rows(load.readings // 4)
    wire.stall()
    until(lambda: not is_online(stand), "the broker to publish the will", PATIENCE_S)

    wire.resume()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())


@pytest.mark.fault(
    "The connection of ingest is half-open beyond its keep-alive", promise=Promise.NETWORK
)
def test_ingest_half_open(stand: Stand, proxy: MakeProxy) -> None:
    """Ingest finds out by itself; the edge stops at the host's will and begins again at its birth.

    Edge nodes connect to the broker directly.
    """
    load = Load("edge-1", before_the_hour(120), steps=150)
    direct, wire = stand.mqtt, proxy(*stand.mqtt)
    stand.mqtt = (wire.host, wire.port)
    ingest, edge = stand.start_ingest(), stand.start_edge(load, mqtt=direct)
    stand.wait_rows(load.readings // 4)
    wire.stall()
    until(lambda: stand.ready()["broker"] == "not connected", "ingest to miss it", PATIENCE_S)

    wire.resume()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())


@pytest.mark.fault(f"The wires are cut {CUTS} times at random", promise=Promise.NETWORK)
def test_wires_cut_at_random(stand: Stand, proxy: MakeProxy) -> None:
    """Each cut resets what is connected at that moment: two edge nodes, ingest, or nothing yet."""
    loads = [Load(node, before_the_hour(120)) for node in NODES]
    broker, far = stand.mqtt, proxy(*stand.mqtt)
    stand.mqtt = (far.host, far.port)
    ingest = stand.start_ingest()
    wires, edges = [far], []
    for load in loads:
        wires.append(proxy(*broker))
        address = (wires[-1].host, wires[-1].port)
        edges.append(stand.start_edge(load, mqtt=address, rate=40.0))
    stand.wait_rows(1)
    chance = random.Random(7)  # noqa: S311 - a fault, not a secret
    connections = 0
    for _ in range(CUTS):
        time.sleep(chance.uniform(0.0, 0.4))  # the fault itself: at any moment
        wire = chance.choice(wires)
        connections += wire.cut()
        wire.resume()
    stand.scenario.note(f"{connections} connections were cut")

    with stand.scenario.recovery():
        stand.finish(ingest, *edges)

    stand.check({**loads[0].ledger(), **loads[1].ledger()})
