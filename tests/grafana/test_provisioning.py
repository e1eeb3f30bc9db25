"""What is provisioned, and what docs/grafana/README.md promises of the views."""

import re
from typing import Final

import psycopg
import yaml

from schemas.db.engine import connect
from tests.grafana.dashboard import DOCS, FILES, load, variables

README: Final = (DOCS / "README.md").read_text()
PROVISIONED: Final = DOCS / "provisioning"


def test_the_data_source_is_the_kind_that_the_dashboards_choose_from() -> None:
    """Its secrets come from the environment, by names that the README tells."""
    text = (PROVISIONED / "datasources" / "ertis.yaml").read_text()
    (source,) = yaml.safe_load(text)["datasources"]

    assert {variables(load(file))["database"]["query"] for file in FILES} == {source["type"]}
    assert source["secureJsonData"] == {"password": "${ERTIS_REPORT_PASSWORD}"}
    assert source["user"] in README
    assert all(name in README for name in re.findall(r"\$\{(\w+)\}", text))


def test_the_dashboards_are_found_where_the_readme_puts_them() -> None:
    """The folder of the provider is the one that the dashboards go to."""
    (provider,) = yaml.safe_load((PROVISIONED / "dashboards" / "ertis.yaml").read_text())[
        "providers"
    ]

    assert provider["type"] == "file"
    assert f"`{provider['options']['path']}`" in README


def columns_of(connection: psycopg.Connection) -> dict[str, list[str]]:
    """The columns of each view of the schema, in order."""
    found: dict[str, list[str]] = {}
    for view, column in connection.execute(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_schema = 'reporting' ORDER BY table_name, ordinal_position"""
    ):
        found.setdefault(view, []).append(column)
    return found


def test_every_column_is_told_of(database: str) -> None:
    """The README's table has each view with its columns, in their order."""
    told: dict[str, list[str]] = {}
    for views, _, columns in re.findall(r"^\| (`.*?`) \| (.*?) \| (.*?) \|$", README, re.MULTILINE):
        for view in re.findall(r"`(\w+)`", views):
            told[view] = re.findall(r"`(\w+)`", columns)
    with connect(database) as connection:
        found = columns_of(connection)

    assert told == found


def test_every_view_has_its_comment(database: str) -> None:
    """What psql shows beside its name."""
    with connect(database) as connection:
        bare = connection.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace
               AND obj_description(oid) IS NULL"""
        ).fetchall()

    assert bare == []
