"""``python -m edge``: the agent beside PLCs and meters."""

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from edge.bootstrap import run_agent
from edge.check import look, summary, table_of, verdict
from edge.config import load_config
from edge.draft import Keys, Place, write_draft
from edge.sources.device import extra
from schemas.errors import ConfigError
from schemas.process import ExitCode, configure_logs, run_command
from schemas.settings import MqttSettings, read_environment

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

Config = Annotated[Path, typer.Option("--config", help="The TOML file.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the spool; .ertis/spool/NODE if none.")
]
MetricsPort = Annotated[
    int | None, typer.Option("--metrics-port", help="Serve counters to Prometheus on loopback.")
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", help="DEVICE=HOST:PORT instead of what the file says."),
]
Into = Annotated[
    Path | None, typer.Option("--into", help="Write a starting file here, its plant beside it.")
]
Name = Annotated[str, typer.Option("--device", help="Sparkplug device id in that file.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log refused messages as well.")]


@app.command()
def run(
    config: Config,
    data_dir: DataDir = None,
    source: Source = None,
    metrics_port: MetricsPort = None,
    verbose: Verbose = False,
) -> None:
    """Scan the devices of the file and deliver what they show, until SIGTERM or Ctrl-C.

    SIGHUP reads the file again; one that is wrong changes nothing.
    """
    read = partial(load_config, config, dict(map(_address, source or ())))
    configure_logs("edge", verbose=verbose)
    _quiet_libraries()
    asyncio.run(run_agent(read, data_dir, metrics_port))


@app.command()
def replay(
    config: Config,
    data_dir: DataDir = None,
    files: Annotated[
        Path | None, typer.Option("--files", help="Folder of the exports; beside the file if none.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Send rows again that were sent before.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Send historian exports as history; ends when everything is in the database."""
    # pyarrow is an extra that an agent beside a PLC does not need.
    from edge.export import load_replay  # noqa: PLC0415
    from edge.replay import run_replay  # noqa: PLC0415

    loaded = load_replay(config, files)
    configure_logs("edge replay", verbose=verbose)
    if not asyncio.run(run_replay(loaded, data_dir, again=again)):
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def check(
    config: Config,
    source: Source = None,
    patience_s: Annotated[
        float, typer.Option("--patience-s", min=0.1, help="How long a device may take.")
    ] = 10.0,
) -> None:
    """Read the file and the environment, and every tag once; delivers and keeps nothing.

    Ends with 0 if every tag has a good value, 1 if one has not, 69 if a device does not answer, and
    2 if file or environment are wrong.
    """
    loaded = load_config(config, dict(map(_address, source or ())))
    read_environment(MqttSettings)
    _quiet_libraries()
    sights = asyncio.run(look(loaded, patience_s))
    _console().print(table_of(sights))
    typer.echo(summary(sights))
    raise typer.Exit(verdict(sights))


@app.command()
def scan(  # noqa: PLR0917 - options of a command
    address: Annotated[str, typer.Argument(help="modbus://HOST:PORT or modbus+rtu://HOST:PORT")],
    unit: Annotated[list[int], typer.Option("--unit", min=0, max=255, help="Unit ids.")] = [1],  # noqa: B006 - typer copies it
    first: Annotated[int, typer.Option("--first", min=0, max=65535)] = 0,
    last: Annotated[int, typer.Option("--last", min=0, max=65535)] = 999,
    into: Into = None,
    device: Name = "plc",
) -> None:
    """List the addresses of a Modbus device that answer, and what they hold; reads alone."""
    from edge.sources.modbus.survey import Run, Target, survey  # noqa: PLC0415 - an extra

    _quiet_libraries()
    target = Target.parse(address)

    async def collect() -> list[Run]:
        runs = []
        async for run in survey(target, unit, first, last):
            typer.echo(f"unit {run.unit}: {run.table} {run.start} to {run.end - 1}")
            runs.append(run)
        return runs

    runs = asyncio.run(collect())
    for run in runs:
        for place in run.places():
            typer.echo(f"{run.unit} {place.name} = {place.now}")
    if into is not None:
        chosen = [run for run in runs if run.unit == unit[0]]
        _write_draft(
            into, device, target.keys(unit[0]), [p for run in chosen for p in run.places()]
        )


@app.command()
def browse(
    address: Annotated[str, typer.Argument(help="opcua://HOST:PORT[/PATH]")],
    root: Annotated[str | None, typer.Option("--root", help="Node id to begin at.")] = None,
    into: Into = None,
    device: Name = "server",
) -> None:
    """List the variables of an OPC UA server, and what they hold; reads alone."""
    with extra("edge-opcua", "opcua"):
        from edge.sources.opcua import browse as opcua  # noqa: PLC0415 - an extra
    from edge.sources.opcua.table import OpcUaTable  # noqa: PLC0415 - likewise

    _quiet_libraries()
    scheme, _, where = address.partition("://")
    if scheme not in ("opcua", "opc.tcp") or not where:
        raise ConfigError("address", address, "write opcua://HOST:PORT")
    table = OpcUaTable(type="opcua", device=device, url=f"opc.tcp://{where}")

    async def collect() -> list[opcua.Variable]:
        found = []
        async for variable in opcua.browse(table, root):
            typer.echo(f"{variable.node} {'/'.join(variable.names)} = {variable.now.value}")
            found.append(variable)
        return found

    numbers = [found for found in asyncio.run(collect()) if found.now.value is not None]
    if into is not None:
        places = [
            Place("/".join(found.names), {"node": found.node}, str(found.now.value))
            for found in numbers
        ]
        _write_draft(into, device, {"type": "opcua", "url": table.url}, places)


def _write_draft(into: Path, device: str, source: Keys, places: list[Place]) -> None:
    plant = write_draft(into, device, source, places)
    typer.echo(f"{len(places)} tags in {into}, their units to be filled in in {plant}")


def _quiet_libraries() -> None:
    """Every failed request comes back as an exception; the libraries would log it too."""
    for library in ("pymodbus", "asyncua", "snap7", "httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _console() -> Console:
    """Where there is no terminal to fit in, nothing is cut off."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _address(option: str) -> tuple[str, tuple[str, int]]:
    """``DEVICE=HOST:PORT`` in parts."""
    device, equals, address = option.partition("=")
    host, colon, port = address.rpartition(":")
    if not (device and equals and host and colon and port.isdecimal()):
        raise ConfigError("--source", option, "write DEVICE=HOST:PORT, plc-1=127.0.0.1:502")
    return device, (host, int(port))


if __name__ == "__main__":
    run_command(app)
