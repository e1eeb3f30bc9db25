"""Room kept on a disk for what makes room there.

Deleting needs room as well, for the log of its transaction. On a disk that is full to the last byte
an acknowledgement could not be followed, and so the disk would stay full for ever.
"""

import os
from pathlib import Path
from typing import Final

from schemas.errors import StorageFull

#: More than the log of a spool that is about to be written back (1000 pages, SQLite's default).
RESERVE_BYTES: Final = 8 << 20


class Reserve:
    """A file without meaning at *path*, to be given up when nothing else has room."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size
        self.kept = False

    def keep(self) -> None:
        """Take the room, if it is not taken yet.

        Raises
        ------
        StorageFull
            There is not so much.
        """
        if self.kept:
            return
        try:
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            raise StorageFull(
                f"{self._path}: {error.strerror}; free {self._size >> 20} MiB"
            ) from error
        self.kept = True

    def give_up(self) -> None:
        """Let others have the room."""
        self._path.unlink(missing_ok=True)
        self.kept = False
