"""An edge box holds the libraries of its own devices alone."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.edge.files import write_agent
from tests.edge.sources.files import load_source

LIBRARIES = ("asyncua", "c104", "cryptography", "httpx", "pymodbus", "snap7", "sunspec2")
TABLES = {
    "opcua": 'url = "opc.tcp://h:1"\n[[source.tag]]\npath = "line/current"\nnode = "i=1"',
    "s7": 'host = "h"\n[[source.tag]]\npath = "line/current"\naddress = "MD0"\ntype = "REAL"',
    "sunspec": 'host = "h"\n[[source.tag]]\npath = "line/current"\nmodel = 103\npoint = "W"',
    "iec104": 'host = "h"\n[[source.tag]]\npath = "line/current"\nioa = 1',
    "http": 'url = "http://h"\n[[source.tag]]\npath = "line/current"\npointer = "/v"',
}
FIRST = {
    "opcua": "asyncua",
    "s7": "snap7",
    "sunspec": "sunspec2",
    "iec104": "c104",
    "http": "httpx",
}


def imported(script: str, *arguments: str) -> Sequence[str]:
    """Those of the libraries that *script* imports in a process of its own."""
    say = f"import sys; print(*(name for name in {LIBRARIES} if name in sys.modules))"
    command = [sys.executable, "-c", f"{script}\n{say}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_reading_a_file_imports_no_library_of_a_protocol(tmp_path: Path) -> None:
    """And opening a device that one alone."""
    path = write_agent(tmp_path)
    read = "import sys, pathlib\nfrom edge.config import load_config\n"
    read += "device = load_config(pathlib.Path(sys.argv[1])).devices[0]"

    assert imported(read, str(path)) == []
    assert imported(f"{read}\ndevice.open({{}})", str(path)) == ["pymodbus"]


@pytest.mark.parametrize("kind", TABLES)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """At the start, with the command that brings it."""
    device = load_source(tmp_path, f'type = "{kind}"\ndevice = "d"\n{TABLES[kind]}')
    for module in [name for name in sys.modules if name.startswith(f"edge.sources.{kind}.")]:
        if not module.endswith(".table"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, FIRST[kind], None)

    with pytest.raises(ConfigError, match=rf"pip install 'ertis\[edge-{kind}\]'"):
        device.open({})
