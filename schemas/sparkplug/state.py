"""The STATE message by which a host application says that it is there.

Source: Sparkplug 3.0 chapter 6, JSON ``{"online": bool, "timestamp": UTC ms}``
(tck-id-payloads-state-birth-payload, tck-id-payloads-state-will-message-payload).
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import PayloadError


class HostState(BaseModel):
    """Whether the host is online, and since when [ms]."""

    model_config = ConfigDict(frozen=True, strict=True)

    online: bool
    timestamp: int = Field(ge=0)

    def encode(self) -> bytes:
        """The JSON bytes to publish, retained, at QoS 1."""
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, payload: bytes) -> "HostState":
        """Read a STATE payload.

        Raises
        ------
        PayloadError
            Not that JSON: Sparkplug 2 hosts send bare ``ONLINE``, which says no time.
        """
        try:
            return cls.model_validate_json(payload)
        except ValidationError as error:
            raise PayloadError(
                f'STATE {payload[:40]!r} is not {{"online": bool, "timestamp": ms}}'
            ) from error
