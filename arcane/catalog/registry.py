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
from arcane.model.notice import Notice
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
                return Notice(
                    "the kind %(kind)s is not available: %(why)s; %(hint)s",
                    kind=kind,
                    why=known.reason,
                    hint=known.hint,
                )
        return Notice("no installed package provides the kind %(kind)s", kind=kind)


def _load(point: EntryPoint) -> Kind:
    """A stranger's module runs here for the first time, and may do anything."""
    try:
        plugin = point.load()
        problem = _mismatch(point, plugin)
        if problem is not None:
            return _unavailable(point, problem, Notice("its author has to export one instance of a DatasourcePlugin"))
        fields = form_of(plugin.settings)
        return Kind(point.name, str(plugin.title), str(plugin.summary), _package(point), plugin, fields)
    except ModuleNotFoundError as exc:
        return _unavailable(
            point, Notice("the module %(name)s is not installed", name=exc.name), _install_hint(point, exc.name)
        )
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - see above
        first = next(iter(str(exc).strip().splitlines()), "")[:_LONGEST_REASON]
        broke = type(exc).__name__
        reason = Notice("%(error)s while loading it", error=broke)
        if first:
            reason = Notice("%(error)s while loading it: %(first)s", error=broke, first=first)
        return _unavailable(
            point, reason, Notice("reinstall or update the package %(package)s", package=_package(point))
        )


def _mismatch(point: EntryPoint, plugin: object) -> str | None:
    if not isinstance(plugin, DatasourcePlugin):
        return Notice("%(what)s is not a DatasourcePlugin", what=point.value)
    missing = [name for name in ("kind", "title", "summary", "settings") if not hasattr(plugin, name)]
    if missing:
        return Notice("%(what)s does not say its %(missing)s", what=point.value, missing=" and ".join(missing))
    if plugin.kind != point.name:
        return Notice("it is registered as %(name)s and calls itself %(kind)s", name=point.name, kind=plugin.kind)
    if not (isinstance(plugin.settings, type) and issubclass(plugin.settings, BaseModel)):
        return Notice("the settings of %(what)s are not a pydantic model", what=point.value)
    return None


def _rivalled(point: EntryPoint, rivals: list[EntryPoint]) -> Kind | None:
    """Of two packages with the same kind the built-in one is used; without one, neither: which would be chance."""
    if not rivals or (_is_ours(point) and not any(_is_ours(rival) for rival in rivals)):
        return None
    others = ", ".join(sorted({_package(rival) for rival in rivals}))
    reason = Notice("%(others)s provides the kind %(kind)s too", others=others, kind=point.name)
    return _unavailable(point, reason, Notice("uninstall one of the packages"))


def _unavailable(point: EntryPoint, reason: str, hint: str) -> Kind:
    return Kind(point.name, point.name, package=_package(point), reason=reason, hint=hint)


def _install_hint(point: EntryPoint, module: str | None) -> str:
    extras = point.dist.metadata.get_all("Provides-Extra") if point.dist else None
    if extras and point.name in extras:
        return Notice("install it with: %(command)s", command=f"pip install '{_package(point)}[{point.name}]'")
    return Notice(
        "install the package that has %(module)s, or reinstall %(package)s", module=module, package=_package(point)
    )


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module.partition(".")[0]


def _is_ours(point: EntryPoint) -> bool:
    return _package(point) == _OURS
