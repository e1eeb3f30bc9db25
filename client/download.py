"""A download of history that goes on where it was killed.

Pages are kept as files beside the output until the last one is there; what a page was and where
the next one begins is noted after the page is complete. Killed at any instant, a page is at worst
fetched again. The pages become the output in one pass that holds none of them as a whole.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from client.ertis import PAGE_ROWS, Ertis, Query
from schemas.backoff import full_jitter
from schemas.errors import ConfigError, UnavailableError

#: How often in a row a page is tried.
_TRIES: Final = 5


def _texts(pages: pl.LazyFrame) -> pl.LazyFrame:
    return pages.with_columns(pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))


#: How the pages are written together, by the ending of the output's name.
SINKS: Final[Mapping[str, Callable[[pl.LazyFrame, Path], object]]] = {
    ".parquet": lambda pages, out: pages.sink_parquet(out, compression="zstd"),
    ".csv": lambda pages, out: _texts(pages).sink_csv(out),
    ".ndjson": lambda pages, out: _texts(pages).sink_ndjson(out),
    ".jsonl": lambda pages, out: _texts(pages).sink_ndjson(out),
    ".arrow": lambda pages, out: pages.sink_ipc(out),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is: complete ``pages`` with ``rows``, and what is next."""

    query: dict[str, Any]
    pages: int = 0
    rows: int = 0
    cursor: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the last page is there."""
        return self.pages > 0 and self.cursor is None


class Download:
    """The history of a `client.ertis.history_query` on its way to the file *out*.

    Raises
    ------
    ConfigError
        The ending of *out* is none of `SINKS`, or pages of another query lie beside it.
    """

    def __init__(self, ertis: Ertis, query: Query, out: Path, page_rows: int = PAGE_ROWS) -> None:
        if out.suffix not in SINKS:
            raise ConfigError("output", str(out), f"end it with one of {', '.join(SINKS)}")
        self._ertis = ertis
        self._out = out
        self._page_rows = page_rows
        self._folder = out.with_name(f"{out.name}.part")
        self._note = self._folder / "progress.json"
        self.progress = self._found(dict(query))

    def _found(self, query: dict[str, Any]) -> Progress:
        if not self._note.exists():
            return Progress(query)
        found = Progress(**json.loads(self._note.read_text()))
        if found.query != query:
            right = "another request was begun there: delete it, or choose another output"
            raise ConfigError("output", str(self._folder), right)
        return found

    def run(self, told: Callable[[Progress], object] = lambda _: None) -> Progress:
        """Fetch what is missing, page by page, and write the output; *told* hears of each page."""
        self._folder.mkdir(parents=True, exist_ok=True)
        told(self.progress)
        failed = 0
        while not self.progress.whole:
            try:
                self._fetch()
            except UnavailableError:
                failed += 1
                if failed == _TRIES:
                    raise
                time.sleep(full_jitter(failed))
                continue
            failed = 0
            told(self.progress)
        # A folder of pages, in their order: their names have one length.
        pages = pl.scan_parquet(sorted(self._folder.glob("*.parquet"))[: self.progress.pages])
        unfinished = self._folder / f"whole{self._out.suffix}"
        SINKS[self._out.suffix](pages.with_columns(pl.col("tag").cast(pl.String)), unfinished)
        unfinished.replace(self._out)
        shutil.rmtree(self._folder)
        return self.progress

    def _fetch(self) -> None:
        """One more page: first its bytes under another name, then its name, then the note."""
        before = self.progress
        page = self._folder / f"page-{before.pages:06}.parquet"
        arriving = page.with_suffix(".arriving")
        asked = {**before.query, "format": "parquet", "limit": self._page_rows}
        with self._ertis.streaming({**asked, "cursor": before.cursor}) as answer:
            with arriving.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)
            cursor = answer.headers.get("Ertis-Cursor")
        arriving.replace(page)
        rows = before.rows + int(pl.scan_parquet(page).select(pl.len()).collect().item())
        self.progress = Progress(before.query, before.pages + 1, rows, cursor)
        arriving.write_text(json.dumps(asdict(self.progress)))
        arriving.replace(self._note)
