"""Which tag a metric or measure names."""

from ingest import lane
from ingest.batch import Rows
from ingest.event import Source
from ingest.letter import Letter
from schemas.db.catalogue import Catalogue
from schemas.reading import Reading
from schemas.telemetry import TOPIC_PREFIX


class TagNames:
    """The catalogue as readings need it. A tag that is computed takes no readings."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.ids = {
            path: catalogue.tag_ids[path]
            for path, tag in catalogue.plant.tags.items()
            if tag.derivation is None
        }
        self._paths = {tag_id: path for path, tag_id in self.ids.items()}

    def resolve(self, source: Source, name: str) -> int | None:
        """The tag that metric *name* of *source* measures: by path, or by measure of its asset."""
        asset = self._catalogue.source_of(source.group, source.node, source.device)
        return self.ids.get(name if asset is None else f"{asset.path}/{name}")

    def refusal(self, rows: Rows, place: int, reason: str, now_ms: int) -> Letter:
        """The letter of a row that the database refuses, as a message of the JSON lane."""
        path = self._paths[int(rows.tag_id[place])]
        value = None if rows.null[place] else float(rows.value[place])
        reading = Reading(path, int(rows.ts_ms[place]), value, int(rows.quality[place]))
        topic = TOPIC_PREFIX + path.rpartition("/")[0]
        return Letter(now_ms, topic, lane.encode([reading]), "refused", reason, 1)
