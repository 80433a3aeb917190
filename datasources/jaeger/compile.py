"""Arcane's questions in Jaeger's words. Pure.

Jaeger answers one conjunction at a time: a service, an operation, tags that equal a text, and the duration
of a span. A condition with `||` becomes several of them. No answer is taken for Arcane's own: every trace
comes whole and is looked at again, so all that is asked has to be a superset, on every storage there is
(`stores` says what holds where). A conjunct that cannot be asked safely is left out, which only widens.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from arcane.spi import Binary, Expr, Field, Literal, LiteralType, Op, PushRule, Scope
from datasources.jaeger.stores import Reach

MICROSECOND = 1_000
MAX_BRANCHES = 8
"""Most conjunctions a condition is asked as; one with more is asked for more coarsely."""
_LONGEST_NS = 100 * 366 * 24 * 3_600 * 1_000_000_000
"""Elasticsearch takes a day for the upper bound where only a lower one is given."""
_MAX_TEXT = 256
"""Elasticsearch does not index what is longer."""
_PLAIN = re.compile(r"[\w .,:;/%=!'-]{1,256}")
"""Elasticsearch takes the value of a tag for a regular expression: these mean themselves in it, or any character."""
_READ_AS_OTHERS = frozenset({"error", "event", "service.name"})
_READ_AS_LEVELS = ("span.", "resource.", "scope.", "event.", "link.")

_EQUALS = frozenset({Op.EQ})
_STRING = frozenset({LiteralType.STRING})
_INTRINSIC = frozenset({Scope.INTRINSIC})
_BOUNDS = frozenset({Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE})
_NUMBERS = frozenset({LiteralType.DURATION, LiteralType.INT})

_ALWAYS = (
    PushRule(frozenset({Scope.RESOURCE}), _EQUALS, _STRING, frozenset({"service.name"}), exact=False),
    PushRule(_INTRINSIC, _EQUALS, _STRING, frozenset({"name"}), exact=False),
)
_WHERE_SURE = (PushRule(_INTRINSIC, _BOUNDS, _NUMBERS, frozenset({"duration"}), exact=False),)
_TAGS = (PushRule(frozenset({Scope.NONE, Scope.SPAN, Scope.RESOURCE, Scope.EVENT}), _EQUALS, _STRING, exact=False),)
_MARKS = (
    PushRule(_INTRINSIC, _EQUALS, frozenset({LiteralType.KIND}), frozenset({"kind"}), exact=False),
    PushRule(_INTRINSIC, _EQUALS, frozenset({LiteralType.STATUS}), frozenset({"status"}), exact=False),
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One conjunction: what has to hold of one span. Empty means any span."""

    service: str = ""
    operation: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    shortest: int | None = None
    """Nanoseconds."""
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: a conjunction, microseconds of the first and last start of a span, and how many traces."""

    branch: Branch
    start_us: int
    end_us: int
    depth: int


ANYTHING = Branch()


def push_rules(reach: Reach) -> tuple[PushRule, ...]:
    """Returns what the planner may push down."""
    return (
        *_ALWAYS,
        *(_WHERE_SURE if reach.sure else ()),
        *(_TAGS if reach.tags else ()),
        *(_MARKS if reach.marks else ()),
    )


def branches_of(condition: Expr | None, reach: Reach) -> tuple[Branch, ...]:
    """Returns the conjunctions that together find all that `condition` matches, at most `MAX_BRANCHES`."""
    found = tuple(dict.fromkeys(_branches(condition, reach)))
    return (ANYTHING,) if ANYTHING in found or len(found) > MAX_BRANCHES else found


def _branches(expr: Expr | None, reach: Reach) -> list[Branch]:
    match expr:
        case Binary(Op.OR, left, right):
            return [*_branches(left, reach), *_branches(right, reach)]
        case Binary(Op.AND, left, right):
            one, other = _branches(left, reach), _branches(right, reach)
            if len(one) * len(other) > MAX_BRANCHES:  # each side finds what both match
                return min(one, other, key=lambda side: (ANYTHING in side, len(side)))
            return [_both(first, second) for first in one for second in other]
        case Binary(op, Field() as field, Literal() as literal):
            return [_comparison(field, op, literal, reach)]
    return [ANYTHING]


def _both(one: Branch, other: Branch) -> Branch:
    """What no span can be at once is asked for as one of the two."""
    lower = [bound for bound in (one.shortest, other.shortest) if bound is not None]
    upper = [bound for bound in (one.longest, other.longest) if bound is not None]
    shortest, longest = max(lower, default=None), min(upper, default=None)
    if shortest is not None and longest is not None and longest < shortest:
        longest = None
    return Branch(
        one.service or other.service,
        one.operation or other.operation,
        tuple({**dict(other.tags), **dict(one.tags)}.items()),
        shortest,
        longest,
    )


def _comparison(field: Field, op: Op, literal: Literal, reach: Reach) -> Branch:
    match field, literal:
        case Field(Scope.INTRINSIC, "duration"), Literal(value=int() as bound):
            return _duration(op, bound) if reach.sure else ANYTHING
        case Field(Scope.INTRINSIC, "kind"), Literal(value=str(word)):
            return Branch(tags=(("span.kind", word),)) if reach.marks and word != "unspecified" else ANYTHING
        case Field(Scope.INTRINSIC, "status"), Literal(value="error"):
            return Branch(tags=(("error", "true"),)) if reach.marks else ANYTHING
        case Field(), Literal(type=LiteralType.STRING, value=str(text)) if op is Op.EQ:
            return _text(field, text, reach)
    return ANYTHING


def _text(field: Field, text: str, reach: Reach) -> Branch:
    if not text or len(text) >= _MAX_TEXT:
        return ANYTHING
    match field:
        case Field(Scope.RESOURCE, "service.name"):
            return Branch(service=text)
        case Field(Scope.INTRINSIC, "name"):
            return Branch(operation=text)
        case Field(Scope.INTRINSIC):
            return ANYTHING
    safe = _PLAIN.fullmatch(text) and len(field.name) < _MAX_TEXT
    other = field.name in _READ_AS_OTHERS or field.name.startswith(_READ_AS_LEVELS)
    return Branch(tags=((field.name, text),)) if reach.tags and safe and not other else ANYTHING


def _duration(op: Op, bound: int) -> Branch:
    """A microsecond wider on both sides: what is stored, and what comes back, may have been cut to one."""
    shortest = min(bound - MICROSECOND, _LONGEST_NS) if bound > MICROSECOND else None
    longest = bound + MICROSECOND if -MICROSECOND < bound < _LONGEST_NS else None
    match op:
        case Op.GT | Op.GE:
            return Branch(shortest=shortest)
        case Op.LT | Op.LE:
            return Branch(longest=longest)
        case Op.EQ:
            return Branch(shortest=shortest, longest=longest)
    return ANYTHING


def with_service(branch: Branch, service: str) -> Branch:
    """Returns the branch for one service."""
    return replace(branch, service=service)


def params_of_v3(ask: Ask) -> list[tuple[str, str]]:
    """Returns the parameters of a search over the third API, in the spelling that all versions take."""
    branch = ask.branch
    params = [
        ("query.service_name", branch.service),
        ("query.operation_name", branch.operation),
        ("query.attributes", _json(branch.tags)),
        ("query.duration_min", _microseconds(branch.shortest)),
        ("query.duration_max", _microseconds(_upper(branch))),
        ("query.start_time_min", _rfc3339(ask.start_us)),
        ("query.start_time_max", _rfc3339(ask.end_us)),
        ("query.num_traces", str(ask.depth)),
        ("query.raw_traces", "true"),
    ]
    return [(name, value) for name, value in params if value]


def params_of_v1(ask: Ask) -> list[tuple[str, str]]:
    """Returns the parameters of a search over the first API."""
    branch = ask.branch
    params = [
        ("service", branch.service),
        ("operation", branch.operation),
        ("tags", _json(branch.tags)),
        ("minDuration", _microseconds(branch.shortest)),
        ("maxDuration", _microseconds(_upper(branch))),
        ("start", str(ask.start_us)),
        ("end", str(ask.end_us)),
        ("limit", str(ask.depth)),
        ("raw", "true"),
    ]
    return [(name, value) for name, value in params if value]


def _upper(branch: Branch) -> int | None:
    return _LONGEST_NS if branch.longest is None and branch.shortest is not None else branch.longest


def _microseconds(nanos: int | None) -> str:
    """Go's spelling, rounded up: a bound of nothing is no bound."""
    return f"{-(-nanos // MICROSECOND)}us" if nanos else ""


def _json(tags: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(tags), ensure_ascii=False, separators=(",", ":")) if tags else ""


def _rfc3339(micros: int) -> str:
    seconds, rest = divmod(max(0, micros), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
