"""The ledger: what is written is what is read."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError, DefectError
from schemas.plant.model import Plant
from simulator.ledger import (
    SERVED,
    TRUTH,
    Ledger,
    increase,
    newest_scan_ms,
    read_served,
    read_truth,
)
from simulator.park import Park
from simulator.plc import Carried
from tests.simulator.conftest import NOON_MS


def test_totals_come_back_exactly(plant: Plant, tmp_path: Path) -> None:
    """Every float of the truth survives the file; an increase is their difference."""
    park = Park(plant, NOON_MS, seed=1)
    seen = []
    with Ledger(tmp_path) as ledger:
        for _ in range(5):
            park.scan(park.ts_ms + 1000)
            ledger.scan(park.ts_ms, park.totals())
            seen.append(park.totals())
    truth = read_truth(tmp_path)

    assert [scan.totals for scan in truth] == seen
    assert [scan.ts_ms for scan in truth] == [NOON_MS + s * 1000 for s in range(1, 6)]
    line = "smelter/potline-1"
    assert increase(truth, line, "energy_kwh", NOON_MS + 2000, NOON_MS + 5000) == (
        seen[4][line]["energy_kwh"] - seen[1][line]["energy_kwh"]
    )


def test_served_values_come_back_exactly(tmp_path: Path) -> None:
    """While the file is still open: each answer is flushed."""
    with Ledger(tmp_path) as ledger:
        ledger.answer([Carried("a/b", 1000, 4.100000381469727), Carried("a/c", 1000, 0.0)])

        assert read_served(tmp_path) == {("a/b", 1000): 4.100000381469727, ("a/c", 1000): 0.0}


def test_a_line_cut_by_a_kill_is_left_out(tmp_path: Path) -> None:
    """All readers take whole lines alone."""
    with Ledger(tmp_path) as ledger:
        ledger.scan(1000, {"a": {"x": 1.0}})
        ledger.answer([Carried("a/b", 1000, 1.5)])
    for name, torn in ((TRUTH, '{"ts_ms": 20'), (SERVED, "a/b,2000,1")):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(torn)

    assert len(read_truth(tmp_path)) == 1
    assert newest_scan_ms(tmp_path) == 1000
    assert len(read_served(tmp_path)) == 1


def test_a_truth_is_not_overwritten(tmp_path: Path) -> None:
    """A directory that holds a ledger is refused, one that cannot be made likewise."""
    Ledger(tmp_path).close()

    with pytest.raises(ConfigError, match="name a new directory"):
        Ledger(tmp_path)
    with pytest.raises(ConfigError, match="name a new directory"):
        Ledger(tmp_path / TRUTH / "below-a-file")


def test_a_key_twice_is_a_defect(tmp_path: Path) -> None:
    """The reader does not hide what the writer must not do."""
    with Ledger(tmp_path) as ledger:
        ledger.answer([Carried("a/b", 1000, 1.5), Carried("a/b", 1000, 1.5)])

    with pytest.raises(DefectError, match="a/b at 1000"):
        read_served(tmp_path)
