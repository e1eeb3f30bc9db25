"""Faults on demand: what a test writes to the holding registers of a PLC.

Registers 0 to 2, written together (function 16): command, argument, duration [s]. Registers show
it from the next scan on; it ends by itself.

=====  =========  ==============================================================================
 1     upset      the unit at this place of the PLC (from 1, as `registers` lists them): an anode
                  effect on a pot, a trip of a turbine, inverter or calciner
 2     freeze     the sensor whose first input register is given keeps its last value
 3     silence    the PLC answers nothing, on connections that stay open
 4     refuse     the PLC answers every request with the Modbus exception given (4 device failure,
                  6 device busy)
 5     sicken     the pot at this place: more resistance, unrest, less current efficiency
 6     drift      the sensor at this register reads 1 % more with every minute
 7     reset      the totaliser at this register falls to 0 and counts on from there, for good
 8     curtail    turbines and inverters of this PLC give this percentage of their rating at most
 9     modulate   the line of this PLC is set to this percentage of its rated current
10     outage     the network is cut: connections fall, nobody listens
11     jump       the clock of the PLC goes wrong by so many seconds (int16)
=====  =========  ==============================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pymodbus.constants import ExcCodes

REGISTERS = 3


class Fault(IntEnum):
    """The command in register 0."""

    UPSET = 1
    FREEZE = 2
    SILENCE = 3
    REFUSE = 4
    SICKEN = 5
    DRIFT = 6
    RESET = 7
    CURTAIL = 8
    MODULATE = 9
    OUTAGE = 10
    JUMP = 11


@dataclass(frozen=True, slots=True)
class Command:
    """A fault, what it is about, and how long it lasts [s]."""

    fault: Fault
    argument: int
    duration_s: int

    @property
    def registers(self) -> list[int]:
        """As written to holding registers 0 to 2."""
        return [self.fault, self.argument & 0xFFFF, self.duration_s]

    @property
    def signed(self) -> int:
        """The argument read as int16."""
        return (self.argument & 0xFFFF ^ 0x8000) - 0x8000


def read_command(registers: Sequence[int]) -> Command:
    """The command in *registers*.

    Raises
    ------
    ValueError
        Not three registers, an unknown command, or an exception code that Modbus does not have.
    """
    code, argument, duration_s = registers
    command = Command(Fault(code), argument, duration_s)
    if command.fault is Fault.REFUSE:
        ExcCodes(argument)
    return command
