"""What a hit shows of its spans: only these columns are read, and of attributes only those that were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.spi import Field, ScanRequest, Scope, mentioned_fields
from datasources.clickhouse.compile import Binds
from datasources.clickhouse.layout import Kept, Layout

_TEXTS = {
    "kind": "kind",
    "statusMessage": "status_message",
    "span:parentID": "parent_span_id",
    "instrumentation:name": "scope_name",
    "instrumentation:version": "scope_version",
}
EVENTS = ("event_times", "event_names", "event_attributes")
LINKS = ("link_trace_ids", "link_span_ids", "link_attributes")


@dataclass(frozen=True, slots=True)
class Shown:
    """Fields to read of a matched span: names of attributes, and other fields by their name in the layout."""

    span: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: ScanRequest) -> Shown:
        """Returns what the filter mentions and what is selected."""
        wanted = tuple(dict.fromkeys((*mentioned_fields(request.filter), *request.select)))
        texts = [_TEXTS[one.name] for one in wanted if one.scope is Scope.INTRINSIC and one.name in _TEXTS]
        events = EVENTS if any(_is_about(one, Scope.EVENT) for one in wanted) else ()
        links = LINKS if any(_is_about(one, Scope.LINK) for one in wanted) else ()
        return cls(_names(wanted, Scope.SPAN), _names(wanted, Scope.RESOURCE), (*texts, *events, *links))

    def columns(self, layout: Layout, bind: Binds) -> list[str]:
        """Returns the SQL of what is read: attributes of the span, of the resource, then the fields, in order."""
        found = []
        for place, names in (("span_attributes", self.span), ("resource_attributes", self.resource)):
            if names:
                found.append(_attributes(layout.attributes[place], names, bind))
        for name in self.fields:
            if name in layout.texts:
                found.append(f"toString({layout.texts[name]})")
            else:
                found.append(layout.arrays[name] if name in layout.arrays else layout.attributes[name][0])
        return found


def _attributes(place: tuple[str, Kept], names: Sequence[str], bind: Binds) -> str:
    column, kept = place
    if kept is Kept.JSON:
        values = [f"getSubcolumn({column}, {bind(name, 'String')})" for name in names]
        return f"[{', '.join(values)}]"
    return f"mapFilter((k, v) -> has({bind(list(names), 'Array(String)')}, k), {column})"


def _names(wanted: Sequence[Field], scope: Scope) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in wanted if one.scope in (scope, Scope.NONE)))


def _is_about(field: Field, scope: Scope) -> bool:
    return field.scope is scope or (field.scope is Scope.INTRINSIC and field.name.startswith(f"{scope.value}:"))
