"""Quality of a reading, as OPC numbers."""

from enum import IntEnum


class Quality(IntEnum):
    """Main quality codes.

    0, 64 and 192 are OPC DA's bad, uncertain and good (the top two bits of QQSSSSLL); 500 is
    Sparkplug's stale (tck-id-payloads-propertyset-quality-value-value): a value that was good and
    that nobody vouches for any more.
    """

    BAD = 0
    UNCERTAIN = 64
    GOOD = 192
    STALE = 500


SPARKPLUG_QUALITIES = frozenset({Quality.BAD, Quality.GOOD, Quality.STALE})


def main_quality(code: int) -> Quality:
    """The main code of any OPC DA *code*: sub-status and limit bits are dropped.

    68 (last usable value) is uncertain, 24 (communication failure) bad, 216 (local override) good.
    The reserved pattern 10xxxxxx counts as bad, as an OPC client has to treat it.
    """
    if code == Quality.STALE:
        return Quality.STALE
    match (code >> 6) & 0b11:
        case 0b11:
            return Quality.GOOD
        case 0b01:
            return Quality.UNCERTAIN
        case _:
            return Quality.BAD
