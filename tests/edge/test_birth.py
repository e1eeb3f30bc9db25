"""How many tags a birth can tell of."""

import re

import pytest

from edge.birth import BIRTH_BYTES, check_birth, device_birth
from schemas.errors import ConfigError
from schemas.quality import Quality
from schemas.reading import Reading
from schemas.sparkplug.node import SPOOL_POSITION
from schemas.sparkplug.sparkplug_b_pb2 import Payload

TAGS = [f"smelter/potline-1/pot-{number:05}/voltage" for number in range(20_000)]
#: 2100-01-01 [ms]
LATE_MS = 4_102_444_800_000


def birth_bytes(count: int) -> int:
    """The length of the longest DBIRTH of so many tags that an agent can send."""
    known = TAGS[:count]
    values = {tag: Reading(tag, LATE_MS, -1.5, Quality.UNCERTAIN) for tag in known}
    aliases = {tag: 2**34 + place for place, tag in enumerate([*known, SPOOL_POSITION])}
    return len(device_birth(Payload(timestamp=LATE_MS, seq=255), 2**62, aliases, values))


def test_a_device_has_as_many_tags_as_its_birth_can_tell() -> None:
    """The message names the number that fits; their birth fits a broker, and hardly any more."""
    with pytest.raises(ConfigError, match=r"device plc: found '20000 tags'") as refused:
        check_birth("potline-1.toml", "plc", TAGS)
    (fit,) = re.findall(r"the first (\d+) fit", str(refused.value))
    count = int(fit)

    check_birth("potline-1.toml", "plc", TAGS[:count])
    with pytest.raises(ConfigError):
        check_birth("potline-1.toml", "plc", TAGS[: count + 1])
    assert birth_bytes(count) <= BIRTH_BYTES
    assert birth_bytes(count + 3) > BIRTH_BYTES - 200
    assert count > 8_000
