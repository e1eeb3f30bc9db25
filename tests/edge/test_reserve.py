"""Room kept on a disk."""

from pathlib import Path

import pytest

from edge.reserve import Reserve
from schemas.errors import StorageFull


def test_room_is_kept_and_given_up(tmp_path: Path) -> None:
    """Blocks are taken for real, and are free again afterwards."""
    path = tmp_path / "spool.reserve"
    reserve = Reserve(path, 1 << 20)
    assert not reserve.kept

    reserve.keep()
    reserve.keep()
    assert reserve.kept
    assert path.stat().st_blocks * 512 >= 1 << 20

    reserve.give_up()
    assert not reserve.kept
    assert not path.exists()


def test_disk_without_so_much_room(tmp_path: Path) -> None:
    """It says so, and takes nothing."""
    path = tmp_path / "spool.reserve"
    reserve = Reserve(path, 1 << 55)

    with pytest.raises(StorageFull, match="free"):
        reserve.keep()

    assert not reserve.kept
    assert not path.exists()
