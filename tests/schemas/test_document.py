"""Errors of a TOML document that a person can act on."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from schemas.document import parse_document, read_document
from schemas.errors import ConfigError, PlantError


class Inner(BaseModel):
    """A table of the document."""

    model_config = ConfigDict(extra="forbid")

    address: int = Field(ge=0)
    stride: int = 1


class Document(BaseModel):
    """The document."""

    model_config = ConfigDict(extra="forbid")

    title: str
    source: list[Inner] = []
    clock: Inner | None = None
    named: dict[str, Inner] = {}


def fault(text: str) -> str:
    """What the reader says about *text*."""
    with pytest.raises(ConfigError) as caught:
        parse_document(text, Document, "edge.toml")
    return str(caught.value)


def test_a_good_document_is_read(tmp_path: Path) -> None:
    """From a file, in UTF-8."""
    path = tmp_path / "good.toml"
    path.write_text('title = "Электролиз"\n[[source]]\naddress = 3\n', encoding="utf-8")
    read = read_document(path, Document)

    assert read == Document(title="Электролиз", source=[Inner(address=3)])


@pytest.mark.parametrize(
    ("text", "key", "help_"),
    [
        ('titel = "x"\ntitle = "x"', "titel", "did you mean 'title'?"),
        ('title = "x"\n[[source]]\naddress = 1\nstrid = 2', "source.0.strid", "'stride'"),
        ('title = "x"\n[[source]]\nadress = 1', "source.0.adress", "'address'"),
        ('title = "x"\n[clock]\naddress = 1\nadress = 2', "clock.adress", "'address'"),
        ('title = "x"\n[named.a]\naddress = 1\nadress = 2', "named.a.adress", "unknown key"),
    ],
    ids=[
        "top",
        "in a list",
        "in place of a required key",
        "in an optional table",
        "in a named table",
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(text: str, key: str, help_: str) -> None:
    """The message has the path of the key and what may have been meant."""
    said = fault(text)

    assert said.startswith(f"edge.toml: {key}: ")
    assert help_ in said


def test_a_wrong_value_is_shown(tmp_path: Path) -> None:
    """Key, value and the bound that it breaks."""
    said = fault('title = "x"\n[[source]]\naddress = -5')

    assert (
        said == "edge.toml: source.0.address: found -5; Input should be greater than or equal to 0"
    )


def test_a_missing_key_is_named() -> None:
    """The path of what is not there."""
    assert fault("") == "edge.toml: title: found None; Field required"


def test_text_that_is_not_toml_gives_the_place() -> None:
    """Line and column, as the parser knows them."""
    assert "line 2" in fault('title = "x"\n= 3')


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path and the system's reason; in the subclass that the caller asked for."""
    with pytest.raises(PlantError, match=r"absent\.toml.*No such file"):
        read_document(tmp_path / "absent.toml", Document, PlantError)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are the operator's error too, not a traceback."""
    path = tmp_path / "latin.toml"
    path.write_bytes(b'title = "\xff"')
    with pytest.raises(ConfigError, match=r"latin\.toml.*UTF-8"):
        read_document(path, Document)
