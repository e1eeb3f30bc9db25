"""``[[source]]`` of type http: an address that answers JSON, and the values that are tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import Device, Section, SourceSection, TagSection, abreast, each_tag, extra
from edge.sources.secret import SecretTable
from schemas.plant.model import Plant

_POINTER = r"^(/.*)?$"


class SecretHeader(SecretTable):
    """A header whose value is a secret, behind a *prefix* that is none."""

    prefix: str = ""


class TimeTable(Section):
    """``time``: where the source says when its values were, and how."""

    pointer: str = Field(pattern=_POINTER)
    form: Literal["iso", "s", "ms"] = Field(
        default="iso", description="ISO 8601 with its zone; seconds or milliseconds since 1970 UTC"
    )


class TagTable(TagSection):
    """``[[source.tag]]``: one value, or a range of them; ranges go abreast with path's."""

    pointer: str = Field(pattern=_POINTER, description="RFC 6901")
    time: str | None = Field(default=None, pattern=_POINTER, description="instead of the source's")
    quality: str | None = Field(default=None, pattern=_POINTER, description="of an OPC code")
    scale: float = 1.0
    offset: float = 0.0


class HttpTable(SourceSection):
    """``[[source]]`` of type http: one address, asked again and again."""

    type: Literal["http"]
    url: str = Field(pattern=r"^https?://[^/]+")
    scan_s: float = Field(default=10.0, gt=0)
    timeout_s: float = Field(default=5.0, gt=0)
    headers: dict[str, str] = Field(default_factory=dict)
    secret_headers: dict[str, SecretHeader] = Field(default_factory=dict)
    ca_file: Path | None = Field(default=None, description="whom to believe, instead of the usual")
    time: TimeTable | None = None
    tag: tuple[TagTable, ...] = ()

    def moved(self, host: str, port: int) -> Self:
        """See `edge.sources.device.SourceSection`."""
        url = urlunsplit(urlsplit(self.url)._replace(netloc=f"{host}:{port}"))
        return self.model_copy(update={"url": url})

    def resolve(self, plant: Plant, key: str) -> "HttpDevice":
        """See `edge.sources.device.SourceSection`."""
        rules: dict[str, Rule] = {}
        values: list[Value] = []
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            shared = given.time or (self.time.pointer if self.time is not None else None)
            places = [
                [None] * len(paths) if text is None else abreast(text, paths, f"{where}.{name}")
                for name, text in (("time", shared), ("quality", given.quality))
            ]
            pointers = abreast(given.pointer, paths, f"{where}.pointer")
            values += [
                Value(path, pointer, time, quality, given.scale, given.offset)
                for path, pointer, time, quality in zip(paths, pointers, *places, strict=True)
            ]
        return HttpDevice(self.device, rules, self, values)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is a tag: ``value = number * scale + offset`` [unit of the tag]."""

    path: str
    pointer: str
    time: str | None = None
    quality: str | None = None
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpDevice(Device):
    """One address with everything that is taken from it."""

    table: HttpTable
    values: Sequence[Value]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: the pointer."""
        return next(value.pointer for value in self.values if value.path == path)

    def open(self, marks: Mapping[str, int]) -> Source:  # noqa: ARG002 - nothing to go on from
        """See `edge.sources.device.Device`; also where a secret cannot be read."""
        with extra("edge-http", "http"):
            from edge.sources.http.source import HttpSource  # noqa: PLC0415 - an extra
        return HttpSource(self)
