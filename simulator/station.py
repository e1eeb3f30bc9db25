"""A PLC with what can go wrong with it on the network."""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.command import Command, Fault
from simulator.model import Disturbance
from simulator.plc import Plc

#: Faults of the process: which assets of the PLC they are about, and up to which level [%].
_AT_A_UNIT: Final = frozenset({Fault.UPSET, Fault.SICKEN})
_HIGHEST: Final[Mapping[Fault, int]] = {Fault.CURTAIL: 100, Fault.MODULATE: 120}


class Station:
    """The PLC *plc*; *disturb* brings a fault about in the process behind it."""

    def __init__(self, plc: Plc, disturb: Callable[[Disturbance], None]) -> None:
        self.plc = plc
        self.refusal = 0
        self._disturb = disturb
        self._until_ms = dict.fromkeys((Fault.SILENCE, Fault.REFUSE, Fault.OUTAGE), 0)

    def obey(self, command: Command) -> None:
        """Bring about the fault of *command*.

        Raises
        ------
        ValueError
            The argument names nothing here.
        """
        # The fault begins with the next scan, one second on, and lasts its whole duration.
        until_ms = self.plc.ts_ms + 1000 * (command.duration_s + 1)
        match command.fault:
            case Fault.FREEZE:
                self.plc.freeze(command.argument, until_ms)
            case Fault.DRIFT:
                self.plc.drift(command.argument, until_ms)
            case Fault.RESET:
                self.plc.reset(command.argument)
            case Fault.JUMP:
                self.plc.jump(command.signed, until_ms)
            case Fault.SILENCE | Fault.REFUSE | Fault.OUTAGE:
                self._until_ms[command.fault] = until_ms
                self.refusal = command.argument
            case _:
                self._disturb(self._disturbance(command, until_ms))

    def _disturbance(self, command: Command, until_ms: int) -> Disturbance:
        assets = self.plc.wiring.assets
        if command.fault in _AT_A_UNIT:
            if not 1 <= command.argument <= len(assets):
                raise ValueError(f"unit {command.argument} of {len(assets)} at {self.plc.name}")
            return Disturbance(command.fault, [assets[command.argument - 1]], 0.0, until_ms)
        if command.argument > _HIGHEST[command.fault]:
            raise ValueError(f"{command.argument} % is beyond {_HIGHEST[command.fault]} %")
        return Disturbance(command.fault, assets, float(command.argument), until_ms)

    def _has(self, fault: Fault) -> bool:
        return self.plc.ts_ms < self._until_ms[fault]

    @property
    def silent(self) -> bool:
        """Whether it answers nothing now."""
        return self._has(Fault.SILENCE)

    @property
    def refusing(self) -> bool:
        """Whether it answers with an exception now."""
        return self._has(Fault.REFUSE)

    @property
    def cut_off(self) -> bool:
        """Whether the network to it is cut now."""
        return self._has(Fault.OUTAGE)
