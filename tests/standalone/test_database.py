"""The embedded PostgreSQL: starts anywhere it may, keeps its data, ends with its owner."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from schemas.db.engine import connect
from schemas.errors import ConfigError, DatabaseDown
from standalone.database import TELEMETRY, EmbeddedDatabase
from tests.fixtures.pids import runs
from tests.fixtures.until import until

SMALL = {**TELEMETRY, "shared_buffers": "16MB"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder outside of pytest's own, which other runs of one user set to 0700."""
    made = Path(tempfile.mkdtemp(prefix="ertis-test-"))
    yield made
    shutil.rmtree(made)


def put(dsn: str) -> None:
    """Commit one row."""
    with connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS x")


def kept(dsn: str) -> object:
    """The row, if it is there."""
    with connect(dsn) as connection:
        return connection.execute("SELECT x FROM kept").fetchone()


def test_a_second_start_finds_the_data(folder: Path) -> None:
    """Created on the first start, found on the second; stopped in between, without a trace."""
    with EmbeddedDatabase(folder / "private" / "data", SMALL) as database:
        put(database.dsn)
        pid = database.pid
    assert pid is not None
    until(lambda: not runs(pid), "the server to end")
    assert database.pid is None

    with EmbeddedDatabase(folder / "private" / "data", SMALL) as database:
        assert kept(database.dsn) == (42,)


def test_committed_rows_survive_a_power_cut(folder: Path) -> None:
    """`immediate` ends the server without a checkpoint; it recovers from its log."""
    with EmbeddedDatabase(folder, SMALL) as database:
        put(database.dsn)
        database.stop("immediate")
        with pytest.raises(DatabaseDown):
            connect(database.dsn)
        database.start()

        assert kept(database.dsn) == (42,)


def test_settings_for_telemetry_hold(folder: Path) -> None:
    """What is set is in force, follows a change at the next start, and commits are durable."""
    for buffers in ("16MB", "32MB"):
        with (
            EmbeddedDatabase(folder, {**TELEMETRY, "shared_buffers": buffers}) as database,
            connect(database.dsn) as connection,
        ):
            rows = connection.execute("SELECT name, setting FROM pg_settings").fetchall()
            found: dict[str, str] = dict(rows)
            shown = connection.execute("SHOW shared_buffers").fetchone()

            assert shown == (buffers,)
            assert (found["jit"], found["synchronous_commit"], found["fsync"]) == (
                "off",
                "on",
                "on",
            )
            assert found["server_encoding"] == "UTF8"
            assert found["listen_addresses"] == ""


def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    """The data stay where they were asked for; the socket moves to a shorter place."""
    deep = folder / ("d" * 60) / ("e" * 60)
    with EmbeddedDatabase(deep, SMALL) as database:
        put(database.dsn)
        assert kept(database.dsn) == (42,)
    assert (deep / "postgresql-18" / "PG_VERSION").exists()


def test_a_path_with_spaces_and_quotes(folder: Path) -> None:
    """A folder may be called what people call folders."""
    with EmbeddedDatabase(folder / "Ertis' data & more", SMALL) as database:
        put(database.dsn)


def test_two_servers_in_one_process(folder: Path) -> None:
    """Each has its own data; stopping one leaves the other."""
    with EmbeddedDatabase(folder / "a", SMALL) as first:
        put(first.dsn)
        with EmbeddedDatabase(folder / "b", SMALL) as second:
            put(second.dsn)
        assert kept(first.dsn) == (42,)


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    """A second owner would corrupt the data: it is told to stop the first or go elsewhere."""
    with (
        EmbeddedDatabase(folder, SMALL) as first,
        pytest.raises(ConfigError, match=r"--data-dir.*another Ertis"),
    ):
        EmbeddedDatabase(folder, SMALL).start()
    with EmbeddedDatabase(folder, SMALL):
        assert first.pid is not None


def test_a_file_is_no_folder(folder: Path) -> None:
    """The message names the option and what would be right."""
    file = folder / "file"
    file.touch()
    for wrong in (file, file / "below"):
        with pytest.raises(ConfigError, match=r"--data-dir.*name a folder"):
            EmbeddedDatabase(wrong, SMALL).start()


def test_a_setting_that_postgresql_refuses_shows_its_words(folder: Path) -> None:
    """The server's own message is in the error; the next start with good settings works."""
    with pytest.raises(DatabaseDown, match="max_wal_size"):
        EmbeddedDatabase(folder, {**SMALL, "max_wal_size": "much"}).start()
    with EmbeddedDatabase(folder, SMALL) as database:
        put(database.dsn)


def test_half_an_initdb_is_done_again(folder: Path) -> None:
    """A kill during the very first start leaves nothing that the next one would take for data."""
    half = folder / "postgresql-18.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedDatabase(folder, SMALL) as database:
        put(database.dsn)


OWNER = """
import sys, time
from pathlib import Path
from standalone.database import EmbeddedDatabase
database = EmbeddedDatabase(Path(sys.argv[1]), {"shared_buffers": "16MB"})
database.start()
print(database.pid, flush=True)
time.sleep(600)
"""


def test_the_server_ends_with_a_killed_owner(folder: Path) -> None:
    """SIGKILL of the owning process stops the server in good order; its data are free again."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    until(lambda: not runs(pid), "the server to follow its owner")

    with EmbeddedDatabase(folder, SMALL) as database:
        put(database.dsn)


ORDINARY = """
import os, sys
from pathlib import Path
from standalone.database import EmbeddedDatabase
from schemas.db.engine import connect
os.setgroups([]), os.setgid(65534), os.setuid(65534)
with EmbeddedDatabase(Path(sys.argv[1]), {"shared_buffers": "16MB"}) as database:
    with connect(database.dsn) as connection:
        print(connection.execute("SELECT 42").fetchone())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every other test here shows it")
def test_an_ordinary_user_is_enough(folder: Path) -> None:
    """The server then runs as that user, in a folder that is closed to all others."""
    os.chown(folder, 65534, 65534)
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(folder / "data")],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "(42,)\n"), done.stderr
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="without root no other account is in play")
def test_root_may_close_the_parents_again(folder: Path) -> None:
    """A parent folder that loses its search permission meanwhile does not keep the server up."""
    with EmbeddedDatabase(folder / "data", SMALL) as database:
        pid = database.pid
        folder.chmod(0o700)
    assert pid is not None
    until(lambda: not runs(pid), "the server to end")


def test_a_server_left_behind_is_replaced(folder: Path) -> None:
    """If even the guard was killed, the next start ends the old server and starts its own."""
    left = EmbeddedDatabase(folder, SMALL)
    left.start()
    put(left.dsn)
    old = left.pid
    assert left._guard is not None
    left._guard.kill()
    left._guard.communicate()
    left._held.close()
    with EmbeddedDatabase(folder, SMALL) as database:
        assert database.pid != old
        assert kept(database.dsn) == (42,)


def test_a_server_killed_from_outside_can_be_started_again(folder: Path) -> None:
    """The out-of-memory killer takes it in the middle of a query that outlives it for a while."""
    busy = "SELECT count(*) FROM generate_series(1, 10000000)"

    def query(dsn: str) -> None:
        with suppress(psycopg.OperationalError), connect(dsn) as connection:
            connection.execute(busy)

    with EmbeddedDatabase(folder, SMALL) as database, ThreadPoolExecutor(1) as pool:
        put(database.dsn)
        pool.submit(query, database.dsn)
        until(lambda: active(database.dsn, busy), "the query to run")
        assert database.pid is not None
        os.kill(database.pid, signal.SIGKILL)
        database.stop()
        database.start()

        assert kept(database.dsn) == (42,)


def active(dsn: str, query: str) -> bool:
    """Whether a session runs that *query*."""
    with connect(dsn) as connection:
        found = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query = %s"
        return connection.execute(found, (query,)).fetchone() is not None
