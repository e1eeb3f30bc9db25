"""``python -m simulator``: a simulated plant on real Modbus TCP."""

import asyncio
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from schemas.plant.file import load_plant
from schemas.process import configure_logs, run_command
from simulator.ledger import Ledger
from simulator.memory import Memory
from simulator.park import Park
from simulator.plc import LOG_HEAD
from simulator.server import scanning, serving

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

PlantFile = Annotated[
    Path,
    typer.Option(
        "--plant", help="Plant model; every potline, digestion unit and renewables area gets a PLC."
    ),
]
DEFAULT_PLANT = Path("plants/pavlodar.toml")


@app.callback()
def main() -> None:
    """A simulated plant with known truth, served by PLCs on Modbus TCP.

    Each PLC scans once a second, on the whole UTC second. Input registers 0 to 3 hold the time of
    the scan (uint64, UTC ms), the tags follow from 4 on; event logs are rings at 1000.
    All numbers are big-endian, the high word first. Unit id 1.

    Holding registers 0 to 2 (command, argument, seconds; one write with function 16) cause faults:
    1 upset unit n, 2 freeze the sensor at input register n, 3 silence, 4 answer with exception n.
    """


@app.command()
def run(
    *,
    plant: PlantFile = DEFAULT_PLANT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port of the first PLC, the others follow; 0: any free ports."
        ),
    ] = 5020,
    seed: Annotated[
        int, typer.Option(help="The same seed and start time give the same plant.")
    ] = 1,
    tap_every_s: Annotated[
        int,
        typer.Option(
            min=1,
            help="Seconds between two taps of a line. 4800 is real for 24 pots (32 h a pot); "
            "less takes less metal more often.",
        ),
    ] = 300,
    ledger: Annotated[
        Path | None,
        typer.Option(
            help="New directory for truth.jsonl (exact totals, a line per scan) and served.csv "
            "(all values that answers carried)."
        ),
    ] = None,
    memory: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps totalisers, event logs and metal over a restart, as PLCs do."
        ),
    ] = None,
) -> None:
    """Serve the plant until SIGINT or SIGTERM."""
    configure_logs("simulator")
    model = load_plant(plant)
    kept = Memory(memory) if memory else None
    now_ms = time.time_ns() // 1_000_000_000 * 1000
    park = Park(model, now_ms, seed, tap_every_s, kept.load() if kept else None)
    with ExitStack() as closing:
        book = closing.enter_context(Ledger(ledger)) if ledger else None
        asyncio.run(_run(park, host, port, book, kept))


@app.command()
def registers(plant: PlantFile = DEFAULT_PLANT) -> None:
    """Print where every tag of the plant stands: PLC, input register, type, scale, tag."""
    for station in Park(load_plant(plant), 0, seed=1).stations:
        plc = station.plc
        for point in plc.points:
            encoding = point.encoding
            typer.echo(
                f"{plc.name}\t{point.address}\t{encoding.type}\t{encoding.scale:g}\t{point.path}"
            )
        for place, path in enumerate(plc.logged):
            typer.echo(f"{plc.name}\t{LOG_HEAD}\tlog place {place}\t1\t{path}")


async def _run(
    park: Park, host: str, port: int, ledger: Ledger | None, memory: Memory | None
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(park, host, port, ledger) as servers:
        for server in servers:
            plc = server.station.plc
            typer.echo(f"{plc.name} Modbus TCP {server.host}:{server.port}, {plc.tags} tags")
        await scanning(park, stop, ledger, memory)


if __name__ == "__main__":
    run_command(app)
