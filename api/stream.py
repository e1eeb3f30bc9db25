"""A table that leaves as it comes from the database, never held as a whole."""

from collections.abc import AsyncGenerator, Generator
from urllib.parse import urlencode

import anyio
import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.formats import MEDIA_TYPES, WRITERS, Format, Writer
from schemas.errors import DatabaseBusy, DefectError

Frames = Generator[pl.DataFrame, None, None]
#: Facts of the answer, columns of its rows, and the rows.
Answer = tuple[dict[str, object], pl.Schema, Frames]


async def streamed(request: Request, form: Format, answer: Answer) -> Response:
    """*answer* in the format *form*.

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
    return _Leavable(body, headers=headers, media_type=MEDIA_TYPES[form])


class _Leavable(StreamingResponse):
    """A stream that is closed at once when its reader goes, not when it is collected."""

    body_iterator: AsyncGenerator[bytes, None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the end, or until the reader goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self.body_iterator.aclose()


def _next_page(request: Request, cursor: object) -> dict[str, str]:
    if not isinstance(cursor, str):
        return {"Ertis-Truncated": "false"}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return {"Ertis-Truncated": "true", "Link": f'<{request.url.path}?{query}>; rel="next"'}


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
