"""The times of historian exports, as instants.

Local times without an offset are told apart by the order of the rows: in the hour that the end of
summer time repeats, the stamps of one key run through it twice: the first that does not advance
begins the second pass. A local time that the start of
summer time leaps over does not exist, and a row that claims it has no instant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from edge.sources.device import Section
from schemas.errors import ConfigError, ReadingError
from schemas.instant import from_ms, to_ms


class TimeTable(Section):
    """``time``: the column of the stamps and how to read them."""

    column: str
    format: str = Field(
        default="iso", description="iso, epoch_s, epoch_ms, or as strptime has it: %d.%m.%Y %H:%M"
    )
    zone: str | None = Field(default=None, description="IANA name, for stamps without an offset")

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError) as error:
                raise ValueError("use an IANA name such as Europe/Paris") from error
        return zone


@dataclass(frozen=True, slots=True)
class _Run:
    """Where the rows of one key stand in the repeated hour."""

    last: datetime
    second: bool


class StampReader:
    """Reads the stamps of one file, in the order of its rows; ``key`` is for messages."""

    def __init__(self, table: TimeTable, key: str) -> None:
        self._format = table.format
        self._zone = None if table.zone is None else ZoneInfo(table.zone)
        self._key = key
        self._runs: dict[str, _Run] = {}

    def ms(self, stamp: object, row_key: str) -> int:
        """The instant of *stamp* in a row about *row_key*, UTC [ms].

        Raises
        ------
        ReadingError
            It cannot be read, or does not exist.
        ConfigError
            It is a local time, and the file's zone is not given.
        """
        try:
            local = self._parse(stamp)
        except (TypeError, ValueError) as error:
            raise ReadingError(f"time {stamp!r} is not {self._format} ({error})") from error
        if local.tzinfo is not None:
            return to_ms(local)
        if self._zone is None:
            raise ConfigError(f"{self._key}.zone", None, f"{stamp!r} is local: name its time zone")
        return to_ms(self._place(local, row_key, self._zone))

    def _parse(self, stamp: object) -> datetime:
        if isinstance(stamp, datetime):
            return stamp
        text = str(stamp)
        match self._format:
            case "iso":
                return datetime.fromisoformat(text)
            case "epoch_s":
                return from_ms(round(float(text) * 1000))
            case "epoch_ms":
                return from_ms(round(float(text)))
            case strptime:
                return datetime.strptime(text, strptime)  # noqa: DTZ007 - the zone is known apart

    def _place(self, local: datetime, row_key: str, zone: tzinfo) -> datetime:
        first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            self._runs.pop(row_key, None)
            return first
        if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            raise ReadingError(f"time {local} was leapt over by summer time in {zone}")
        run = self._runs.get(row_key)
        second_pass = run is not None and (run.second or local <= run.last)
        self._runs[row_key] = _Run(local, second_pass)
        return second if second_pass else first
