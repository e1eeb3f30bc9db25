"""A session with an OPC UA server: security, user, connection."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies as policies
from asyncua.crypto import uacrypto
from asyncua.ua.uaerrors import UaError
from cryptography import x509

from edge.sources.opcua.table import OpcUaTable, Policy, SecurityTable, UserTable
from edge.sources.secret import SecretTable
from schemas.errors import ConfigError

_POLICIES: Final = {
    Policy.BASIC256SHA256: policies.SecurityPolicyBasic256Sha256,
    Policy.AES128: policies.SecurityPolicyAes128Sha256RsaOaep,
    Policy.AES256: policies.SecurityPolicyAes256Sha256RsaPss,
}


def check_files(table: OpcUaTable) -> None:
    """Say at the start what would be missing at every connection.

    Raises
    ------
    ConfigError
        A certificate, key or secret cannot be read.
    """
    tables = [table.security, *([table.user] if table.user is not None else [])]
    for section in tables:
        for name in type(section).model_fields:
            found = getattr(section, name)
            if isinstance(found, SecretTable):
                found.read()
            elif isinstance(found, Path) and not os.access(found, os.R_OK):
                raise ConfigError(f"source.{name}", str(found), "name a file that can be read")


async def connect(table: OpcUaTable) -> Client:
    """A client with an active session.

    Raises
    ------
    UaError, OSError, TimeoutError
        The server cannot be reached or refuses.
    ConfigError
        A certificate, key or secret cannot be read.
    """
    client = Client(table.url, timeout=table.timeout_s, watchdog_intervall=table.timeout_s)
    client.name = client.description = "ertis"
    # A server that lost us forgets the session, and its queues, soon after.
    client.session_timeout = int(max(30.0, 4 * table.keep_alive_s) * 1000)
    try:
        if table.security.policy is not Policy.NONE:
            await _secure(client, table.security)
        if table.user is not None:
            await _identify(client, table.user)
    except (ValueError, FileNotFoundError, PermissionError) as error:
        raise ConfigError(
            "source.security", table.url, f"certificates and keys are PEM or DER files ({error})"
        ) from error
    await client.connect()
    return client


async def disconnect(client: Client, timeout_s: float) -> None:
    """End the session if the server still answers; the connection in any case."""
    with suppress(UaError, OSError, TimeoutError):
        await asyncio.wait_for(client.disconnect(), timeout_s)
    client.disconnect_socket()


async def _secure(client: Client, table: SecurityTable) -> None:
    certificate = await uacrypto.load_certificate(_path(table.certificate_file))
    # The server compares the URI of the session with the certificate's (Part 4, 5.7.2).
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if uris := names.get_values_for_type(x509.UniformResourceIdentifier):
        client.application_uri = uris[0]
    await client.set_security(
        _POLICIES[table.policy],  # type: ignore[type-abstract]  # all three are concrete
        _path(table.certificate_file),
        _path(table.key_file),
        table.key_password.read() if table.key_password is not None else None,
        _path(table.server_certificate_file),
        ua.MessageSecurityMode[table.mode],
    )


async def _identify(client: Client, table: UserTable) -> None:
    if table.name is not None and table.password is not None:
        client.set_user(table.name)
        client.set_password(table.password.read())
    elif table.certificate_file is not None and table.key_file is not None:
        await client.load_client_certificate(str(table.certificate_file))
        await client.load_private_key(table.key_file)


def _path(path: object) -> str:
    return str(path)
