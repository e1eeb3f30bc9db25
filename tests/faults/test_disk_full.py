"""A disk without room: that of the spool, and that of the database."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.reserve import RESERVE_BYTES
from schemas.db.migrate import upgrade
from standalone.database import EmbeddedDatabase
from tests.faults.conftest import prepared
from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.faults.volume import Volume, volume
from tests.fixtures.database import SETTINGS
from tests.fixtures.until import until


@pytest.mark.fault(
    "The disk of the spool is full, and the edge is killed and starts on it",
    promise=Promise.DATABASE,
)
def test_spool_disk_full(stand: Stand) -> None:
    """Readings wait at their source; the host comes, acknowledges, and so makes room."""
    load = Load("edge-1", before_the_hour(120))
    with volume(stand.folder / load.node, RESERVE_BYTES // 1024 + 512):
        edge = stand.start_edge(load)
        until(lambda: "no room" in edge.log.read_text(), "the disk to be full", PATIENCE_S)
        edge.kill()
        edge = stand.start_edge(load)

        ingest = stand.start_ingest()
        with stand.scenario.recovery():
            stand.finish(ingest, edge)

    stand.check(load.ledger())


class TestDatabaseDisk:
    """A PostgreSQL server whose files stand on a small disk."""

    @pytest.fixture
    def disk(self) -> Iterator[Volume]:
        """The disk, with room for an empty server."""
        with (
            tempfile.TemporaryDirectory(prefix="ertis-faults-") as folder,
            volume(Path(folder), 300_000) as made,
        ):
            yield made

    @pytest.fixture
    def faults_database(self, disk: Volume) -> Iterator[str]:
        """DSN of the prepared database of that server."""
        with EmbeddedDatabase(disk.folder, SETTINGS) as server:
            upgrade(server.dsn)
            yield prepared(server.dsn)

    @pytest.mark.fault("The disk of the database is full", promise=Promise.DATABASE)
    def test_database_disk_full(self, stand: Stand, disk: Volume) -> None:
        """Ingest says so, the spools fill; with room again everything is written."""
        # More than PostgreSQL has in hand when the disk is full: it makes room 512 KiB at a time.
        load = Load("edge-1", before_the_hour(120), steps=900)
        ingest, edge = stand.start_ingest(), stand.start_edge(load)
        stand.wait_rows(load.readings // 8)
        disk.leave(0)
        until(lambda: stand.ready()["database"] == "storage full", "a full disk", PATIENCE_S)

        disk.leave(100_000)
        with stand.scenario.recovery():
            stand.finish(ingest, edge)

        stand.check(load.ledger())
