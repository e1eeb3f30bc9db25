"""The API of Ertis from Python: one call, one Polars frame.

::

    from client.ertis import Ertis

    with Ertis() as ertis:
        frame = ertis.history("smelter/*/pot-017/voltage", start="-7d", every="1m")

The address and the key are those of ``ERTIS_URL`` and ``ERTIS_API_KEY`` unless given.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
import polars as pl

from client.answer import problem_of
from client.events import Event, events
from schemas.backoff import full_jitter
from schemas.errors import ConfigError, UnavailableError

URL: Final = "http://127.0.0.1:8000"
#: Rows of a page: some 20 MB of Arrow, a second or less at the server.
PAGE_ROWS: Final = 500_000
#: How often a request is tried while the API or its database is away: half a minute in all.
_TRIES: Final = 6
_RETRY: Final = frozenset({429, 502, 503, 504})
#: The API computes nothing for longer than its statement time limit, 30 s unless set.
_TIMEOUT: Final = httpx.Timeout(10.0, read=60.0)

When = str | datetime
Query = Mapping[str, Any]


class Ertis:
    """A connection to the API, kept open between calls.

    Every method raises

    - `RequestError` or `NotFoundError` where the API says what of the request is wrong,
    - `NotIdentified` or `NotAllowed` where it says that this is not for the caller,
    - `UnavailableError` where it cannot be reached, or its database cannot, also after some tries.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self.url = url or os.environ.get("ERTIS_URL") or URL
        key = key or os.environ.get("ERTIS_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT)
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigError("ERTIS_URL", self.url, f"use one like {URL} ({error})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def history(
        self,
        *tags: str,
        start: When = "-24h",
        end: When = "now",
        **parameters: Any,  # noqa: ANN401 - those of the route, which checks them
    ) -> pl.DataFrame:
        """History of *tags*, paths or patterns, in [start, end): every page of it in one frame.

        *parameters* are those of ``/api/v1/history``: ``mode``, ``every``, ``at``, ``pixels``,
        ``aggregate``, ``unit``, ``zone``. With ``every`` alone the mode is ``summary``.
        """
        query = history_query(tags, start, end, **parameters)
        return pl.concat([page for page, _ in self.pages(query)])

    def pages(
        self, query: Query, cursor: str | None = None, rows: int = PAGE_ROWS
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """The pages of a `history_query` from *cursor* on, each with the cursor behind it."""
        while True:
            asked = {**query, "format": "arrow", "limit": rows, "cursor": cursor}
            answer = self._send("POST", "/api/v1/history", json=_given(asked))
            cursor = answer.headers.get("Ertis-Cursor")
            yield pl.read_ipc_stream(BytesIO(answer.content)), cursor
            if cursor is None:
                return

    def estimate(self, query: Query) -> dict[str, Any]:
        """What a `history_query` comes to: ``rows``, ``exact``, ``pages``, ``bytes``."""
        answer = self._send("POST", "/api/v1/history/estimate", json=_given(query))
        return dict(answer.json())

    @contextmanager
    def streaming(self, query: Query) -> Iterator[httpx.Response]:
        """The answer to a `history_query` whose body is still to come."""
        for attempt in range(_TRIES):
            with (
                self._reached(),
                self._http.stream("POST", "/api/v1/history", json=_given(query)) as answer,
            ):
                if answer.status_code in _RETRY and attempt < _TRIES - 1:
                    time.sleep(_wait_s(answer, attempt))
                    continue
                if answer.is_error:
                    answer.read()
                    raise problem_of(answer)
                yield answer
                return

    def kpi(
        self,
        kpi: str,
        asset: str,
        *,
        start: When = "-24h",
        end: When = "now",
        every: str | None = None,
        zone: str | None = None,
        parameters: str | None = None,
    ) -> pl.DataFrame:
        """A KPI at an asset: ``start, end, value, coverage, reason``, a row a bucket."""
        cursor: str | None = None
        pages = []
        while True:
            query = {"asset": asset, "from": _text(start), "to": _text(end), "every": every}
            more = {"zone": zone, "parameters": parameters, "cursor": cursor, "format": "arrow"}
            answer = self._get(f"/api/v1/kpis/{kpi}", {**query, **more})
            pages.append(pl.read_ipc_stream(BytesIO(answer.content)))
            cursor = answer.headers.get("Ertis-Cursor")
            if cursor is None:
                return pl.concat(pages)

    def kpis(self) -> pl.DataFrame:
        """The catalogue of KPIs: ``id, title, unit, formula``."""
        return pl.DataFrame(
            [
                {name: one[name] for name in ("id", "title", "unit", "formula")}
                for one in self._get("/api/v1/kpis", {}).json()["kpis"]
            ]
        )

    def asset(self, path: str) -> dict[str, Any]:
        """An asset with its measures and the ids of its KPIs."""
        return dict(self._get("/api/v1/assets", {"root": path, "depth": 0}).json())

    def tags(self, pattern: str = "**", **filters: str | None) -> pl.DataFrame:
        """The tags that fit *pattern* and the *filters* ``asset``, ``measure`` and ``kind``."""
        cursor: str | None = None
        found: list[dict[str, Any]] = []
        while True:
            answer = self._get("/api/v1/tags", {"pattern": pattern, "cursor": cursor, **filters})
            page = answer.json()
            found += page["tags"]
            cursor = page["cursor"]
            if cursor is None:
                break
        schema = dict.fromkeys(_TAG_COLUMNS, pl.String) | {"stale_after_s": pl.Float64}
        return pl.DataFrame([{name: one[name] for name in schema} for one in found], schema=schema)

    def latest(self, *tags: str) -> pl.DataFrame:
        """The newest reading of each tag: ``tag, ts, value, quality, unit, reason``."""
        answer = self._get("/api/v1/latest", {"tag": list(tags)})
        schema = {
            "tag": pl.String,
            "ts": pl.String,
            "value": pl.Float64,
            "quality": pl.Int16,
            "unit": pl.String,
            "reason": pl.String,
        }
        found = pl.DataFrame(answer.json()["values"], schema=schema)
        return found.with_columns(pl.col("ts").str.to_datetime(time_unit="us", time_zone="UTC"))

    def report(self, kind: str, asset: str | None = None, at: When = "previous") -> dict[str, Any]:
        """The report of a ``shift``, ``day`` or ``month``: ``report``, ``sha256``, ``late`` ...

        *at* is ``previous``, ``current``, what the period is called (``2026-10-31-night``), or an
        instant in it; *asset* is the site unless given. ``report["kpis"]`` makes a frame.
        """
        return dict(json.loads(self.report_as("json", kind, asset, at)))

    def report_as(
        self, form: str, kind: str, asset: str | None = None, at: When = "previous"
    ) -> bytes:
        """The same as ``json``, ``csv`` or ``html``, to the byte."""
        query = {"asset": asset, "at": _text(at), "format": form}
        return self._get(f"/api/v1/reports/{kind}", query).content

    def sign(self, name: str, reason: str) -> dict[str, Any]:
        """Sign a period: 2026, 2026-10, 2026-10-31 or 2026-10-31-night; its reports are frozen.

        Raises
        ------
        ConflictError
            It is signed already, not over, or still being summarised.
        """
        path = f"/api/v1/periods/{quote(name, safe='')}/sign"
        return dict(self._send("POST", path, json={"reason": reason}).json())

    def reopen(self, name: str, reason: str) -> dict[str, Any]:
        """Open a signed period again: what arrived late is applied."""
        path = f"/api/v1/periods/{quote(name, safe='')}/reopen"
        return dict(self._send("POST", path, json={"reason": reason}).json())

    def live(
        self, tags: Sequence[str] = (), kpis: Sequence[str] = (), window: str = "1h"
    ) -> Iterator[Event]:
        """Events as they happen: ``state`` with what was chosen, ``problem`` where it is unknown.

        Goes on after an interruption, for ever. *kpis* are written ``<id>@<asset path>``.
        """
        query = {"tag": list(tags), "kpi": list(kpis), "window": window}
        last_id, attempt = "", 0
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with (
                    self._reached(),
                    self._http.stream(
                        "GET", "/api/v1/live", params=query, headers=headers
                    ) as answer,
                ):
                    if answer.is_error:
                        answer.read()
                        raise problem_of(answer)
                    for event in events(answer.iter_lines()):
                        if event.name == "beat":  # nothing changed
                            continue
                        last_id, attempt = event.id, 0
                        yield event
            except UnavailableError:
                if attempt >= _TRIES:
                    raise
            time.sleep(full_jitter(attempt, cap_s=5.0))
            attempt += 1

    def _get(self, path: str, query: Query) -> httpx.Response:
        return self._send("GET", path, params=_given(query))

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401
        """The answer to a request, tried again while what is behind it is away."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                with self._reached():
                    answer = self._http.request(method, path, **content)
            except UnavailableError:
                if last:
                    raise
                time.sleep(full_jitter(attempt))
                continue
            if answer.status_code not in _RETRY or last:
                break
            time.sleep(_wait_s(answer, attempt))
        if answer.is_error:
            raise problem_of(answer)
        return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.UnsupportedProtocol as error:
            raise ConfigError("ERTIS_URL", self.url, f"use one like {URL}") from error
        except httpx.TransportError as error:
            raise UnavailableError(f"{self.url} does not answer ({error})") from error


_TAG_COLUMNS: Final = ("path", "unit", "kind", "title", "asset", "measure", "interpolation")


def history_query(
    tags: Sequence[str],
    start: When = "-24h",
    end: When = "now",
    **parameters: Any,  # noqa: ANN401 - those of the route, which checks them
) -> dict[str, Any]:
    """The parameters of a request for history; with ``every`` alone the mode is ``summary``."""
    at = [_text(instant) for instant in parameters.pop("at", ())]
    query = {"tag": list(tags), "from": _text(start), "to": _text(end), "at": at, **parameters}
    if query.get("mode") is None:
        summary = query.get("every") or query.get("aggregate")
        query["mode"] = "interpolated" if at else "summary" if summary else "raw"
    return _given(query)


def _text(instant: When) -> str:
    return instant if isinstance(instant, str) else instant.isoformat()


def _given(query: Query) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, [], ())}


def _wait_s(answer: httpx.Response, attempt: int) -> float:
    """What the answer asks to wait [s], else a random time."""
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else full_jitter(attempt)
