"""Faults on demand: what a test writes to the holding registers of a PLC.

Registers 0 to 2, written together (function 16): command, argument, duration [s]. Registers show
it from the next scan on; it ends by itself.

=====  =========  ==============================================================================
 1     upset      the unit given by its place: an anode effect on pot 1 to 24; a trip of turbine
                  1 to 8 or, counted on, of inverter 9 to 12
 2     freeze     the sensor whose first input register is given: it keeps its last value
 3     silence    the PLC answers nothing, on connections that stay open
 4     refuse     the PLC answers every request with the Modbus exception given (4 device failure,
                  6 device busy)
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


@dataclass(frozen=True, slots=True)
class Command:
    """A fault, what it is about, and how long it lasts [s]."""

    fault: Fault
    argument: int
    duration_s: int

    @property
    def registers(self) -> list[int]:
        """As written to holding registers 0 to 2."""
        return [self.fault, self.argument, self.duration_s]


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
