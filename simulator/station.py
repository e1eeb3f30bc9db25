"""A process with the PLC before it."""

from random import Random
from typing import Generic

from pydantic import TypeAdapter, ValidationError

from simulator.command import Command, Fault
from simulator.model import Model, State, Totals
from simulator.plc import Plc


class Station(Generic[State]):
    """The process *model* behind the PLC called *name*; *rng* is its own and nobody else's."""

    def __init__(self, name: str, model: Model[State], now_ms: int, rng: Random) -> None:
        self.model = model
        self.rng = rng
        self.state = model.start(now_ms, rng)
        self.plc = Plc(name, tuple(model.values(self.state)), model.logged)
        self.silent_until_ms = 0
        self.refusing_until_ms = 0
        self.refusal = 0
        self._adapter = TypeAdapter(type(self.state))
        self._show(now_ms)

    def scan(self, now_ms: int, dt_s: float) -> None:
        """Carry the process on by *dt_s* [s] to *now_ms* [ms] and renew the registers."""
        self.state = self.model.step(self.state, now_ms, dt_s, self.rng)
        self._show(now_ms)

    def _show(self, now_ms: int) -> None:
        self.plc.scan(now_ms, self.model.values(self.state), self.model.events(self.state))

    def totals(self) -> Totals:
        """The exact totals of the process until its last scan."""
        return self.model.totals(self.state)

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
            case Fault.UPSET:
                self.state = self.model.upset(self.state, command.argument, command.duration_s)
            case Fault.FREEZE:
                self.plc.freeze(command.argument, until_ms)
            case Fault.SILENCE:
                self.silent_until_ms = until_ms
            case Fault.REFUSE:
                self.refusing_until_ms, self.refusal = until_ms, command.argument

    @property
    def silent(self) -> bool:
        """Whether it answers nothing now."""
        return self.plc.ts_ms < self.silent_until_ms

    @property
    def refusing(self) -> bool:
        """Whether it answers with an exception now."""
        return self.plc.ts_ms < self.refusing_until_ms

    def remember(self) -> object:
        """The state as plain JSON values, for `recall`."""
        plain: object = self._adapter.dump_python(self.state, mode="json")
        return plain

    def recall(self, plain: object, now_ms: int) -> None:
        """Take up the state that `remember` gave, as after a power cut that ends at *now_ms* [ms].

        The process stood still meanwhile: nothing is added to the totals.

        Raises
        ------
        ValueError
            It is not a state of this process.
        """
        try:
            state = self._adapter.validate_python(plain)
        except ValidationError as error:
            raise ValueError(str(error)) from error
        self.model.values(state)
        self.state = state
        self.scan(now_ms, 0.0)
