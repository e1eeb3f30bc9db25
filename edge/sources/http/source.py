"""An address that answers JSON, asked with httpx."""

import asyncio
import json
import ssl
import time
from typing import Final

import httpx

from edge.source import Scan
from edge.sources.http.document import form_of, reading
from edge.sources.http.table import HttpDevice, HttpTable
from schemas.errors import ConfigError, DeviceDown

#: A document of more bytes is no set of values.
_MOST_BYTES: Final = 16 << 20


class HttpSource:
    """One address.

    A document that did not change (304, by its ETag) is what it was: with times of its own nothing
    is new, without them its values are seen again.
    """

    def __init__(self, device: HttpDevice) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = device.table.scan_s
        self._table = device.table
        self._values = device.values
        self._form = form_of(device.table.time)
        secrets = device.table.secret_headers.items()
        self._headers = device.table.headers | {
            name: secret.prefix + secret.read() for name, secret in secrets
        }
        self._trust = _trust(device.table)
        self._client: httpx.AsyncClient | None = None
        self._etag: str | None = None
        self._document: object = None

    async def scan(self) -> Scan:
        """Ask once; see `edge.source.Source`."""
        try:
            now_ms = self.now_ms()
            await asyncio.wait_for(self._ask(), self._table.timeout_s)
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            await self.close()
            raise DeviceDown(f"{self._address}: {error!r}") from error
        except DeviceDown:
            await self.close()
            raise
        return Scan([reading(one, self._document, self._form, now_ms) for one in self._values])

    def now_ms(self) -> int:
        """The agent's time."""
        return time.time_ns() // 1_000_000

    async def close(self) -> None:
        """Close the connection; the next scan opens a new one and asks for the whole document."""
        client, self._client = self._client, None
        self._etag = None
        if client is not None:
            await client.aclose()

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.url}"

    async def _ask(self) -> None:
        """Get the document, if there is a new one."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers=self._headers, verify=self._trust, timeout=self._table.timeout_s
            )
        headers = {} if self._etag is None else {"If-None-Match": self._etag}
        async with self._client.stream("GET", self._table.url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED and self._etag is not None:
                return
            if answer.status_code != httpx.codes.OK:
                raise DeviceDown(
                    f"{self._address}: answers {answer.status_code} {answer.reason_phrase}"
                )
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise DeviceDown(f"{self._address}: answers more than {_MOST_BYTES >> 20} MiB")
        try:
            self._document = json.loads(body)
        except ValueError as error:
            raise DeviceDown(f"{self._address}: answers no JSON ({error})") from error
        self._etag = answer.headers.get("ETag")


def _trust(table: HttpTable) -> ssl.SSLContext | bool:
    if table.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=table.ca_file)
    except OSError as error:
        raise ConfigError(
            "source.ca_file", str(table.ca_file), f"name a readable PEM file ({error.strerror})"
        ) from error
