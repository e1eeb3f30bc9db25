"""The metrics that an edge node has for itself, beside those of the plant.

The first two are Sparkplug's. The others carry the delivery guarantee of Ertis inside Sparkplug
3.0, whose data is QoS 0: the host tells how far it has committed, the node sends the rest again. A
node that declares ``Node Control/Commit Through`` in its NBIRTH takes part; any other is served
with plain Sparkplug.
"""

from typing import Final

BD_SEQ: Final = "bdSeq"
"""Int64 0 to 255: ties an NDEATH to its NBIRTH."""

REBIRTH: Final = "Node Control/Rebirth"
"""Boolean, writable: the host asks for all births again."""

COMMIT_THROUGH: Final = "Node Control/Commit Through"
"""UInt64, writable: every frame up to this spool position is in the database."""

SPOOL_ID: Final = "Spool/Id"
"""String: names one spool. A new one (new disk, lost file) starts its positions again at 1."""

SPOOL_FIRST: Final = "Spool/First"
"""UInt64: the lowest position that the spool can still send; below it frames were dropped."""

SPOOL_POSITION: Final = "Spool/Position"
"""UInt64, transient: the position of the frame that the message carries.
Declared by the node and by each of its devices."""
