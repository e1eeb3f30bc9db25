"""Signals as something to wait for."""

import os
import signal
import subprocess
import sys

import pytest

from standalone.signals import ENDING, Signals


@pytest.mark.parametrize("number", ENDING)
def test_ending_signal_is_kept_until_asked_for(number: signal.Signals) -> None:
    """A signal that comes between two waits is seen by the next one, and stays."""
    with Signals() as signals:
        os.kill(os.getpid(), number)

        assert signals.wait(30)
        assert signals.wait(0)


def test_death_of_a_child_ends_the_wait_alone() -> None:
    """A child's death wakes up, and is no request to end."""
    with Signals() as signals:
        subprocess.run([sys.executable, "-c", ""], check=True)

        assert not signals.wait(3600)


def test_nothing_happened() -> None:
    """Without a signal the wait ends by itself."""
    with Signals() as signals:
        assert not signals.wait(0)


def test_former_handlers_come_back() -> None:
    """After the block signals mean what they meant before."""
    before = [signal.getsignal(number) for number in ENDING]
    with Signals():
        assert [signal.getsignal(number) for number in ENDING] != before

    assert [signal.getsignal(number) for number in ENDING] == before
