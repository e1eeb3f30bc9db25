"""The documents against the code: what they name exists."""

import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PROGRAMS = ("api", "benchmarks", "client", "edge", "ingest", "simulator", "standalone")
COMMAND = re.compile(rf"python -m ({'|'.join(PROGRAMS)})\b([^`\n]*)")
OPTION = re.compile(r"(?<!\w)--[a-z0-9][a-z0-9-]*")
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def name_of(document: Path) -> str:
    """The path in the repository, as the name of a test."""
    return str(document.relative_to(ROOT))


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def commands() -> Iterator[tuple[str, str, str]]:
    """Every command of ours in a document: where, which program, what follows."""
    for document in DOCUMENTS:
        for found in COMMAND.finditer(document.read_text().replace("\\\n", " ")):
            yield name_of(document), found[1], found[2]


@pytest.mark.parametrize(("document", "program", "rest"), sorted(set(commands())))
def test_command_exists(document: str, program: str, rest: str) -> None:
    """A program, its sub-command and its options are there under the names that are written."""
    found = typer.main.get_command(importlib.import_module(f"{program}.__main__").app)
    for word in rest.split():
        if not isinstance(found, typer.core.TyperGroup) or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        assert word in found.commands, f"{document}: python -m {program} has no {word}"
        found = found.commands[word]
    options = {name for given in found.params for name in (*given.opts, *given.secondary_opts)}

    assert set(OPTION.findall(rest)) <= {*options, "--help"}, document


@each_document
def test_make_targets_exist(document: Path) -> None:
    """Each ``make X`` is a target with a line of help."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`]+`", document.read_text(), re.DOTALL)
    named = set(re.findall(r"\bmake ((?:[a-z]+ ?)+)", "\n".join(code)))

    assert {target for targets in named for target in targets.split()} <= targets


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    """A link within the repository names a file that is there."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())

    for link in links:
        if "://" not in link:
            assert (document.parent / link).exists(), link


def test_tree_is_complete() -> None:
    """The README has one line for each folder, and no other."""
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - wherever it is installed
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    folders = {path.split("/")[0] for path in tracked if "/" in path}
    lines = re.findall(r"^\| `([a-z]+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert sorted(lines) == sorted(folder for folder in folders if folder[0] != ".")


def test_every_document_is_listed() -> None:
    """docs/README.md leads to every page of the folder."""
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"]

    assert pages
    assert all(f"({page.relative_to(ROOT / 'docs')})" in index for page in pages)


def test_changelog_keeps_its_form() -> None:
    """Keep a Changelog: Unreleased first, versions by number, changes of the known kinds."""
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", name) for name in versions[1:])
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= CHANGES


def test_changelog_names_the_version() -> None:
    """The newest version of the changelog is the one in pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    named = re.search(r"\d+\.\d+\.\d+", (ROOT / "CHANGELOG.md").read_text().split("## ", 1)[1])

    assert named is not None
    assert named[0] == version


def test_contributing_stays_short() -> None:
    """What everybody has to read fits a screen or two."""
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 60
