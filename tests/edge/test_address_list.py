"""Tags from CSV files, as engineers export them."""

from pathlib import Path

import pytest

from edge.config import load_config
from edge.exception import Rule
from edge.sources.modbus.registers import Point, RegisterType, Table
from schemas.errors import ConfigError
from tests.edge.files import modbus, write_agent

LIST = """path,table,address,type,scale,deadband,writable
line/temperature,holding,40,int16,0.1,,true
line/pot-{1..3}/effect,coil,7,,,,
"""


def agent(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """An agent whose PLC has a list of tags beside those of the file."""
    (folder / "points.csv").write_text(text, encoding=encoding)
    return write_agent(folder, changes={"scan_s = 0.05": 'scan_s = 0.05\ntags = "points.csv"'})


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_is_more_tags(tmp_path: Path, separator: str) -> None:
    """Cells become keys, empty ones the default; ranges stand for many, as in the file."""
    path = agent(tmp_path, LIST.replace(",", separator), "utf-8-sig")

    device = modbus(load_config(path).devices[0])

    assert device.points[-4:-2] == [
        Point("line/temperature", Table.HOLDING, 40, RegisterType.INT16, scale=0.1, writable=True),
        Point("line/pot-1/effect", Table.COIL, 7, RegisterType.BOOL),
    ]
    assert device.rules["line/temperature"] == Rule(0.0, 20_000, linear=True)
    assert "line/current" in device.paths


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("address", "adress", r"points.csv: line 2: adress.*did you mean 'address'"),
        ("40", "4O", r"points.csv: line 2: address: found '4O'.*integer"),
        ("coil,7", "coil,7,,,,,,", r"points.csv: line 3: found .*more cells than"),
        ("line/temperature", "line/temperatur", "did you mean 'line/temperature'"),
        ("line/temperature,holding", "line/current,holding", "listed twice"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """By file, line and key."""
    with pytest.raises(ConfigError, match=message):
        load_config(agent(tmp_path, LIST.replace(old, new)))


def test_a_list_that_is_missing_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    path = agent(tmp_path, LIST)
    (tmp_path / "points.csv").unlink()

    with pytest.raises(ConfigError, match=r"points.csv.*name a CSV file"):
        load_config(path)
