"""Plants and agent files, written for one test."""

from collections.abc import Mapping
from pathlib import Path

from edge.sources.device import Device
from edge.sources.modbus.table import ModbusDevice

PLANT = """
[site]
name = "site"
title = "Site"
time_zone = "Asia/Almaty"

[[asset]]
path = "line"
level = "line"
type = "potline"
template = "line"

[[asset]]
path = "line/pot-{1..3}"
level = "unit"
type = "pot"
template = "pot"

[template.line.current]
title = "Current"
unit = "kA"
kind = "gauge"
stale_after_s = 60
deadband = 0.5

[template.line.temperature]
title = "Temperature"
unit = "degC"
kind = "gauge"
interpolation = "linear"
stale_after_s = 60
limits = [900, 1000]

[template.pot.voltage]
title = "Voltage"
unit = "V"
kind = "gauge"
stale_after_s = 3

[template.pot.power]
title = "Power"
unit = "kW"
kind = "gauge"
stale_after_s = 60
product = ["voltage", "../current"]

[template.pot.effect]
title = "Anode effect"
unit = "1"
kind = "state"
stale_after_s = 60

[template.pot.tapped]
title = "Metal tapped"
unit = "kg"
kind = "event"
stale_after_s = 100000
"""

AGENT = """
plant = "plant.toml"

[node]
group = "site"
id = "node"
host = "ertis"

[delivery]
ack_timeout_s = 1.0

[[source]]
type = "modbus"
device = "plc"
host = "127.0.0.1"
port = {port}
scan_s = 0.05
timeout_s = 0.5
clock = {{ table = "input", address = 0 }}

[[source.tag]]
path = "line/current"
table = "input"
address = 4
type = "float32"
deadband = 0.0
max_silence_s = 0

[[source.tag]]
path = "line/pot-{{1..3}}/voltage"
table = "input"
address = 6
type = "float32"
max_silence_s = 0

[[source.log]]
path = "line/pot-{{1..3}}/tapped"
table = "input"
head = 100
address = 102
entries = 4
"""


def write_agent(folder: Path, port: int = 502, changes: Mapping[str, str] | None = None) -> Path:
    """An agent's file with its plant beside it; *changes* replace text of it."""
    (folder / "plant.toml").write_text(PLANT)
    text = AGENT.format(port=port)
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "agent.toml"
    path.write_text(text)
    return path


def modbus(device: Device) -> ModbusDevice:
    """The device, which is known to be on Modbus."""
    assert isinstance(device, ModbusDevice)
    return device
