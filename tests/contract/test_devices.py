"""The commands of docs/devices.md, run as they stand."""

import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.plant.file import load_plant
from tests.fixtures.broker import Mosquitto
from tests.fixtures.until import until
from tests.ingest.test_service import running

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(
    r"```sh\n(mosquitto_pub .*?)```", (ROOT / "docs" / "devices.md").read_text(), re.DOTALL
)
READINGS = [
    ("anode_effect", 1795255201000, 0.0, 192),
    ("anode_effect", 1795255204000, None, 0),
    ("voltage", 1795255200000, 4.21, 192),
    ("voltage", 1795255201000, 4.22, 192),
    ("voltage", 1795255202000, 4.23, 192),
    ("voltage", 1795255203000, 4.24, 192),
    ("voltage", 1795255204000, 4.9, 64),
]


@pytest.mark.mosquitto
def test_commands_do_what_the_page_says(
    mosquitto: Mosquitto, database: str, tmp_path: Path
) -> None:
    """Five messages become readings, the sixth a dead letter."""
    engine = make_engine(database, pool_size=1)
    with engine.begin() as connection:
        store_plant(connection, load_plant(ROOT / "plants" / "pavlodar.toml"))
    engine.dispose()
    options = f"--host {mosquitto.host}\n--port {mosquitto.port}\n"
    (tmp_path / "mosquitto_pub").write_text(options)

    with running(database, mosquitto) as stand:
        until(lambda: stand.ready().get("ready"), "ingest to be ready")
        for command in COMMANDS:
            subprocess.run(
                ["/bin/sh", "-ec", command],
                env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
                check=True,
            )
        until(lambda: stand.letters() and stand.tally("telemetry").stored == 7, "the readings")

        assert stand.letters() == [("telemetry/smelter/nowhere", "unmapped", 1)]
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            """SELECT measure, (extract(epoch FROM ts) * 1000)::int8, value, quality
               FROM reading JOIN tag ON tag.id = tag_id ORDER BY measure, ts"""
        ).fetchall()
    assert rows == READINGS
