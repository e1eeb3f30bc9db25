"""A small disk of a test's own: a tmpfs that can be full, and be given room again."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Volume:
    """A tmpfs at *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, kb: int) -> None:
        """Give or take room, so that so much is left [KiB]."""
        usage = shutil.disk_usage(self.folder)
        size = usage.total - usage.free + kb * 1024
        done = _run("mount", "-o", f"remount,size={size}", str(self.folder))
        assert done.returncode == 0, done.stderr


@contextmanager
def volume(folder: Path, kb: int) -> Iterator[Volume]:
    """Mount a `Volume` of so many KiB; skips the test where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    done = _run("mount", "-t", "tmpfs", "-o", f"size={kb}k", "ertis-faults", str(folder))
    if done.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        yield Volume(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
