"""Which kinds of datasource there are: whatever the installed packages name under `arcane.datasources`.

The built-in kinds come the same way as a stranger's. A package that cannot be loaded is listed with the
reason and what to do; it never takes anything else down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from arcane.catalog.form import FormField, form_of
from arcane.kit.logging import get_logger
from arcane.spi.adapter import DatasourcePlugin

log = get_logger("arcane.catalog")

GROUP = "arcane.datasources"
_OURS = "arcane"
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of datasource that was found. Without a `plugin` it cannot be used, and `reason` says why."""

    kind: str
    title: str
    summary: str = ""
    package: str = ""
    plugin: DatasourcePlugin[Any] | None = None
    fields: tuple[FormField, ...] = ()
    reason: str = ""
    hint: str = ""

    @property
    def available(self) -> bool:
        """True when datasources of this kind can be made and asked."""
        return self.plugin is not None


@dataclass(frozen=True, slots=True)
class Registry:
    """The kinds of this process, found once at start."""

    kinds: tuple[Kind, ...]
    _usable: Mapping[str, Kind] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        usable = {kind.kind: kind for kind in self.kinds if kind.available}
        object.__setattr__(self, "_usable", usable)

    @classmethod
    def load(cls, found: Iterable[EntryPoint] | None = None) -> Registry:
        """Returns the registry of `found`, by default of every installed package."""
        points = {(point.name, point.value): point for point in (entry_points(group=GROUP) if found is None else found)}
        ordered = sorted(points.values(), key=lambda point: (point.name, not _is_ours(point), point.value))
        kinds: list[Kind] = []
        for point in ordered:
            rivals = [other for other in ordered if other.name == point.name and other is not point]
            kind = _rivalled(point, rivals) or _load(point)
            if not kind.available:
                log.warning("datasource_kind_unavailable", kind=kind.kind, package=kind.package, reason=kind.reason)
            kinds.append(kind)
        return cls(tuple(kinds))

    def usable(self, kind: str) -> Kind | None:
        """Returns the kind if datasources of it can be used."""
        return self._usable.get(kind)

    def plugin(self, kind: str) -> DatasourcePlugin[Any] | None:
        """Returns the plugin of a kind that can be used."""
        usable = self._usable.get(kind)
        return usable.plugin if usable else None

    def why_not(self, kind: str) -> str:
        """Returns why `kind` cannot be used, as one sentence."""
        for known in self.kinds:
            if known.kind == kind:
                return f"the kind {kind} is not available: {known.reason}" + (f"; {known.hint}" if known.hint else "")
        return f"no installed package provides the kind {kind}"


def _load(point: EntryPoint) -> Kind:
    """A stranger's module runs here for the first time, and may do anything."""
    try:
        plugin = point.load()
        problem = _mismatch(point, plugin)
        if problem is not None:
            return _unavailable(point, problem, "its author has to export one instance of a DatasourcePlugin")
        fields = form_of(plugin.settings)
        return Kind(point.name, str(plugin.title), str(plugin.summary), _package(point), plugin, fields)
    except ModuleNotFoundError as exc:
        return _unavailable(point, f"the module {exc.name} is not installed", _install_hint(point, exc.name))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - see above
        first = next(iter(str(exc).strip().splitlines()), "")
        reason = f"{type(exc).__name__} while loading it" + (f": {first}" if first else "")
        return _unavailable(point, reason[:_LONGEST_REASON], f"reinstall or update the package {_package(point)}")


def _mismatch(point: EntryPoint, plugin: object) -> str | None:
    if not isinstance(plugin, DatasourcePlugin):
        return f"{point.value} is not a DatasourcePlugin"
    missing = [name for name in ("kind", "title", "summary", "settings") if not hasattr(plugin, name)]
    if missing:
        return f"{point.value} does not say its {' and '.join(missing)}"
    if plugin.kind != point.name:
        return f"it is registered as {point.name} and calls itself {plugin.kind}"
    if not (isinstance(plugin.settings, type) and issubclass(plugin.settings, BaseModel)):
        return f"the settings of {point.value} are not a pydantic model"
    return None


def _rivalled(point: EntryPoint, rivals: list[EntryPoint]) -> Kind | None:
    """Of two packages with the same kind the built-in one is used; without one, neither: which would be chance."""
    if not rivals or (_is_ours(point) and not any(_is_ours(rival) for rival in rivals)):
        return None
    others = ", ".join(sorted({_package(rival) for rival in rivals}))
    return _unavailable(point, f"{others} provides the kind {point.name} too", "uninstall one of the packages")


def _unavailable(point: EntryPoint, reason: str, hint: str) -> Kind:
    return Kind(point.name, point.name, package=_package(point), reason=reason, hint=hint)


def _install_hint(point: EntryPoint, module: str | None) -> str:
    extras = point.dist.metadata.get_all("Provides-Extra") if point.dist else None
    if extras and point.name in extras:
        return f"install it with: pip install '{_package(point)}[{point.name}]'"
    return f"install the package that has {module}, or reinstall {_package(point)}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module.partition(".")[0]


def _is_ours(point: EntryPoint) -> bool:
    return _package(point) == _OURS
