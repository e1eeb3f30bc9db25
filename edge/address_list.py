"""Address lists: the tags of a device as a CSV file, as PLC engineers keep and export them.

The first line names keys of ``[[source.tag]]``, each other line is one such table; an empty cell is
a key left out. Comma, semicolon and tab separate, whichever the first line has most of.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from edge.sources.device import SourceSection, TagSection
from schemas.document import first_fault
from schemas.errors import ConfigError


def with_tags(table: SourceSection, folder: Path) -> SourceSection:
    """*table* with the tags of the list that it names, which lies in *folder*.

    Raises
    ------
    ConfigError
        No such file; a cell that is wrong, with its line and key.
    """
    if table.tags is None:
        return table
    (model, _) = get_args(type(table).model_fields["tag"].annotation)
    listed = tuple(_read(folder / table.tags, model))
    return table.model_copy(update={"tag": (*getattr(table, "tag", ()), *listed), "tags": None})


def _read(path: Path, model: type[TagSection]) -> Iterator[TagSection]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError("tags", str(path), f"name a CSV file in UTF-8 ({cause})") from cause
    head = lines[0] if lines else ""
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(lines, delimiter=separator, restkey="cell")
    for row in rows:
        cells = {key.strip(): cell for key, cell in row.items() if key and cell}
        origin = f"{path.name}: line {rows.line_num}"
        if "cell" in cells:
            raise ConfigError(origin, cells["cell"], f"more cells than {head.strip()!r} names")
        try:
            yield model.model_validate({key: str(cell).strip() for key, cell in cells.items()})
        except ValidationError as fault:
            raise first_fault(fault, model, origin) from fault
