"""The readings of the wind farm La Haute Borne, out of the wheel that ships them.

``python -m benchmarks.la_haute_borne`` fetches the OpenOA wheel alone with pip, unpacks its two
files of readings into ``.cache/la-haute-borne`` and prints the folder. ENGIE published the data
under the Etalab Open Licence 2.0; nothing of it is kept in this repository.
"""

import fcntl
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from schemas.errors import UnavailableError
from schemas.process import run_command

WHEEL: Final = "openoa==3.2"
FOLDER: Final = Path(".cache/la-haute-borne")
METER: Final = "plant_data.csv"
SCADA: Final = "la-haute-borne-data-2014-2015.csv"
_ARCHIVE: Final = "examples/data/la_haute_borne.zip"


def fetch(folder: Path = FOLDER) -> Path:
    """The *folder* with both files; fetched if they are not there.

    A second caller waits for the first.

    Raises
    ------
    UnavailableError
        pip cannot get the wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((folder / name).exists() for name in (METER, SCADA)):
            _unpack(folder)
    return folder


def _unpack(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as wheels:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--dest", wheels, WHEEL),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise UnavailableError(f"pip cannot download {WHEEL}: {done.stderr.strip()}")
        (wheel,) = Path(wheels).glob("*.whl")
        with ZipFile(wheel) as outer, ZipFile(io.BytesIO(outer.read(_ARCHIVE))) as inner:
            for name in (METER, SCADA):
                (folder / f"{name}.part").write_bytes(inner.read(name))
                (folder / f"{name}.part").rename(folder / name)


def _main() -> None:
    sys.stdout.write(f"{fetch()}\n")


if __name__ == "__main__":
    run_command(_main)
