"""How long to wait before something outside is tried again."""

import random


def full_jitter(attempt: int, *, base_s: float = 0.5, cap_s: float = 30.0) -> float:
    """A random wait [s] before try number *attempt* (from 0): up to twice as long each time.

    Any time from 0 to the bound is as likely, so that a thousand agents that lost one broker do not
    come back at once.
    """
    bound = min(cap_s, base_s * 2.0 ** min(attempt, 32))
    return random.uniform(0.0, bound)  # noqa: S311 - spreads load, guards no secret
