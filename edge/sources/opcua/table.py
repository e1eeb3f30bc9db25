"""``[[source]]`` of type opcua: one OPC UA server, and the nodes that are tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, model_validator

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import Device, Section, SourceSection, TagSection, abreast, each_tag, extra
from edge.sources.secret import SecretTable
from schemas.errors import ConfigError
from schemas.plant.model import Plant, Tag
from schemas.reading import Interpolation

#: A namespace by index or, better, by URI: a server may number them anew when it restarts.
_NODE = r"^(ns=\d+;|nsu=[^;]+;)?(i=(\d|\{)[^;]*|[sgb]=.+)$"


class Policy(StrEnum):
    """Security policies of OPC UA Part 7 that are not deprecated, and none at all."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES128 = "Aes128_Sha256_RsaOaep"
    AES256 = "Aes256_Sha256_RsaPss"


class SecurityTable(Section):
    """``security``: how messages are signed and encrypted, and whom to believe.

    The server's certificate is given, not taken from the server: who encrypts for an unknown
    server is open to whoever stands in between.
    """

    policy: Policy
    mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretTable | None = None
    server_certificate_file: Path | None = None

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        files = (self.certificate_file, self.key_file, self.server_certificate_file)
        if self.policy is not Policy.NONE and None in files:
            raise ValueError(
                f"{self.policy} needs certificate_file, key_file and server_certificate_file"
            )
        return self


class UserTable(Section):
    """``user``: a name with its password, or a certificate with its key; anonymous if absent."""

    name: str | None = None
    password: SecretTable | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        by_name = self.name is not None and self.password is not None
        by_certificate = self.certificate_file is not None and self.key_file is not None
        given = sum(part is not None for part in (self.name, self.password))
        files = sum(part is not None for part in (self.certificate_file, self.key_file))
        if by_name is by_certificate or (given and files):
            raise ValueError("give name and password, or certificate_file and key_file")
        return self


class TagTable(TagSection):
    """``[[source.tag]]``: one node, or a range of them."""

    node: str = Field(pattern=_NODE, description="node id; its ranges go abreast with path's")
    scale: float = 1.0
    offset: float = 0.0
    deadband_percent: float | None = Field(
        default=None, gt=0, le=100, description="on the server, of the node's EURange [%]"
    )

    def deadband_of(self, tag: Tag, key: str) -> float:
        """See `edge.sources.device.TagSection`; percent are the server's, but of a linear tag."""
        if self.deadband_percent is not None and tag.interpolation is not Interpolation.LINEAR:
            return tag.deadband
        return super().deadband_of(tag, key)


class OpcUaTable(SourceSection):
    """``[[source]]`` of type opcua: one server, subscribed to."""

    type: Literal["opcua"]
    url: str = Field(pattern=r"^opc\.tcp://[^/@]+")
    publish_s: float = Field(default=1.0, gt=0, description="time between two messages [s]")
    sampling_s: float | None = Field(
        default=None, ge=0, description="time between two looks of the server [s]; publish_s"
    )
    keep_alive_s: float = Field(
        default=10.0, gt=0, description="the server says at least this often that it lives [s]"
    )
    timeout_s: float = Field(default=4.0, gt=0)
    security: SecurityTable = SecurityTable(policy=Policy.NONE)
    user: UserTable | None = None
    tag: tuple[TagTable, ...] = ()

    def moved(self, host: str, port: int) -> Self:
        """See `edge.sources.device.SourceSection`."""
        url = urlunsplit(urlsplit(self.url)._replace(netloc=f"{host}:{port}"))
        return self.model_copy(update={"url": url})

    def resolve(self, plant: Plant, key: str) -> "OpcUaDevice":
        """See `edge.sources.device.SourceSection`."""
        rules: dict[str, Rule] = {}
        items: list[Item] = []
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            if given.scale == 0:
                raise ConfigError(f"{where}.scale", 0, "every value would be the offset")
            nodes = abreast(given.node, paths, f"{where}.node")
            items += [
                Item(path, node, given.scale, given.offset, _deadband(rules[path], given))
                for path, node in zip(paths, nodes, strict=True)
            ]
        return OpcUaDevice(self.device, rules, self, items)


@dataclass(frozen=True, slots=True)
class Deadband:
    """What the server is asked to withhold: in units of the node, or in per cent of its range."""

    value: float
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A node that is a tag: ``value = number * scale + offset`` [unit of the tag]."""

    path: str
    node: str
    scale: float = 1.0
    offset: float = 0.0
    deadband: Deadband | None = None


@dataclass(frozen=True, slots=True)
class OpcUaDevice(Device):
    """One server with everything that is subscribed to."""

    table: OpcUaTable
    items: Sequence[Item]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: the node id."""
        return next(item.node for item in self.items if item.path == path)

    def open(self, marks: Mapping[str, int]) -> Source:  # noqa: ARG002 - nothing to go on from
        """See `edge.sources.device.Device`."""
        with extra("edge-opcua", "opcua"):
            from edge.sources.opcua.source import OpcUaSource  # noqa: PLC0415 - an extra
        return OpcUaSource(self)


def _deadband(rule: Rule, given: TagTable) -> Deadband | None:
    """What the server may withhold; of a linear tag nothing, for its line needs the corners."""
    if rule.linear:
        return None
    if given.deadband_percent is not None:
        return Deadband(given.deadband_percent, percent=True)
    if rule.deadband == 0:
        return None
    return Deadband(rule.deadband / abs(given.scale))
