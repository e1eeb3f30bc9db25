"""docker-compose.yml against the code: there is no Docker engine where the tests run."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import ApiSettings
from ingest.settings import IngestSettings
from schemas.settings import MqttSettings
from tests.fixtures.commands import parse

ROOT = Path(__file__).parents[2]
#: ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``; ``$$`` is a plain dollar.
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")
LIBPQ = {"PGHOST", "PGDATABASE", "PGUSER", "PGPASSWORD"}
SECRET = re.compile("PASSWORD|KEY|TOKEN|SECRET")

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: Mapping[str, Any] = yaml.safe_load(TEXT)
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "ertis"]


def filled(text: str) -> str:
    """The text as Compose reads it where the environment is empty."""
    return VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "given", text)


def test_the_park_is_complete() -> None:
    """Every part of the way is there, and the simulator only when asked for."""
    assert {"broker", "database", "migrate", "ingest", "api"} < SERVICES.keys()
    optional = {name for name, service in SERVICES.items() if service.get("profiles")}
    assert optional == {"simulator", "ingest-standby", "ingest-2", "ingest-2-standby"}


def test_two_shards_with_a_standby_each() -> None:
    """A standby is the same as its leader; shards share no host id, no group and not the lane."""
    first, second = (SERVICES[name]["environment"] for name in ("ingest", "ingest-2"))

    for name in ("ingest", "ingest-2"):
        standby = SERVICES[f"{name}-standby"]
        assert standby["profiles"] == ["shards"]
        for part in ("environment", "command", "image"):
            assert standby[part] == SERVICES[name][part]
    assert first["INGEST_HOST_ID"] != second["INGEST_HOST_ID"]
    assert filled(first["INGEST_GROUPS"]) != filled(second["INGEST_GROUPS"])
    assert second["INGEST_LANE"] == "false"
    assert "INGEST_LANE" not in first


@pytest.mark.parametrize("name", OURS)
def test_command_is_understood(name: str) -> None:
    """Each of our containers starts a command that its program parses."""
    parse(filled(SERVICES[name]["command"]))


@pytest.mark.parametrize("name", OURS)
def test_environment_is_read_by_somebody(name: str) -> None:
    """A variable that no settings class reads would be a setting that does nothing."""
    read = {
        f"{settings.model_config['env_prefix']}{field.upper()}"
        for settings in (ApiSettings, IngestSettings, MqttSettings)
        for field in settings.model_fields
    }

    assert SERVICES[name].get("environment", {}).keys() <= read | LIBPQ


def test_health_is_asked_where_it_is_told() -> None:
    """Each health check of ours asks the port that the service listens on.

    The API for its readiness; ingest for its life, since a standby is well but not ready.
    """
    ports = {"ingest": SERVICES["ingest"]["environment"]["INGEST_METRICS_PORT"], "api": 8000}
    pages = {"ingest": "live", "api": "ready"}
    for name, port in ports.items():
        *python, text = SERVICES[name]["healthcheck"]["test"]

        assert python == ["CMD", "python", "-c"]
        assert f"urlopen('http://127.0.0.1:{port}/health/{pages[name]}')" in text


def test_secrets_have_no_default() -> None:
    """A password comes from outside, and its lack stops the start with a word on what to do."""
    secrets = [found for found in VARIABLE.finditer(TEXT) if SECRET.search(found[1])]

    assert secrets
    assert all(found[2] == "?" and "example.env" in found[3] for found in secrets)


def test_every_variable_is_in_the_example() -> None:
    """deploy/example.env lists what can be set, with the defaults that hold."""
    example = (ROOT / "deploy/example.env").read_text()
    listed = dict(re.findall(r"^#?([A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    used = {found[1]: found for found in VARIABLE.finditer(TEXT)}

    assert listed.keys() == used.keys()
    for name, found in used.items():
        if found[2] == "-" and not name.startswith("POTLINE_1_PLC"):
            assert listed[name] == found[3]


def test_dependencies_exist_and_can_be_waited_for() -> None:
    """What is waited for until healthy has a check of its health."""
    for service in SERVICES.values():
        for name, condition in service.get("depends_on", {}).items():
            needed = SERVICES[name]
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in needed
            else:
                assert str(needed["restart"]).startswith("on-failure")


def test_mounted_files_exist() -> None:
    """A missing file would be mounted as an empty directory."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source[0] == "." else source in COMPOSE["volumes"]


def test_only_loopback_is_published() -> None:
    """Nothing is open to the network unless somebody says so."""
    published = [filled(port) for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def dockerfile() -> Iterator[tuple[str, str]]:
    """The instructions of the Dockerfile: word and arguments."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, arguments = line.partition(" ")
            yield word, arguments


def test_image_holds_what_the_commands_need() -> None:
    """The build context lets through every package that a container starts, and the plants."""
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    started = {SERVICES[name]["command"].split()[2] for name in OURS}

    assert all((ROOT / path).exists() for path in allowed)
    assert started | {"schemas", "kpi", "plants", "pyproject.toml", "README.md"} <= allowed


def test_image_runs_without_root() -> None:
    """The last user of the image is not root, and its volume is that user's."""
    instructions = list(dockerfile())
    users = [arguments for word, arguments in instructions if word == "USER"]

    assert users == ["ertis"]
    assert any("--owner ertis /var/lib/ertis" in arguments for _, arguments in instructions)


def test_image_installs_extras_that_exist() -> None:
    """The default extras are those of pyproject.toml, and enough for every container."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    named = next(
        arguments.removeprefix("EXTRAS=").split(",")
        for word, arguments in dockerfile()
        if word == "ARG" and arguments.startswith("EXTRAS=")
    )

    assert set(named) <= extras.keys()
    assert {"edge", "ingest", "api"} <= set(named)
