"""Filters as SQL conditions over the rows of spans. Pure.

Every value travels as a server-side parameter, names of attributes too: nothing of a query is ever part of
the SQL text. The conditions mean what Arcane's evaluation means, so nearly all rules are exact:

- A missing attribute compares false, and only `= nil` is true of it.
- What a condition says of events has to hold of one event, so the whole condition is asked of each; of a
  span without events it is asked with nothing in the event's place. Links likewise.
- What it says of the trace is a question of its own: which traces are so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from arcane.spi import (
    COMPARISONS,
    Binary,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    PushRule,
    Scope,
    SpanKind,
    StatusCode,
    Unary,
    Unsupported,
)
from datasources.clickhouse.layout import Kept, Layout
from datasources.clickhouse.spelling import Names
from datasources.clickhouse.values import (
    NUMERIC,
    SQL_OPS,
    Kinds,
    Spelled,
    Typed,
    compare,
    number_literal,
    plain_text,
)

SERVICE = "service.name"
_TEXT_OPS = COMPARISONS
_ORDER_OPS = COMPARISONS - {Op.MATCH, Op.NOT_MATCH}
_SAME_OPS = frozenset({Op.EQ, Op.NE})
_STRING, _NIL, _BOOL = (frozenset({one}) for one in (LiteralType.STRING, LiteralType.NIL, LiteralType.BOOL))
_INTRINSIC = frozenset({Scope.INTRINSIC})
_ATTRIBUTES = frozenset({Scope.SPAN, Scope.RESOURCE, Scope.NONE, Scope.EVENT, Scope.LINK, Scope.INSTRUMENTATION})
_SPAN_TEXTS = {
    "name": "name",
    "statusMessage": "status_message",
    "instrumentation:name": "scope_name",
    "instrumentation:version": "scope_version",
}
_SPAN_IDS = {"span:id": ("span_id", 16), "span:parentID": ("parent_span_id", 16), "trace:id": ("trace_id", 32)}
_TRACE_TEXTS = {"rootName": "name", "rootServiceName": "service"}

PUSH: tuple[PushRule, ...] = (
    PushRule(_ATTRIBUTES, _TEXT_OPS, _STRING),
    PushRule(_ATTRIBUTES, _ORDER_OPS, NUMERIC),
    PushRule(_ATTRIBUTES, _SAME_OPS, _BOOL | _NIL),
    PushRule(_INTRINSIC, _TEXT_OPS, _STRING, frozenset({*_SPAN_TEXTS, *_TRACE_TEXTS, "event:name"})),
    PushRule(_INTRINSIC, _ORDER_OPS, NUMERIC, frozenset({"duration", "traceDuration", "event:timeSinceStart"})),
    PushRule(_INTRINSIC, _ORDER_OPS, frozenset({LiteralType.STATUS}), frozenset({"status"})),
    PushRule(_INTRINSIC, _ORDER_OPS, frozenset({LiteralType.KIND}), frozenset({"kind"})),
    PushRule(_INTRINSIC, _SAME_OPS, _STRING, frozenset({*_SPAN_IDS, "link:traceID", "link:spanID"})),
    PushRule(_INTRINSIC, frozenset({Op.LT}), frozenset({LiteralType.INT}), frozenset({"nestedSetParent"}), exact=False),
)
"""What ClickHouse is asked; all but the numbers of a nested set is Arcane's answer."""

_HOLDS = {
    Op.EQ: lambda one, other: one == other,
    Op.NE: lambda one, other: one != other,
    Op.LT: lambda one, other: one < other,
    Op.LE: lambda one, other: one <= other,
    Op.GT: lambda one, other: one > other,
    Op.GE: lambda one, other: one >= other,
}


@dataclass(slots=True)
class Binds:
    """The parameters of a statement: `p0`, `p1`, ... Equal values share one."""

    values: dict[str, object] = field(default_factory=dict)
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, value: object, kind: str) -> str:
        """Returns the placeholder of a parameter with that value."""
        key = (kind, repr(value))
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = f"p{len(self._known)}"
            self.values[name] = value
        return f"{{{name}:{kind}}}"


@dataclass(frozen=True, slots=True)
class _At:
    """What is at hand where a comparison stands: inside of a test of one event (or link), or none."""

    event: bool = False
    link: bool = False


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes the SQL of filters over one layout. `window` is the condition that bounds the rows in time."""

    layout: Layout
    names: Names
    bind: Binds
    window: str

    def condition(self, expr: Expr | None) -> str:
        """Returns the condition, 1 or 0 for every row; raises Unsupported for what no rule covers."""
        parts = _run(Op.AND, expr) if expr is not None else []
        return " AND ".join(self._asked_of_rows(part) for part in _together(parts)) or "1"

    def failed(self) -> str:
        """Returns the condition that a span's status is error."""
        return self._enumerated("status", Op.EQ, StatusCode.ERROR)

    def _asked_of_rows(self, expr: Expr) -> str:
        """Returns the condition, asked of each event and each link where it speaks of them."""
        events, links = _speaks_of(expr, Scope.EVENT), _speaks_of(expr, Scope.LINK)
        arrays = self.layout.arrays
        test = self._with_links if links else self._test
        if not events:
            return test(expr, _At())
        of_event = test(expr, _At(event=True))
        rows = f"{arrays['event_names']}, {arrays['event_times']}, {self.layout.attributes['event_attributes'][0]}"
        without = test(expr, _At())
        return (
            f"if(empty({arrays['event_names']}), {without}, "
            f"arrayExists((a_event, a_time, a_event_attributes) -> {of_event}, {rows}))"
        )

    def _with_links(self, expr: Expr, at: _At) -> str:
        arrays = self.layout.arrays
        ids, spans = arrays["link_trace_ids"], arrays["link_span_ids"]
        of_link = self._test(expr, replace(at, link=True))
        rows = f"{ids}, {spans}, {self.layout.attributes['link_attributes'][0]}"
        return (
            f"if(empty({ids}), {self._test(expr, at)}, "
            f"arrayExists((a_link_trace, a_link_span, a_link_attributes) -> {of_link}, {rows}))"
        )

    def _test(self, expr: Expr, at: _At) -> str:
        match expr:
            case Binary(Op.AND | Op.OR as op, _, _):
                word = " AND " if op is Op.AND else " OR "
                return "(" + word.join(self._test(part, at) for part in _run(op, expr)) + ")"
            case Unary(Op.NOT, operand):
                return f"NOT ({self._test(operand, at)})"
            case Binary(op, Field() as subject, Literal() as literal) if op in COMPARISONS:
                return f"({self._comparison(op, subject, literal, at)})"
        raise Unsupported("The condition is not a comparison of a field and a constant.")

    def _comparison(self, op: Op, subject: Field, literal: Literal, at: _At) -> str:
        match subject.scope:
            case Scope.INTRINSIC:
                return self._intrinsic(op, subject.name, literal, at)
            case Scope.NONE:
                span, resource = self.attribute("span_attributes", subject.name), self.resource(subject.name)
                return f"if({span.present}, {self._compare(span, op, literal)}, {self._compare(resource, op, literal)})"
            case Scope.SPAN:
                return self._compare(self.attribute("span_attributes", subject.name), op, literal)
            case Scope.RESOURCE:
                return self._compare(self.resource(subject.name), op, literal)
            case Scope.EVENT if at.event:
                return self._compare(self._in_row("event_attributes", subject.name), op, literal)
            case Scope.LINK if at.link:
                return self._compare(self._in_row("link_attributes", subject.name), op, literal)
            case Scope.INSTRUMENTATION:  # attributes of scopes are not stored
                return "1" if literal.type is LiteralType.NIL and op is Op.EQ else "0"
        return "0"

    def _compare(self, value: Kinds, op: Op, literal: Literal) -> str:
        return compare(value, op, literal, self.bind)

    def attribute(self, place: str, name: str) -> Kinds:
        """Returns the attribute `name` of the span or resource."""
        column, kept = self.layout.attributes[place]
        return self._value(column, kept, name)

    def resource(self, name: str) -> Kinds:
        """Returns the attribute of the resource; the service's name has a column that the primary key begins with."""
        service = self.layout.texts["service"]
        if name == SERVICE and service != "''":
            return Spelled(f"{service} != ''", service, only_text=True)
        return self.attribute("resource_attributes", name)

    def _in_row(self, place: str, name: str) -> Kinds:
        return self._value(f"a_{place}", self.layout.attributes[place][1], name)

    def _value(self, column: str, kept: Kept, name: str) -> Kinds:
        key = self.bind(name, "String")
        if kept is Kept.JSON:
            return Typed(f"getSubcolumn({column}, {key})")
        return Spelled(f"mapContains({column}, {key})", f"{column}[{key}]", self.names.is_text(name))

    def _intrinsic(self, op: Op, name: str, literal: Literal, at: _At) -> str:
        layout, texts = self.layout, self.layout.texts
        if name in _SPAN_TEXTS:
            return plain_text(texts[_SPAN_TEXTS[name]], op, str(literal.value), self.bind)
        if name == "duration":
            return f"{layout.duration} {SQL_OPS[op]} {number_literal(literal, self.bind)}"
        if name == "status":
            return self._enumerated("status", op, StatusCode[str(literal.value).upper()])
        if name == "kind":
            return self._enumerated("kind", op, SpanKind[str(literal.value).upper()])
        if name in _SPAN_IDS:
            column, width = _SPAN_IDS[name]
            return self._identifier(texts[column], op, str(literal.value), width)
        if name.startswith("event:"):
            return self._of_event(op, name, literal) if at.event else "0"
        if name.startswith("link:"):
            column, width = ("a_link_trace", 32) if name == "link:traceID" else ("a_link_span", 16)
            return self._identifier(column, op, str(literal.value), width) if at.link else "0"
        if name == "nestedSetParent":
            bound = int(str(literal.value))
            return layout.is_root if bound == 0 else str(int(bound > 0))
        return self._of_trace(op, name, literal)

    def _of_event(self, op: Op, name: str, literal: Literal) -> str:
        if name == "event:name":
            return plain_text("a_event", op, str(literal.value), self.bind)
        return f"(a_time - {self.layout.start}) {SQL_OPS[op]} {number_literal(literal, self.bind)}"

    def _enumerated(self, column: str, op: Op, wanted: StatusCode | SpanKind) -> str:
        """Returns the comparison of a status or kind, whichever of their spellings the exporter wrote."""
        members = [one for one in type(wanted) if _HOLDS[op](one, wanted)]
        others = [one for one in type(wanted) if one not in members]
        text = self.layout.texts[column]
        # The first member stands for everything that is not spelled like one of the others.
        if members and members[0] == 0:
            spelled = [spelling for one in others for spelling in spellings(one)]
            return f"{text} NOT IN {self.bind(spelled, 'Array(String)')}" if spelled else "1"
        spelled = [spelling for one in members for spelling in spellings(one)]
        return f"{text} IN {self.bind(spelled, 'Array(String)')}" if spelled else "0"

    def _identifier(self, column: str, op: Op, text: str, width: int) -> str:
        digits = text.lower().lstrip("0")
        wanted = digits.rjust(width, "0") if digits else ""
        if not wanted:  # no parent: old exporters write zeros
            return f"{column} {'NOT IN' if op is Op.NE else 'IN'} ('', {self.bind('0' * width, 'String')})"
        is_it = self.layout.is_id(column, wanted, self.bind)
        return f"NOT {is_it}" if op is Op.NE else is_it

    def _of_trace(self, op: Op, name: str, literal: Literal) -> str:
        """Returns: the trace is one of those of which it holds."""
        layout = self.layout
        if name == "traceDuration":
            took = f"greatest(0, max({layout.end}) - min({layout.start}))"
            holds = f"{took} {SQL_OPS[op]} {number_literal(literal, self.bind)}"
        else:
            column = layout.texts[_TRACE_TEXTS[name]]
            first = f"argMinIf(toString({column}), ({layout.start}, {layout.texts['span_id']}), {layout.is_root})"
            holds = plain_text(first, op, str(literal.value), self.bind)
        trace_id = layout.texts["trace_id"]
        traces = f"SELECT {trace_id} FROM {layout.source} WHERE {self.window} GROUP BY {trace_id} HAVING {holds}"
        return f"{trace_id} {layout.member} ({traces})"


def spellings(member: StatusCode | SpanKind) -> tuple[str, ...]:
    """Returns how exporters, old and new, and other tables write a status or a kind."""
    prefix = "STATUS_CODE_" if isinstance(member, StatusCode) else "SPAN_KIND_"
    return (member.name.capitalize(), prefix + member.name, member.name, member.name.lower(), str(int(member)))


def _run(op: Op, expr: Expr) -> list[Expr]:
    """Returns the operands of a chain of `op`, left to right."""
    found: list[Expr] = []
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Binary) and node.op is op:
            waiting += (node.right, node.left)
        else:
            found.append(node)
    return found


def _together(parts: list[Expr]) -> list[Expr]:
    """Returns the conditions with those about events, and those about links, joined: they speak of one of them."""
    crowd = [part for part in parts if _speaks_of(part, Scope.EVENT) or _speaks_of(part, Scope.LINK)]
    if len(crowd) < 2:
        return parts
    joined = crowd[0]
    for part in crowd[1:]:
        joined = Binary(Op.AND, joined, part)
    return [*(part for part in parts if part not in crowd), joined]


def _speaks_of(expr: Expr, scope: Scope) -> bool:
    match expr:
        case Field():
            return expr.scope is scope or expr.name.startswith(f"{scope.value}:")
        case Unary(_, operand):
            return _speaks_of(operand, scope)
        case Binary(_, left, right):
            return _speaks_of(left, scope) or _speaks_of(right, scope)
    return False
