"""``python -m benchmarks NAME [--quick]``: measured claims, each printing one JSON line last."""

import typer

from benchmarks import catchup, console, edge, history, ingest, kpi, live, rollup, soak
from schemas.process import run_command

app = typer.Typer(help="Measured claims; the last line of each is JSON.", no_args_is_help=True)
app.command("catchup")(catchup.main)
app.command("console")(console.main)
app.command("edge")(edge.main)
app.command("history")(history.main)
app.command("ingest")(ingest.main)
app.command("kpi")(kpi.main)
app.command("live")(live.main)
app.command("rollup")(rollup.main)
app.command("soak")(soak.main)


@app.callback()
def _benchmarks() -> None:
    """Keep the benchmark's name a word of the command, also while there is only one."""


if __name__ == "__main__":
    run_command(app)
