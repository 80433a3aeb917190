"""The fields every span has without anybody setting an attribute: names, spellings and types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from arcane.traceql.ast import Field, LiteralType, Position, Scope


class Level(StrEnum):
    """What has to be known to read an intrinsic."""

    SPAN = "span"
    TRACE = "trace"  # all spans of the trace
    EVENT = "event"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """One intrinsic. `name` is canonical, `spellings` are what else a query may write for it."""

    name: str
    type: LiteralType
    level: Level = Level.SPAN
    spellings: tuple[str, ...] = ()
    is_id: bool = False


_STRING, _INT, _DURATION = LiteralType.STRING, LiteralType.INT, LiteralType.DURATION

ALL: tuple[Intrinsic, ...] = (
    Intrinsic("name", _STRING, spellings=("span:name",)),
    Intrinsic("duration", _DURATION, spellings=("span:duration",)),
    Intrinsic("status", LiteralType.STATUS, spellings=("span:status",)),
    Intrinsic("statusMessage", _STRING, spellings=("span:statusMessage",)),
    Intrinsic("kind", LiteralType.KIND, spellings=("span:kind",)),
    Intrinsic("span:id", _STRING, is_id=True),
    Intrinsic("span:parentID", _STRING, is_id=True),
    Intrinsic("span:childCount", _INT, Level.TRACE, spellings=("childCount",)),
    Intrinsic("traceDuration", _DURATION, Level.TRACE, spellings=("trace:duration",)),
    Intrinsic("rootName", _STRING, Level.TRACE, spellings=("trace:rootName",)),
    Intrinsic("rootServiceName", _STRING, Level.TRACE, spellings=("trace:rootService",)),
    Intrinsic("trace:id", _STRING, is_id=True),
    Intrinsic("event:name", _STRING, Level.EVENT),
    Intrinsic("event:timeSinceStart", _DURATION, Level.EVENT),
    Intrinsic("link:traceID", _STRING, Level.LINK, is_id=True),
    Intrinsic("link:spanID", _STRING, Level.LINK, is_id=True),
    Intrinsic("instrumentation:name", _STRING),
    Intrinsic("instrumentation:version", _STRING),
    Intrinsic("nestedSetLeft", _INT, Level.TRACE),
    Intrinsic("nestedSetRight", _INT, Level.TRACE),
    Intrinsic("nestedSetParent", _INT, Level.TRACE),
)

PARENT = "parent"
"""Reserved by TraceQL as an intrinsic and as a scope; nobody implements it."""

BY_NAME: Mapping[str, Intrinsic] = MappingProxyType({one.name: one for one in ALL})
"""Canonical name -> intrinsic."""

BY_SPELLING: Mapping[str, Intrinsic] = MappingProxyType(
    {spelling: one for one in ALL for spelling in (one.name, *one.spellings)}
)
"""Every accepted spelling -> intrinsic."""


def field_of(spelling: str, position: Position | None = None) -> Field | None:
    """Returns the intrinsic that `spelling` names, `span:status` and `status` alike, or None."""
    if spelling == PARENT:
        return Field(Scope.INTRINSIC, PARENT, position)
    found = BY_SPELLING.get(spelling)
    return Field(Scope.INTRINSIC, found.name, position) if found else None


def level_of(field: Field) -> Level:
    """Returns what has to be known to read `field`, an attribute or an intrinsic."""
    if field.scope is Scope.EVENT:
        return Level.EVENT
    if field.scope is Scope.LINK:
        return Level.LINK
    known = BY_NAME.get(field.name) if field.scope is Scope.INTRINSIC else None
    return known.level if known else Level.SPAN


def type_of(field: Field) -> LiteralType | None:
    """Returns the type that `field` always has, or None for an attribute: those have any."""
    known = BY_NAME.get(field.name) if field.scope is Scope.INTRINSIC else None
    return known.type if known else None


def is_id(field: Field) -> bool:
    """True for the intrinsics that hold a trace or span id."""
    known = BY_NAME.get(field.name) if field.scope is Scope.INTRINSIC else None
    return known is not None and known.is_id
