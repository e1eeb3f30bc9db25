"""docs/sources.md shows every type of source as it is read."""

import re
from pathlib import Path
from typing import get_args

import pytest

from edge.config import SOURCE_TABLES, load_config
from edge.sources.device import SourceSection

TEXT = Path("docs/sources.md").read_text()
EXAMPLES = re.findall(r"```toml\n(\[\[source\]\]\n.*?)```", TEXT, re.DOTALL)
HEAD = """
plant = "../pavlodar.toml"

[node]
group = "pavlodar"
id = "potline-1"
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split('"')[1])
def test_the_examples_load(tmp_path: Path, example: str) -> None:
    """Beside the plant that ships, with every key that they show."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "agent.toml").write_text(f"{HEAD}\n{example}")
    (tmp_path / "pavlodar.toml").write_text(Path("plants/pavlodar.toml").read_text())

    (device,) = load_config(tmp_path / "agents" / "agent.toml").devices

    assert device.paths


@pytest.mark.parametrize("table", SOURCE_TABLES, ids=lambda table: table.__name__)
def test_every_key_is_shown(table: type[SourceSection]) -> None:
    """Of a source and of its tags, here or in docs/architecture.md."""
    shown = TEXT + Path("docs/architecture.md").read_text()
    (tag,) = get_args(table.model_fields["tag"].annotation)[:1]

    for key in [*table.model_fields, *tag.model_fields]:
        assert re.search(rf"\b{key}\b", shown), key
