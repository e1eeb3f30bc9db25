"""The tree of errors, and the help after an unknown word."""

import inspect

import pytest

from schemas import errors
from schemas.errors import ConfigError, ErtisError, nearest
from schemas.process import ExitCode, exit_code


def drawn_tree() -> list[tuple[int, str]]:
    """Depth and name of each class in the module's picture."""
    lines = [line for line in inspect.getdoc(errors).splitlines() if "──" in line]  # type: ignore[union-attr] # it has one
    return [(line.index("──") // 4, line.split("── ")[1].split()[0]) for line in lines]


def test_the_drawn_tree_is_the_tree() -> None:
    """Every class stands in the picture below its real parent, and none is missing."""
    parents = [ErtisError]
    for depth, name in drawn_tree():
        found = getattr(errors, name)
        parents[depth:] = [found]

        assert found.__bases__ == (parents[depth - 1],)

    defined = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, ErtisError)
    }
    assert {name for _, name in drawn_tree()} | {"ErtisError"} == defined


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("port", 0, "1 to 65535"), ExitCode.CONFIG),
        (errors.PlantError("unit", "?", "a unit"), ExitCode.CONFIG),
        (errors.DatabaseDown("gone"), ExitCode.UNAVAILABLE),
        (errors.StorageFull("full"), ExitCode.UNAVAILABLE),
        (errors.PayloadError("what"), ExitCode.FAILED),
        (errors.SessionError("how"), ExitCode.FAILED),
    ],
)
def test_exit_codes_tell_a_supervisor_whether_to_try_again(
    error: ErtisError, code: ExitCode
) -> None:
    """2: the operator must act; 69: it may pass; 1: neither."""
    assert exit_code(error) is code


def test_a_config_error_says_key_value_and_what_would_be_right() -> None:
    """All three are in the message, and at hand for a caller."""
    error = ConfigError("MQTT_PORT", 99999, "1 to 65535")

    assert str(error) == "MQTT_PORT: found 99999; 1 to 65535"
    assert (error.key, error.found, error.right) == ("MQTT_PORT", 99999, "1 to 65535")


@pytest.mark.parametrize(
    ("word", "words", "said"),
    [
        ("voltag", ["voltage", "current"], "did you mean 'voltage'?"),
        ("xyz", ["voltage", "current"], "known here: current, voltage"),
        ("xyz", [], "none is known here"),
        ("xyz", [f"tag-{i}" for i in range(500)], "none of the 500 known ones is near"),
    ],
)
def test_the_nearest_word(word: str, words: list[str], said: str) -> None:
    """A near one, else all of a few, else how many there are: never a wall of names."""
    assert nearest(word, words) == said
