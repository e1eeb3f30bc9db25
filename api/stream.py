"""A table that leaves as it comes from the database, never held as a whole."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlencode

import anyio
import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.formats import MEDIA_TYPES, WRITERS, Format, Writer
from schemas.db.frames import FrameReader
from schemas.errors import DatabaseBusy, DefectError, UnavailableError

Frames = Generator[pl.DataFrame, None, None]
#: Facts of the answer, columns of its rows, and the rows.
Answer = tuple[dict[str, object], pl.Schema, Frames]
#: What nobody reads any more, as other servers number it.
_CALLER_LEFT: Final = 499


async def answered(
    request: Request,
    form: Format,
    frames: FrameReader,
    make: Callable[[FrameReader], Answer],
) -> Response:
    """What *make* answers from *frames*, as `streamed` sends it; it is given a reader of its own.

    A caller who leaves ends the statement that runs for them, at any stage.
    """
    own = frames.apart()
    async with _watched(request.receive, own) as left:
        try:
            answer = await run_in_threadpool(make, own)
            return await streamed(request, form, answer, own)
        except UnavailableError:
            if left.is_set():
                return Response(status_code=_CALLER_LEFT)
            raise


async def streamed(
    request: Request, form: Format, answer: Answer, reader: FrameReader | None = None
) -> Response:
    """*answer* in the format *form*; a caller who leaves cancels *reader*.

    The first rows are fetched before the answer begins, so that what is wrong with the query is
    still a problem with a status of its own. What breaks later breaks the connection: a caller must
    not take the beginning of a table for the whole.

    Raises
    ------
    DatabaseBusy
        The answer is long, and as many long answers as the database should bear are under way.
    """
    facts, schema, frames = answer
    headers = {"Cache-Control": "no-store", **_next_page(request, facts["cursor"])}
    writer = WRITERS[form](facts, schema)
    start, whole = await run_in_threadpool(_begin, writer, frames)
    if whole:
        return Response(start, headers=headers, media_type=MEDIA_TYPES[form])
    exports: anyio.CapacityLimiter = request.app.state.exports
    try:
        exports.acquire_on_behalf_of_nowait(frames)
    except anyio.WouldBlock as error:
        await run_in_threadpool(frames.close)
        raise DatabaseBusy(
            f"{exports.total_tokens:g} long answers are under way; ask for fewer rows, or later"
        ) from error
    body = _body(start, writer, frames, exports)
    return _Leavable(reader, body, headers=headers, media_type=MEDIA_TYPES[form])


class _Leavable(StreamingResponse):
    """A stream that is closed at once when its reader goes, not when it is collected."""

    body_iterator: AsyncGenerator[bytes, None]

    def __init__(
        self,
        reader: FrameReader | None,
        body: AsyncGenerator[bytes, None],
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(body, headers=headers, media_type=media_type)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the end, or until the reader goes."""
        try:
            async with _watched(receive, self._reader):
                await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self.body_iterator.aclose()


@asynccontextmanager
async def _watched(receive: Receive, reader: FrameReader | None) -> AsyncIterator[asyncio.Event]:
    """Cancels *reader* and sets the event should the caller go meanwhile."""
    left = asyncio.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()
        if reader is not None:
            # A cancelled statement is a connection to the server of its own.
            await run_in_threadpool(reader.cancel)

    watching = asyncio.create_task(watch(), name="caller")
    try:
        yield left
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _next_page(request: Request, cursor: object) -> dict[str, str]:
    if not isinstance(cursor, str):
        return {"Ertis-Truncated": "false"}
    found = {"Ertis-Truncated": "true", "Ertis-Cursor": cursor}
    if request.method != "GET":
        return found
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return {**found, "Link": f'<{request.url.path}?{query}>; rel="next"'}


def _begin(writer: Writer, frames: Frames) -> tuple[bytes, bool]:
    """The head with the first rows, and whether that is all."""
    start = writer.head()
    for _ in range(2):
        rows = _next(writer, frames)
        if rows is None:
            return start + writer.tail(), True
        start += rows
    return start, False


def _next(writer: Writer, frames: Frames) -> bytes | None:
    frame = next(frames, None)
    if frame is None:
        return None
    if frame.schema != writer.schema:
        raise DefectError(f"a frame has {frame.schema}; the table has {writer.schema}")
    return writer.rows(frame)


async def _body(
    start: bytes, writer: Writer, frames: Frames, exports: anyio.CapacityLimiter
) -> AsyncGenerator[bytes, None]:
    try:
        yield start
        while (chunk := await run_in_threadpool(_next, writer, frames)) is not None:
            yield chunk
        yield writer.tail()
    finally:
        # A caller who left must not leave the statement running.
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(frames.close)
        exports.release_on_behalf_of(frames)
