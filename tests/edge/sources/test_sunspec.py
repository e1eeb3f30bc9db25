"""SunSpec sources against a Modbus server that holds the models of a real map."""

import asyncio
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from sunspec2 import device as definitions

from edge.source import Source
from edge.sources.sunspec.table import SunSpecDevice
from schemas.errors import ConfigError, DeviceDown
from schemas.quality import Quality
from schemas.reading import Reading
from tests.edge.plc import HOLDING, Plc
from tests.edge.sources.files import load_source
from tests.edge.sources.talk import once, talk
from tests.fixtures.until import until

Values = Mapping[str, Any]

COMMON: Final = (1, {"Mn": "Maker", "Md": "Model", "SN": "1"})
INVERTER: Final = (
    103,
    {"W": 2301, "W_SF": 1, "PhVphA": 2305, "V_SF": -1, "St": 4, "Evt1": 0b1000, "WH": 123456}
    | {"WH_SF": 0, "Hz": 5001, "Hz_SF": -2},
)
FLOAT_INVERTER: Final = (113, {"W": 23010.5})
MODULES: Final = (
    160,
    {"N": 2, "DCW_SF": 0, "module": [{"ID": 1, "DCW": 1500}, {"ID": 2, "DCW": 1600}]},
)


def registers(model: int, values: Values) -> list[int]:
    """A model as the library packs it; what is not in *values* is not implemented."""
    made: Any = definitions.Model(model, data=dict(values))
    made.set_dict(dict(values))
    data: bytes = made.get_mb()
    (length,) = struct.unpack_from(">H", data, 2)
    assert length == len(data) // 2 - 2, "the model has its length"
    return list(struct.unpack(f">{len(data) // 2}H", data))


def serve(plc: Plc, *models: tuple[int, Values], base: int = 0) -> None:
    """Put the map of *models* into the holding registers, from *base* on."""
    image = [0x5375, 0x6E53]
    for number, values in models:
        image += registers(number, values)
    image += [0xFFFF, 0]
    plc.set(HOLDING, base, image)
    until(lambda: plc.tables[HOLDING][base : base + len(image)] == image, "registers")


def tag(path: str, model: str, point: str, more: str = "") -> str:
    """A table of one tag."""
    return f'[[source.tag]]\npath = "{path}"\nmodel = {model}\npoint = "{point}"\n{more}\n'


def device(folder: Path, port: int, *tags: str, more: str = "") -> SunSpecDevice:
    """The device of a file with *tags*."""
    made = load_source(
        folder,
        f'type = "sunspec"\ndevice = "inv"\nhost = "127.0.0.1"\nport = {port}\ntimeout_s = 0.5\n'
        f"{more}\n{''.join(tags)}",
    )
    assert isinstance(made, SunSpecDevice)
    return made


def values(readings: object) -> list[tuple[float | None, int]]:
    """Values and qualities."""
    assert isinstance(readings, list)
    return [(r.value, r.quality) for r in readings if isinstance(r, Reading)]


POWER = tag("line/current", "103", "W", "scale = 0.5")
VOLTAGE = tag("line/pot-1/voltage", "103", "PhVphA")


def test_models_are_found_and_scale_factors_applied(tmp_path: Path, plc: Plc) -> None:
    """2301 at 10^1 W is 23010 W, here halved; 2305 at 10^-1 V is 230.5 V."""
    serve(plc, COMMON, INVERTER)

    readings = talk(device(tmp_path, plc.port, POWER, VOLTAGE), once)

    assert values(readings) == [
        (11505.0, Quality.GOOD),
        (230.5, Quality.GOOD),
    ]


@pytest.mark.parametrize("model", [INVERTER, FLOAT_INVERTER], ids=["103", "113"])
def test_a_family_is_any_of_its_models(tmp_path: Path, plc: Plc, model: tuple[int, Values]) -> None:
    """Integers with a scale factor or floats: the point has the same name."""
    serve(plc, COMMON, model)

    readings = talk(device(tmp_path, plc.port, tag("line/current", '"inverter"', "W")), once)

    assert values(readings)[0][0] == pytest.approx(23010.0, abs=0.6)


def test_repeating_groups_are_counted_from_one(tmp_path: Path, plc: Plc) -> None:
    """Two modules; there is no third."""
    serve(plc, COMMON, MODULES)
    modules = tag("line/pot-{1..3}/voltage", "160", "module.{1..3}.DCW")

    readings = talk(device(tmp_path, plc.port, modules), once)

    assert values(readings) == [
        (1500.0, Quality.GOOD),
        (1600.0, Quality.GOOD),
        (None, Quality.BAD),
    ]


def test_what_is_not_implemented_is_bad_without_a_value(tmp_path: Path, plc: Plc) -> None:
    """0x8000 of a point, a missing scale factor, a point or model that is not there."""
    number, implemented = INVERTER
    serve(plc, COMMON, (number, {k: v for k, v in implemented.items() if k != "V_SF"}))
    asked = [
        VOLTAGE,
        tag("line/pot-2/voltage", "103", "PhVphB"),
        tag("line/pot-3/voltage", "103", "NoSuch"),
        tag("line/temperature", "203", "W"),
        tag("line/current", "103", "W"),
    ]

    readings = talk(device(tmp_path, plc.port, *asked), once)

    assert values(readings) == [(None, Quality.BAD)] * 4 + [(23010.0, Quality.GOOD)]


def test_states_and_bits_are_numbers(tmp_path: Path, plc: Plc) -> None:
    """Operating state 4 (MPPT), and bit 3 of the event field."""
    serve(plc, COMMON, INVERTER)
    asked = [
        tag("line/pot-1/effect", "103", "St"),
        tag("line/pot-2/effect", "103", "Evt1", "bit = 3"),
        tag("line/pot-3/effect", "103", "Evt1", "bit = 2"),
    ]

    readings = talk(device(tmp_path, plc.port, *asked), once)

    assert [value for value, _quality in values(readings)] == [4.0, 1.0, 0.0]


def test_values_are_read_anew_at_every_scan(tmp_path: Path, plc: Plc) -> None:
    """The chain of models is read once, and a scale factor may change with its value."""
    serve(plc, COMMON, INVERTER)

    async def work(source: Source) -> tuple[object, int]:
        await source.scan()
        seen = len(plc.requests)
        await asyncio.to_thread(serve, plc, COMMON, (103, {"W": 77, "W_SF": 2}))
        return (await source.scan()).readings, len(plc.requests) - seen

    readings, requests = talk(device(tmp_path, plc.port, POWER), work)

    assert values(readings) == [(3850.0, Quality.GOOD)]
    assert requests == 1


def test_the_map_may_stand_elsewhere(tmp_path: Path, plc: Plc) -> None:
    """Where the file says; without it a device without a map says where was looked."""
    serve(plc, COMMON, INVERTER, base=1000)

    readings = talk(device(tmp_path, plc.port, POWER, more="base_address = 1000"), once)
    with pytest.raises(DeviceDown, match="no SunSpec map at 40000, 50000, 0; give base_address"):
        talk(device(tmp_path, plc.port, POWER), once)

    assert values(readings) == [(11505.0, Quality.GOOD)]


def test_a_device_that_goes_is_down_and_found_again(tmp_path: Path, plc: Plc) -> None:
    """Its models are looked for anew: it may be another device."""
    serve(plc, COMMON, INVERTER)

    async def work(source: Source) -> object:
        await source.scan()
        await asyncio.to_thread(plc.stop)
        with pytest.raises(DeviceDown, match=r"inv at 127\.0\.0\.1"):
            await source.scan()
        with pytest.raises(DeviceDown, match="no connection"):
            await source.scan()
        await asyncio.to_thread(serve, plc, COMMON, MODULES, INVERTER)
        await asyncio.to_thread(plc.start)
        return (await source.scan()).readings

    readings = talk(device(tmp_path, plc.port, POWER), work)

    assert values(readings) == [(11505.0, Quality.GOOD)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (POWER.replace("103", '"inverted"'), "is of a family: inverter, meter"),
        (POWER.replace("point", "pont"), r"tag\.0\.pont.*did you mean 'point'"),
        (tag("line/pot-{1..3}/voltage", "160", "module.{1..2}.DCW"), "stands for 2 places"),
    ],
)
def test_a_wrong_table_says_what_would_be_right(tmp_path: Path, given: str, message: str) -> None:
    """As for any other source."""
    with pytest.raises(ConfigError, match=message):
        device(tmp_path, 502, given)
