"""What a node says of itself in its birth and death: its bdSeq and its spool."""

from ingest.event import Spool
from ingest.positions import HIGHEST_POSITION
from schemas.sparkplug.datatype import text
from schemas.sparkplug.node import BD_SEQ, COMMIT_THROUGH, SPOOL_FIRST, SPOOL_ID, SPOOL_POSITION
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload


def bd_seq_of(certificate: Payload) -> int | None:
    """The bdSeq of an NBIRTH or NDEATH; None where it has none."""
    return next((_integer(m) for m in certificate.metrics if m.name == BD_SEQ), None)


def spool_of(birth: Payload) -> Spool | None:
    """The spool of a node that takes part in commit-through; None for any other."""
    own = {metric.name: metric for metric in birth.metrics}
    if COMMIT_THROUGH not in own or SPOOL_ID not in own:
        return None
    commit = own[COMMIT_THROUGH]
    first = _integer(own[SPOOL_FIRST]) if SPOOL_FIRST in own else 1
    last = _integer(own[SPOOL_POSITION]) if SPOOL_POSITION in own else 0
    return Spool(
        text(own[SPOOL_ID].string_value).replace("\0", "\\0"),  # PostgreSQL stores no U+0000
        first if 1 <= first < HIGHEST_POSITION else 1,
        commit.alias if commit.HasField("alias") else None,
        last if last < HIGHEST_POSITION else 0,
    )


def _integer(metric: Metric) -> int:
    """A bdSeq or position: Int64 in the specification, UInt64 or a 32-bit field with some peers."""
    return metric.long_value or metric.int_value
