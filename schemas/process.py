"""How a process of Ertis speaks to whoever started it: exit codes, log lines, one line of error."""

import logging
import sys
from collections.abc import Callable
from enum import IntEnum

import structlog
import typer

from schemas.errors import ConfigError, ErtisError, RequestError, UnavailableError


class ExitCode(IntEnum):
    """What a command ends with. 64 and above follow sysexits.h."""

    OK = 0
    FAILED = 1
    CONFIG = 2
    UNAVAILABLE = 69


def exit_code(error: ErtisError) -> ExitCode:
    """The code for *error*: 2 tells a supervisor that starting again will not help."""
    match error:
        case ConfigError() | RequestError():
            return ExitCode.CONFIG
        case UnavailableError():
            return ExitCode.UNAVAILABLE
        case _:
            return ExitCode.FAILED


def run_command(app: Callable[[], object]) -> None:
    """Run a typer *app*; an `ErtisError` ends it with one line and its exit code, no traceback."""
    try:
        app()
    except ErtisError as error:
        typer.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        sys.exit(exit_code(error))


def configure_logs(service: str, *, verbose: bool = False) -> None:
    """Send this process's log to stderr: lines for people on a terminal, JSON anywhere else."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(service=service)
