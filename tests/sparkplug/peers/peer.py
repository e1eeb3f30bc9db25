"""Other people's Sparkplug as processes: installed once below ``.cache``, spoken to by lines."""

import fcntl
import json
import queue
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

HERE: Final = Path(__file__).parent
CACHE: Final = Path(__file__).parents[3] / ".cache" / "sparkplug-peers"
PYTHON_PACKAGES: Final = ("pysparkplug==0.6.1",)
NODE_PACKAGES: Final = ("sparkplug-client@3.2.4", "sparkplug-payload@1.0.3")
NODE, NPM = shutil.which("node"), shutil.which("npm")


def python_peer() -> Sequence[str]:
    """How pysparkplug is called; skips the test where it cannot be had."""
    folder = CACHE / "python"
    python = folder / "bin" / "python"

    def install() -> subprocess.CompletedProcess[str]:
        venv.create(folder, with_pip=True)
        return _run([str(python), "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES])

    _once(folder, PYTHON_PACKAGES, install)
    return (str(python), str(HERE / "pysparkplug_peer.py"))


def node_peer() -> Sequence[str]:
    """How the packages of npm are called; skips the test where they cannot be had."""
    if NODE is None or NPM is None:
        pytest.skip("Node is not installed: sparkplug-client and sparkplug-payload run on it")
    folder = CACHE / "node"
    install = [NPM, "install", "--prefix", str(folder), "--no-audit", "--no-fund", *NODE_PACKAGES]
    _once(folder, NODE_PACKAGES, lambda: _run(install))
    return (NODE, str(HERE / "node_peer.mjs"))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)


def _once(
    folder: Path,
    packages: Sequence[str],
    install: Callable[[], subprocess.CompletedProcess[str]],
) -> None:
    """Install unless it is there; a second run of the tests waits for the first."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join((sys.version, *packages))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = folder / "installed"
        if installed.exists() and installed.read_text() == wanted:
            return
        done = install()
        if done.returncode != 0:
            pytest.skip(f"{', '.join(packages)} cannot be had: {done.stderr.strip()[-300:]}")
        installed.write_text(wanted)


class Peer:
    """A running peer: lines in, JSON lines out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.heard: list[Mapping[str, Any]] = []

    def expect(self, what: Callable[[Mapping[str, Any]], object]) -> Mapping[str, Any]:
        """The next thing it says for which *what* holds; `heard` has all of them."""
        while True:
            try:
                said = json.loads(self._lines.get(timeout=20))
            except queue.Empty:
                raise AssertionError(f"the peer said {self.heard[-5:]}, then nothing") from None
            self.heard.append(said)
            if what(said):
                return dict(said)

    def tell(self) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def leave(self) -> None:
        """End its input, and wait until it has ended by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)


@contextmanager
def peer(command: Sequence[str], role: str, port: int) -> Iterator[Peer]:
    """A peer in its *role* (``edge``, ``host`` ...) on the broker at *port*."""
    folder = [str(CACHE / "node")] if command[1].endswith(".mjs") else []
    with subprocess.Popen(
        [*command, role, *folder, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        made = Peer(process)
        try:
            yield made
        finally:
            if process.poll() is None:
                process.kill()
            made._reader.join()
