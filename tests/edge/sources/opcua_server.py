"""An OPC UA server for tests: asyncua's, in a thread with a loop of its own."""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from asyncua import ua
from asyncua.common.node import Node
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.server import Server
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fixtures.ports import free_port

Result = TypeVar("Result")
PLANT_URI: Final = "urn:plant"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> Self:
        """A certificate of its own making, with the URI ``urn:<name>``."""
        pair = cls(folder / f"{name}.der", folder / f"{name}.pem")
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        asyncio.run(
            setup_self_signed_certificate(
                pair.key, pair.certificate, f"urn:{name}", "localhost", usage, {}
            )
        )
        return pair


class Users:
    """One name and one certificate that are let in; nobody where both are missing."""

    def __init__(self, name: str, password: str, certificate: bytes = b"") -> None:
        self.name = name
        self.password = password
        self.certificate = certificate

    def get_user(
        self,
        iserver: object,  # noqa: ARG002 - asyncua names it
        username: str | None = None,
        password: str | None = None,
        certificate: object = None,
    ) -> User | None:
        """The user whom these credentials show, if any."""
        if username is not None:
            known = (username, password) == (self.name, self.password)
        else:
            known = certificate is not None and certificate == self.certificate
        return User(role=UserRole.User, name=username) if known else None


class OpcUaServer:
    """A server with the variables ``v0``, ``v1`` ... (Double) in the namespace of the plant."""

    def __init__(
        self,
        count: int = 3,
        *,
        pair: Pair | None = None,
        policies: Sequence[ua.SecurityPolicyType] = (ua.SecurityPolicyType.NoSecurity,),
        users: Users | None = None,
        tokens: Sequence[type] = (),
    ) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}"
        self.server: Server
        self.nodes: list[Node] = []
        self._count = count
        self._pair = pair
        self._policies = policies
        self._users = users
        self._tokens = tokens
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run *work* beside the server."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def write(
        self,
        number: int,
        value: object,
        *,
        second: int = 0,
        status: int = 0,
        kind: ua.VariantType = ua.VariantType.Double,
    ) -> None:
        """Write a variable with the source time *second* of 2026-01-02 03:04 UTC, and a status."""
        data = ua.DataValue(
            ua.Variant(value, kind),
            StatusCode=ua.StatusCode(ua.UInt32(status)),
            SourceTimestamp=ua.DateTime(2026, 1, 2, 3, 4, second, tzinfo=UTC),
        )
        self.do(self.server.write_attribute_value(self.nodes[number].nodeid, data))

    def hang_up(self) -> None:
        """Stop listening and drop all connections; what the server knows stays."""
        assert self.server.bserver is not None
        self.do(self.server.bserver.stop())

    def listen(self) -> None:
        """Listen again, at the same port."""
        assert self.server.bserver is not None
        self.do(self.server.bserver.start())

    def __enter__(self) -> Self:
        # What the server says of clients that we cut off on purpose.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        self._thread.start()
        self.do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self.server = Server(user_manager=self._users)  # type: ignore[arg-type]  # duck-typed there
        await self.server.init()
        self.server.set_endpoint(self.url)
        self.server.set_security_policy(list(self._policies))
        if self._tokens:
            self.server.set_identity_tokens(list(self._tokens))
        if self._pair is not None:
            await self.server.set_application_uri("urn:server")
            await self.server.load_certificate(self._pair.certificate)
            await self.server.load_private_key(self._pair.key)
        index = await self.server.register_namespace(PLANT_URI)
        folder = await self.server.nodes.objects.add_folder(index, "line")
        self.nodes = []
        for number in range(self._count):
            await self.add(folder, index, f"v{number}")
        await self.server.start()

    async def _stop(self) -> None:
        await self.server.stop()
        # Sessions whose client was cut off wait for their time-out.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def add(self, folder: Node, index: int, name: str) -> None:
        """A variable more."""
        node = await folder.add_variable(ua.NodeId.from_string(f"ns={index};s={name}"), name, 0.0)
        self.nodes.append(node)
