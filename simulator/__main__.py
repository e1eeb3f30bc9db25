"""``python -m simulator``: a simulated plant on real Modbus TCP."""

import asyncio
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigError
from schemas.plant.file import load_plant
from schemas.plant.model import Plant
from schemas.process import configure_logs, run_command
from simulator.ledger import Ledger
from simulator.memory import Memory
from simulator.park import Park
from simulator.scale import SMALLEST, park_at, write_park
from simulator.server import scanning, serving
from simulator.wiring import wire

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

DEFAULT_PLANT = Path("plants/pavlodar.toml")
PlantFile = Annotated[
    Path | None,
    typer.Option("--plant", help=f"Plant model; {DEFAULT_PLANT} where no scale is given either."),
]
Scale = Annotated[
    float | None,
    typer.Option(
        "--scale",
        min=SMALLEST,
        max=1.0,
        help="The whole park at this scale: at 1 it has 724 pots, 800 turbines, 4000 inverters.",
    ),
]


@app.callback()
def main() -> None:
    """A simulated park with known truth, served by PLCs on Modbus TCP.

    Each PLC scans once a second, on the whole UTC second. Input registers 0 to 3 hold the time of
    the scan (uint64, UTC ms), the tags follow from 4 on; event logs are rings at 1000, 2000, 3000.
    All numbers are big-endian, the high word first. Unit id 1.

    Holding registers 0 to 2 (command, argument, seconds; one write with function 16) cause faults:
    1 upset unit n (anode effect, trip), 2 freeze the sensor at input register n, 3 silence,
    4 answer with exception n, 5 sicken pot n, 6 let the sensor at register n drift, 7 reset the
    totaliser at register n, 8 curtail to n %, 9 modulate the line to n %, 10 cut the network,
    11 set the clock wrong by n seconds. `registers` lists units and registers.
    """


@app.command()
def run(
    *,
    plant: PlantFile = None,
    scale: Scale = None,
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
    model = _plant(plant, scale)
    kept = Memory(memory) if memory else None
    now_ms = time.time_ns() // 1_000_000_000 * 1000
    simulated = Park(model, now_ms, seed, tap_every_s, kept.load() if kept else None)
    with ExitStack() as closing:
        book = closing.enter_context(Ledger(ledger)) if ledger else None
        asyncio.run(_run(simulated, host, port, book, kept))


@app.command()
def registers(plant: PlantFile = None, scale: Scale = None) -> None:
    """Print where every tag stands: PLC, unit of the PLC, input register, type, scale, tag."""
    for wiring in wire(_plant(plant, scale)):
        for point in wiring.points:
            unit = wiring.assets.index(point.path.rpartition("/")[0]) + 1
            encoding = point.encoding
            typer.echo(
                f"{wiring.name}\t{unit}\t{point.address}\t{encoding.type}\t{encoding.scale:g}\t"
                f"{point.path}"
            )
        for log in wiring.logs:
            for place, path in enumerate(log.paths):
                unit = wiring.assets.index(path.rpartition("/")[0]) + 1
                typer.echo(f"{wiring.name}\t{unit}\t{log.head}\tlog place {place}\t1\t{path}")


@app.command()
def park(
    *,
    into: Annotated[Path, typer.Option(help="Folder for the plant file and its agents' folder.")],
    scale: Annotated[
        float, typer.Option(min=SMALLEST, max=1.0, help="1 is the whole park.")
    ] = SMALLEST,
) -> None:
    """Write the park at a scale: a plant file and the files of the agents that read it."""
    try:
        written = write_park(scale, into)
    except OSError as error:
        right = f"name a folder that can be written ({error.strerror})"
        raise ConfigError("--into", str(into), right) from error
    for file in written:
        typer.echo(file)


def _plant(file: Path | None, scale: float | None) -> Plant:
    if scale is None:
        return load_plant(file or DEFAULT_PLANT)
    if file is not None:
        raise ConfigError("--scale", scale, "--plant is a park of its own; give one of them")
    return park_at(scale)


async def _run(
    park: Park, host: str, port: int, ledger: Ledger | None, memory: Memory | None
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(park, host, port, ledger) as servers:
        for server in servers:
            wiring = server.station.plc.wiring
            typer.echo(f"{wiring.name} Modbus TCP {server.host}:{server.port}, {wiring.tags} tags")
        await scanning(park, servers, stop, ledger, memory)


if __name__ == "__main__":
    run_command(app)
