"""Attribute names and values for completion: those on the rows of the window that are read, a bounded number. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from arcane.spi import (
    AttributeName,
    AttributeQuery,
    AttributeValue,
    AttributeValueCount,
    Field,
    Scope,
    SpanKind,
    StatusCode,
)
from datasources.clickhouse.compile import SERVICE, Binds, Compiler, spellings
from datasources.clickhouse.decode import Columns
from datasources.clickhouse.layout import Kept
from datasources.clickhouse.spelling import Names, typed
from datasources.clickhouse.statements import Asking, Statement

_PLACES = {
    Scope.SPAN: "span_attributes",
    Scope.RESOURCE: "resource_attributes",
    Scope.EVENT: "event_attributes",
    Scope.LINK: "link_attributes",
}
_TEXTS = {
    "name": "name",
    "status": "status",
    "kind": "kind",
    "statusMessage": "status_message",
    "instrumentation:name": "scope_name",
    "instrumentation:version": "scope_version",
}
_OF_ROOTS = {"rootName": "name", "rootServiceName": "service"}
_WORDS = {
    "status": {spelling: one.word for one in StatusCode for spelling in spellings(one)},
    "kind": {spelling: one.word for one in SpanKind for spelling in spellings(one)},
}


def names(asking: Asking, query: AttributeQuery, rows: int) -> Statement:
    """Gives (scope, name) of attributes, at most `query.limit` a scope, in order of the name."""
    layout, bind = asking.layout, Binds()
    prefix, limit = bind(query.prefix, "String"), bind(query.limit, "UInt64")
    read = _read(asking, query, bind)
    parts = []
    for scope, place in _PLACES.items():
        column, kept = layout.attributes[place]
        if kept is Kept.NOT:
            continue
        keys = "JSONAllPaths" if kept is Kept.JSON else "mapKeys"
        in_rows = scope in (Scope.EVENT, Scope.LINK)
        every = f"arrayFlatten(arrayMap(one -> {keys}(one), a_held))" if in_rows else f"{keys}(a_held)"
        parts.append(
            f"SELECT DISTINCT '{scope.value}' AS a_scope, toString(arrayJoin({every})) AS a_name"
            f" FROM (SELECT {column} AS a_held {read} LIMIT {bind(rows, 'UInt64')})"
            f" WHERE startsWith(a_name, {prefix}) ORDER BY a_name LIMIT {limit}"
        )
    if layout.texts["service"] != "''":
        named = f"{read} AND {layout.texts['service']} != '' AND startsWith('{SERVICE}', {prefix})"
        parts.append(f"SELECT 'resource' AS a_scope, '{SERVICE}' AS a_name {named} LIMIT 1")
    sql = " UNION ALL ".join(f"SELECT * FROM ({part})" for part in parts)
    return Statement(sql, bind.values, query.limit * len(_PLACES) + 1)


def decode_names(columns: Columns, query: AttributeQuery) -> list[AttributeName]:
    """Returns the names, sorted, each scope's own."""
    found = sorted({(name, Scope(scope)) for scope, name in zip(*columns, strict=True)})
    return [AttributeName(Field(scope, name)) for name, scope in found[: query.limit]]


def values(asking: Asking, field: Field, query: AttributeQuery, rows: int) -> Statement | None:
    """Gives values of `field` as they are stored, the most frequent first; None where none are kept."""
    bind = Binds()
    compiler = Compiler(asking.layout, asking.names, bind, "1")
    found = _stored(compiler, field)
    if found is None:
        return None
    value, present = found
    prefix = bind(query.prefix, "String")
    # What is JSON, or a list, is looked at after it was read.
    begins = f"(startsWith(a_value, {prefix}) OR startsWith(a_value, '[') OR startsWith(a_value, '\"'))"
    read = f"{_read(asking, query, bind)} AND {present} LIMIT {bind(rows, 'UInt64')}"
    sql = (
        f"SELECT a_value FROM (SELECT {value} AS a_value {read})"
        f" WHERE {begins} GROUP BY a_value ORDER BY count() DESC, a_value LIMIT {bind(query.limit, 'UInt64')}"
    )
    return Statement(sql, bind.values, query.limit)


def decode_values(columns: Columns, field: Field, query: AttributeQuery, kept: Names) -> list[AttributeValueCount]:
    """Returns the values with their types; lists are flattened."""
    found: dict[AttributeValueCount, None] = {}
    for stored in columns[0] if columns else ():
        for value in _decoded(str(stored), field, kept):
            for one in _single(value):
                if str(one.value).startswith(query.prefix):
                    found[one] = None
    return list(found)[: query.limit]


def _read(asking: Asking, query: AttributeQuery, bind: Binds) -> str:
    window = asking.between(query.within.start, query.within.end, bind)
    condition = Compiler(asking.layout, asking.names, bind, window).condition(query.filter.condition)
    return f"FROM {asking.layout.source} WHERE {window} AND {condition}"


def _stored(compiler: Compiler, field: Field) -> tuple[str, str] | None:
    """Returns the expression for the value, and the condition that there is one."""
    layout, name = compiler.layout, field.name
    match field.scope:
        case Scope.SPAN:
            return _one(compiler, "span_attributes", name)
        case Scope.RESOURCE if name == SERVICE and layout.texts["service"] != "''":
            return f"toString({layout.texts['service']})", f"{layout.texts['service']} != ''"
        case Scope.RESOURCE:
            return _one(compiler, "resource_attributes", name)
        case Scope.NONE:
            (span, here), (resource, there) = (
                _one(compiler, place, name) for place in ("span_attributes", "resource_attributes")
            )
            return f"if({here}, {span}, {resource})", f"({here} OR {there})"
        case Scope.EVENT | Scope.LINK:
            return _in_rows(compiler, _PLACES[field.scope], name)
        case Scope.INTRINSIC if name in _TEXTS:
            text = layout.texts[_TEXTS[name]]
            return f"toString({text})", f"{text} != ''" if name not in _WORDS else "1"
        case Scope.INTRINSIC if name in _OF_ROOTS:
            text = layout.texts[_OF_ROOTS[name]]
            return f"toString({text})", f"{layout.is_root} AND {text} != ''"
        case Scope.INTRINSIC if name == "event:name":
            return f"toString(arrayJoin({layout.arrays['event_names']}))", "1"
    return None


def _one(compiler: Compiler, place: str, name: str) -> tuple[str, str]:
    value = compiler.attribute(place, name)
    return value.json(), value.present


def _in_rows(compiler: Compiler, place: str, name: str) -> tuple[str, str]:
    column, kept = compiler.layout.attributes[place]
    key = compiler.bind(name, "String")
    if kept is Kept.JSON:
        there = f"arrayFilter(one -> dynamicType(getSubcolumn(one, {key})) != 'None', {column})"
        return f"arrayJoin(arrayMap(one -> ifNull(toJSONString(getSubcolumn(one, {key})), ''), {there}))", "1"
    return f"arrayJoin(arrayMap(one -> one[{key}], arrayFilter(one -> mapContains(one, {key}), {column})))", "1"


def _decoded(stored: str, field: Field, kept: Names) -> Iterator[AttributeValue]:
    if field.scope is Scope.INTRINSIC:
        words = _WORDS.get(field.name)
        yield words.get(stored, next(iter(words.values()))) if words else stored
    elif stored[:1] in ('"', "["):
        try:
            yield msgspec.json.decode(stored)
        except msgspec.DecodeError:
            yield stored
    else:
        yield stored if field.name == SERVICE or kept.is_text(field.name) else typed(stored)


def _single(value: AttributeValue) -> Iterator[AttributeValueCount]:
    match value:
        case str():
            yield AttributeValueCount("string", value)
        case bool():
            yield AttributeValueCount("bool", value)
        case int():
            yield AttributeValueCount("int", value)
        case float():
            yield AttributeValueCount("float", value)
        case list():
            for one in value:
                yield from _single(one)
