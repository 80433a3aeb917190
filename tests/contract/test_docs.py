"""What is written about datasources is what they do."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from arcane.spi import DatasourceError

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference" / "datasources"
BUILT_IN = ("clickhouse", "custom_api", "jaeger", "memory", "otlp_file", "tempo")


def rows(text: str, heading: str) -> list[list[str]]:
    """Returns the cells of the table below a heading, without its head."""
    below = text.split(f"## {heading}\n", 1)[1]
    lines = [line for line in below.split("\n## ", 1)[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_built_in_kind_has_a_page_and_is_listed() -> None:
    ours = {point.name for point in entry_points(group="arcane.datasources") if point.value.startswith("datasources.")}
    listed = re.findall(r"\[`(\w+)`\]\((\w+)\.md\)", (PAGES / "README.md").read_text())
    assert ours == set(BUILT_IN) == {name for name, _ in listed}
    assert all((PAGES / f"{file}.md").exists() for _, file in listed)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_page_lists_the_settings_as_they_are(kind: str) -> None:
    (point,) = entry_points(group="arcane.datasources", name=kind)
    fields = point.load().settings.model_fields
    table = rows((PAGES / f"{kind}.md").read_text(), "Settings")
    assert [row[0].strip("`") for row in table] == list(fields)
    for row, field in zip(table, fields.values(), strict=True):
        if field.description:
            assert row[1] == field.description
        default = "" if field.is_required() or str(field.default) == "" else str(field.default)
        assert row[2].strip("`") == default


def test_every_error_is_listed() -> None:
    table = rows((PAGES / "README.md").read_text(), "Errors")
    listed = {(row[0].strip("`"), row[1].strip("`")) for row in table}
    assert listed == {(kind.kind, kind.__name__) for kind in DatasourceError.__subclasses__()}


def test_the_how_to_shows_the_plugin_that_is_tested() -> None:
    text = (ROOT / "docs" / "how-to" / "write-a-datasource.md").read_text()
    package = ROOT / "tests" / "plugins" / "arcane-shelf"
    shown = re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)```$", text, re.MULTILINE | re.DOTALL)
    assert {name: code == (package / name).read_text() for name, code in shown} == dict.fromkeys(
        (
            "pyproject.toml",
            "arcane_shelf/settings.py",
            "arcane_shelf/compile.py",
            "arcane_shelf/decode.py",
            "arcane_shelf/adapter.py",
            "arcane_shelf/plugin.py",
            "tests/test_shelf.py",
        ),
        True,
    )


def test_the_page_of_tempo_names_what_it_asks() -> None:
    text = (PAGES / "tempo.md").read_text()
    for wording in ('(span.tags != "a" && span.tags != nil)', '(.a = "x" && .a != nil)', 'span:id =~ "0*…"'):
        assert f"`{wording}`" in text
