"""Summaries that a new plant model makes wrong: of tags that are made another way now.

What a summary says follows from the readings and from the tag: its kind, interpolation, modulus,
how fast it can climb, how long a value holds, the rule that computes it. Where one of these
changes, the minutes that have summaries are marked as if their readings had changed, and the rollup
worker makes them again as far back as readings are kept.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from schemas.plant.model import Plant, Tag

#: A computed tag is marked wherever its operands have summaries: it may have none of its own yet.
_MARK = text(
    """INSERT INTO dirty (bucket, tag_ids)
       SELECT bucket, array_agg(DISTINCT given.marked) FROM rollup_1m
       JOIN unnest(CAST(:sources AS int4[]), CAST(:marked AS int4[])) AS given (source, marked)
         ON tag_id = given.source
       GROUP BY bucket"""
)


def mark_outdated(
    connection: Connection, known: Mapping[str, Tag], plant: Plant, tag_ids: Mapping[str, int]
) -> None:
    """Mark what *plant* makes otherwise than *known* did, in the caller's transaction."""
    pairs = [
        (tag_ids[source], tag_ids[path])
        for path in _outdated(known, plant)
        for source in {path, *(tag.path for tag in plant.made_of(path))}
    ]
    if pairs:
        sources, marked = zip(*sorted(pairs), strict=True)
        connection.execute(_MARK, {"sources": list(sources), "marked": list(marked)})


def _outdated(known: Mapping[str, Tag], plant: Plant) -> Iterator[str]:
    """The tags that changed, and those that are computed from them; new ones that are computed."""
    changed: dict[str, bool] = {}

    def is_changed(path: str) -> bool:
        if path not in changed:
            tag, before = plant.tags[path], known.get(path)
            operands = tag.derivation.operands if tag.derivation else ()
            own = bool(operands) if before is None else _made_by(before) != _made_by(tag)
            changed[path] = any([own, *map(is_changed, operands)])
        return changed[path]

    return (path for path in plant.tags if is_changed(path))


def _made_by(tag: Tag) -> tuple[object, ...]:
    counting = tag.modulus, tag.max_rate
    return tag.kind, tag.interpolation, tag.stale_after_s, counting, tag.derivation
