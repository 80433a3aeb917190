from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from arcane.catalog.registry import GROUP, Registry
from tests.support.plugins import PROBE

PLUGINS = "tests.support.plugins"


class Package(Distribution):
    """An installed package, as far as the registry looks."""

    def __init__(self, name: str, *extras: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n" + "".join(
            f"Provides-Extra: {extra}\n" for extra in extras
        )

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


def point(name: str, value: str, package: str = "somebodys-plugin", *extras: str) -> EntryPoint:
    found = EntryPoint(name, value, GROUP)
    return found._for(Package(package, *extras))  # type: ignore[attr-defined]


def test_a_plugin_is_found_by_its_entry_point() -> None:
    registry = Registry.load([point("probe", f"{PLUGINS}:PROBE")])
    assert registry.plugin("probe") is PROBE
    (kind,) = registry.kinds
    assert (kind.available, kind.title, kind.package) == (True, "Probe", "somebodys-plugin")
    assert [field.name for field in kind.fields][:2] == ["url", "tenant"]


@pytest.mark.parametrize(
    ("name", "value", "reason", "hint"),
    [
        ("absent", "no_such_driver.plugin:PLUGIN", "the module no_such_driver is not installed", "install the package"),
        (
            "breaks",
            "tests.support.plugin_that_breaks:PLUGIN",
            "RuntimeError while loading it: the licence file",
            "reinstall",
        ),
        ("missing", f"{PLUGINS}:NO_SUCH_NAME", "AttributeError while loading it", "reinstall"),
        ("object", f"{PLUGINS}:NOT_A_PLUGIN", "is not a DatasourcePlugin", "one instance"),
        ("class", f"{PLUGINS}:ProbePlugin", "is not a DatasourcePlugin", "one instance"),
        ("other", f"{PLUGINS}:PROBE", "registered as other and calls itself probe", "one instance"),
        ("nameless", f"{PLUGINS}:NAMELESS", "not a pydantic model", "one instance"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_listed_with_the_reason(name: str, value: str, reason: str, hint: str) -> None:
    registry = Registry.load([point(name, value), point("probe", f"{PLUGINS}:PROBE")])
    kind = next(kind for kind in registry.kinds if kind.kind == name)
    assert not kind.available
    assert reason in kind.reason
    assert "\n" not in kind.reason
    assert hint in kind.hint
    assert registry.plugin(name) is None
    assert reason in registry.why_not(name)
    assert registry.plugin("probe") is PROBE


def test_a_missing_extra_is_named() -> None:
    registry = Registry.load([point("probe", "no_such_driver:PLUGIN", "arcane", "probe", "kafka")])
    assert registry.kinds[0].hint == "install it with: pip install 'arcane[probe]'"


def test_of_two_strangers_with_one_kind_neither_is_used() -> None:
    registry = Registry.load(
        [point("probe", f"{PLUGINS}:PROBE", "one"), point("probe", f"{PLUGINS}:ProbePlugin", "two")]
    )
    assert registry.plugin("probe") is None
    assert {kind.reason for kind in registry.kinds} == {
        "one provides the kind probe too",
        "two provides the kind probe too",
    }


def test_a_stranger_does_not_replace_a_built_in_kind() -> None:
    registry = Registry.load(
        [point("probe", f"{PLUGINS}:ProbePlugin", "aardvark"), point("probe", f"{PLUGINS}:PROBE", "arcane")]
    )
    assert registry.plugin("probe") is PROBE
    assert [kind.available for kind in registry.kinds] == [True, False]


def test_an_unknown_kind_says_so() -> None:
    assert Registry.load([]).why_not("jaeger") == "no installed package provides the kind jaeger"


def test_the_installed_packages_are_found() -> None:
    found = {kind.kind: kind for kind in Registry.load().kinds}
    assert {"memory", "otlp_file", "tempo"} <= set(found)
    assert found["memory"].available
    assert found["memory"].package == "arcane"
