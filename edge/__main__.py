"""``python -m edge``: the agent beside PLCs and meters."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from edge.bootstrap import run_agent
from edge.config import load_config
from schemas.errors import ConfigError
from schemas.process import ExitCode, configure_logs, run_command

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

Config = Annotated[Path, typer.Option("--config", help="The TOML file.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the spool; .ertis/spool/NODE if none.")
]
MetricsPort = Annotated[
    int | None, typer.Option("--metrics-port", help="Serve counters to Prometheus on loopback.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log refused messages as well.")]


@app.command()
def run(
    config: Config,
    data_dir: DataDir = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="DEVICE=HOST:PORT instead of what the file says."),
    ] = None,
    metrics_port: MetricsPort = None,
    verbose: Verbose = False,
) -> None:
    """Scan the devices of the file and deliver what they show, until SIGTERM or Ctrl-C."""
    loaded = load_config(config, dict(map(_address, source or ())))
    configure_logs("edge", verbose=verbose)
    # Every failed request comes back as an exception; pymodbus would log it as well.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    asyncio.run(run_agent(loaded, data_dir, metrics_port))


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


def _address(option: str) -> tuple[str, tuple[str, int]]:
    """``DEVICE=HOST:PORT`` in parts."""
    device, equals, address = option.partition("=")
    host, colon, port = address.rpartition(":")
    if not (device and equals and host and colon and port.isdecimal()):
        raise ConfigError("--source", option, "write DEVICE=HOST:PORT, plc-1=127.0.0.1:502")
    return device, (host, int(port))


if __name__ == "__main__":
    run_command(app)
