"""Agent files with one source of any type, beside the plant of the agent's tests."""

from pathlib import Path

from edge.config import load_config
from edge.sources.device import Device
from tests.edge.files import PLANT

_HEAD = """
plant = "plant.toml"

[node]
group = "site"
id = "node"
"""


def write_source(folder: Path, source: str) -> Path:
    """A file whose ``[[source]]`` is *source*, with its plant beside it."""
    (folder / "plant.toml").write_text(PLANT)
    path = folder / "agent.toml"
    path.write_text(f"{_HEAD}\n[[source]]\n{source}")
    return path


def load_source(folder: Path, source: str) -> Device:
    """The device of a file whose ``[[source]]`` is *source*."""
    return load_config(write_source(folder, source)).devices[0]
