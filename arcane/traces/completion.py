"""Attribute names and values for completion, within what the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.access.scope import ProjectScope
from arcane.federation.asking import Asking
from arcane.federation.attributes import attribute_names, attribute_values
from arcane.model.time import TimeRange
from arcane.redaction.visibility import is_hidden
from arcane.spi.scan import AttributeQuery, AttributeValueCount
from arcane.traceql.ast import Field, Literal, LiteralType, SpansetFilter
from arcane.traceql.errors import TraceqlError
from arcane.traceql.format import format_expr, format_field
from arcane.traceql.parse import parse
from arcane.traces.problems import BadField
from arcane.traces.questions import AttributeRequest, CountedValue, NamedAttribute, NamesAnswer, ValuesAnswer
from arcane.traces.reading import refuse_hidden, scope_condition

_LITERALS = {
    "string": LiteralType.STRING,
    "int": LiteralType.INT,
    "float": LiteralType.FLOAT,
    "bool": LiteralType.BOOL,
    "duration": LiteralType.DURATION,
}


@dataclass(frozen=True, slots=True)
class Completion:
    """Asks some datasources for what exists in a range, in the scope of one caller."""

    askings: Sequence[Asking]
    scope: ProjectScope
    within: TimeRange

    async def names(self, request: AttributeRequest) -> NamesAnswer:
        """Returns names; those whose values are hidden are named and marked."""
        found = await attribute_names(self.askings, self._query(request))
        hidden = self.scope.hidden_attributes
        items = tuple(
            NamedAttribute(format_field(field), str(field.scope), field.name, is_hidden(field, hidden))
            for field in found.items
            if request.scope is None or field.scope == request.scope
        )
        return NamesAnswer(items, found.outcome.complete and not found.cut, found.outcome.sources)

    async def values(self, name: str, request: AttributeRequest) -> ValuesAnswer:
        """Returns values; raises BadField, or HiddenAttribute: a list of them would tell them."""
        field = parse_field(name)
        refuse_hidden((field,), self.scope.hidden_attributes)
        found = await attribute_values(self.askings, field, self._query(request))
        items = tuple(_counted(value) for value in found.items)
        return ValuesAnswer(format_field(field), items, found.outcome.complete and not found.cut, found.outcome.sources)

    def _query(self, request: AttributeRequest) -> AttributeQuery:
        scope = SpansetFilter(scope_condition(self.scope.trace_filter))
        return AttributeQuery(self.within, request.limit, request.prefix, scope)


def parse_field(text: str) -> Field:
    """Returns the field that `text` names, as a query writes it: `span.a`, `.a`, `status`; raises BadField."""
    try:
        query = parse(f"{{ {text} }}").filter
    except TraceqlError:
        query = None
    if query is None or not isinstance(query.condition, Field):
        raise BadField("an attribute is written as in a query: span.http.method, resource.service.name, .a, status")
    return query.condition


def _counted(value: AttributeValueCount) -> CountedValue:
    """Returns a value with its spelling; keywords such as `error` stand as they are."""
    kind = _LITERALS.get(value.type)
    literal = str(value.value) if kind is None else format_expr(Literal(kind, value.value))
    return CountedValue(value.type, value.value, literal, value.count)
