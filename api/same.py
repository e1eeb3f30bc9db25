"""An object as a key of what was computed from it."""

from typing import Generic, TypeVar

One = TypeVar("One")


class Same(Generic[One]):
    """Equal to another one of the same object, not to one of an object that is equal to it."""

    __slots__ = ("one",)

    def __init__(self, one: One) -> None:
        self.one = one

    def __hash__(self) -> int:
        """By identity: a catalogue has hundreds of thousands of parts."""
        return id(self.one)

    def __eq__(self, other: object) -> bool:
        """Whether *other* is of the same object."""
        return isinstance(other, Same) and other.one is self.one
