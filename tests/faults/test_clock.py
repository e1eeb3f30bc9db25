"""The clock of an edge node jumps."""

import pytest

from tests.faults.load import Load, before_the_hour
from tests.faults.metrics import sample
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.until import until

STEPS = 300
JUMP_AT = 150
BACK_S = 100
AHEAD_S = 6 * 3600
MONTHS_S = 60 * 86_400
SKEW = "ertis_ingest_clock_skew_seconds"


def skew_s(stand: Stand) -> float:
    """How far the node's clock is behind, as ingest shows it [s]."""
    return sample(stand.watch.port, SKEW) or 0.0


@pytest.mark.fault(f"An edge clock jumps back by {BACK_S} s", promise=Promise.CLOCK)
def test_clock_jumps_back(stand: Stand) -> None:
    """The span is measured twice: the later reading of an instant wins, and each is counted."""
    load = Load("edge-1", before_the_hour(120), STEPS, jump_at=JUMP_AT, jump_s=-BACK_S)
    ingest = stand.start_ingest()
    stand.wait_ready()
    edge = stand.start_edge(load, rate=40.0)  # the first span is summarised before the jump
    until(lambda: skew_s(stand) > BACK_S / 2, "the skew to be seen", PATIENCE_S)
    stand.scenario.note(f"skew seen: {skew_s(stand):.0f} s behind")
    stand.finish(ingest, edge)

    ledger = load.ledger()
    stand.check(ledger)
    stand.scenario.sent = load.readings
    total = stand.watch.total()
    assert total["conflicting"] + total["duplicate"] == load.readings - len(ledger)
    assert total["conflicting"] > 0


@pytest.mark.fault(
    f"An edge clock jumps ahead by {AHEAD_S // 3600} h, beyond the bound", promise=Promise.CLOCK
)
def test_clock_jumps_ahead(stand: Stand) -> None:
    """What claims to be of the future is set aside; once that is believed it can be replayed."""
    load = Load("edge-1", before_the_hour(120), STEPS, jump_at=JUMP_AT, jump_s=AHEAD_S)
    last_ms = load.ts_ms(JUMP_AT - 1)
    ingest = stand.start_ingest()
    stand.wait_ready()
    edge = stand.start_edge(load)
    until(lambda: skew_s(stand) < -AHEAD_S / 2, "the skew to be seen", PATIENCE_S)
    stand.scenario.note(f"skew seen: {-skew_s(stand):,.0f} s ahead")
    stand.finish(ingest, edge)

    stand.check(load.ledger(lambda reading: reading.ts_ms <= last_ms))
    aside = stand.scenario.dead_letter
    assert aside == load.readings - stand.scenario.stored
    replay = stand.start(
        "replay", "ingest", "replay", "--reason", "future", env={"INGEST_FUTURE_S": str(AHEAD_S)}
    )
    assert replay.wait(PATIENCE_S) == 0, replay.tail()
    stand.check(load.ledger())
    stand.scenario.note(f"{aside:,} readings replayed by `python -m ingest replay --reason future`")


@pytest.mark.fault(
    f"An edge clock jumps ahead by {MONTHS_S // 86_400} days while its spool fills",
    promise=Promise.CLOCK,
)
def test_spool_outlives_clock(stand: Stand) -> None:
    """Frames are as old as they are, not as the clock says: none is dropped for its age.

    The readings carry the time of their PLCs.
    """
    load = Load(
        "edge-1", before_the_hour(120), STEPS, jump_at=JUMP_AT, jump_s=MONTHS_S, plc_clock=True
    )
    edge = stand.start_edge(load)
    until(lambda: '"fed"' in edge.log.read_text(), "everything to be in the spool", PATIENCE_S)

    ingest = stand.start_ingest()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())
