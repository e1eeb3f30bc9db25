"""Whether somebody sits at this very machine."""

from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

#: What a proxy adds: the caller is then not the one who connects.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
#: Names of this machine that no other machine's web page can stand under (DNS rebinding).
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_local(request: Request, address: str) -> bool:
    """Whether the caller sits on this machine: not behind a proxy, not a page of another site."""
    name = request.headers.get("Host", "")
    host = name if name.endswith("]") else name.rpartition(":")[0] or name
    return (
        is_loopback(address)
        and host in _LOCAL_NAMES
        and not any(header in request.headers for header in _FORWARDED)
    )


def is_loopback(address: str) -> bool:
    """Whether *address* leads to this machine alone."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
