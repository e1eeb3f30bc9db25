"""``python -m standalone``: the whole park on this machine."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kpi.derive import check_rules
from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.plant.file import load_plant
from schemas.plant.model import Plant
from schemas.process import configure_logs, run_command
from standalone.board import show
from standalone.broker import EmbeddedBroker
from standalone.data_dir import DataDir
from standalone.database import EmbeddedDatabase
from standalone.park import Park
from standalone.past import write_past
from standalone.plan import Options, Plan, find_agents
from standalone.ports import check_ports
from standalone.signals import Signals

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    data_dir: Annotated[
        Path,
        typer.Option(
            help="Where data, spools and logs are kept; a later start goes on from there. "
            "Parks with directories and ports of their own run beside each other."
        ),
    ] = Path(".ertis"),
    port: Annotated[
        int,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the HTTP API; the next ones show the counters of ingest and the agents.",
        ),
    ] = 8000,
    plant: Annotated[
        Path,
        typer.Option(
            help="Plant model. The folder of the same name beside it (plants/pavlodar/*.toml) "
            "holds the files of the edge agents."
        ),
    ] = Path("plants/pavlodar.toml"),
    duration: Annotated[
        float | None, typer.Option(min=0, help="Seconds after which the park ends by itself.")
    ] = None,
    simulator: Annotated[
        bool,
        typer.Option(
            "--simulator/--no-simulator",
            help="With --no-simulator the agents read the PLCs that their files name.",
        ),
    ] = True,
    history: Annotated[
        float,
        typer.Option(
            min=0,
            max=168,
            help="Hours that the simulated plant has behind it when it starts for the first time. "
            "Its readings are written before anything starts, and summarised in the background.",
        ),
    ] = 0,
    mqtt_port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, help="Port of the broker for MQTT 5; the next one is for MQTT 3.1.1."
        ),
    ] = 1883,
    plc_port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, help="Port of the first simulated PLC, Modbus TCP; the others follow."
        ),
    ] = 5020,
) -> None:
    """Run the whole park on this machine until Ctrl-C.

    Starts an embedded PostgreSQL and MQTT broker, simulated PLCs, an edge agent for each, ingest
    and the API, all on 127.0.0.1 and without root; starts again what dies; ends them in the order
    in which readings flow, so that nothing is lost on the way.

    Exit code 2: a port is busy, the data directory unusable, a file wrong; the message says what
    to do.
    """
    configure_logs("standalone")
    run(
        Options(data_dir, plant, port, mqtt_port, plc_port, simulator, history),
        float("inf") if duration is None else duration,
    )


def run(options: Options, seconds: float) -> None:
    """Run the park for so many *seconds*, or until the process is asked to end."""
    plant = load_plant(options.plant)
    check_rules(plant)
    agents = find_agents(options.plant)
    check_ports(options.ports(agents.values()))
    data = DataDir.make(options.data_dir)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    with Signals() as signals, ExitStack() as standing:
        with console.status(f"Starting in {data.path}"):
            database = standing.enter_context(EmbeddedDatabase(data.path))
            prepare(database.dsn, plant)
            if options.simulator:
                write_past(database.dsn, plant, data.simulator, options.history)
            broker = standing.enter_context(
                EmbeddedBroker(options.mqtt_port, options.mqtt3_port, config_dir=data.path)
            )
            plan = Plan(options, agents, data)
            park = Park(plan.grounds(database, broker), data, signals)
            standing.callback(park.end)
            park.start(plan.stages(database.dsn))
        if not signals.ending:
            show(console, park, options, plant)
        park.watch(seconds)


def prepare(dsn: str, plant: Plant) -> None:
    """Bring the database to this version's tables and this plant."""
    upgrade(dsn)
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, plant)
    engine.dispose()


if __name__ == "__main__":
    run_command(app)
