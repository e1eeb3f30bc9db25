"""``python -m api``: serve the HTTP API."""

import signal
import sys
from typing import Annotated

import structlog
import typer
import uvicorn
from pydantic import ValidationError

from api.access.commands import keys
from api.app import create_app
from api.settings import ApiSettings
from kpi.catalogue.park import AREAS
from kpi.derivation.rules import RULES
from kpi.document import document
from schemas.document import first_fault
from schemas.process import ExitCode, configure_logs, run_command
from schemas.settings import DatabaseSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys, name="keys")

log = structlog.get_logger()

#: A live stream never ends by itself: how long a stopping server waits for its readers [s].
_GRACE_S = 3


@app.callback()
def main() -> None:
    """Assets, tags, history, KPIs and live values of the plant over HTTP.

    ERTIS_DSN names the database; api/settings.example.env lists the settings API_*.
    """


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on [8000]; 0: any free.")
    ] = None,
) -> None:
    """Serve until SIGINT or SIGTERM. A database that is down gives 503 until it is back."""
    configure_logs("api")
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        settings = ApiSettings().model_copy(update=given)
    except ValidationError as error:
        raise first_fault(error, ApiSettings, "environment API_*") from error
    settings.check_exposure()
    if settings.keyless_role is not None:
        log.warning(
            "callers without a key are answered",
            role=settings.keyless_role.value,
            who="anybody" if settings.keyless_anywhere else "this machine alone",
        )
    # uvicorn raises the signal again when it has shut down; to end as asked is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.OK))
    uvicorn.run(
        create_app(settings, DatabaseSettings().dsn),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )


@app.command()
def kpis() -> None:
    """Print the catalogue of KPIs, which needs no database, as a page of Markdown."""
    sys.stdout.write(document(AREAS, RULES))


if __name__ == "__main__":
    run_command(app)
