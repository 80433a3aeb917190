"""What stands between braces means: the one place that decides which spans match.

A condition is compiled once into closures and asked of many spans; `query.py` puts filters together
to whole queries. The meaning is written down for people in docs/reference/query-language.md; the
rules that are easy to miss:

- The whole condition is asked of each event (and each link) of a span by itself: what it says
  about events has to hold of one event.
- An expression that has no value for a span (division by zero, `!` of a text) makes the span not
  match, unless the rest of the condition decides without it: `true || x` is true. Such spans are
  counted.
- `||` of something that is neither true nor false is false, as in Tempo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from arcane.model.span import Span, SpanEvent, SpanLink
from arcane.model.trace import Trace
from arcane.traceql import intrinsics
from arcane.traceql.ast import ARITHMETIC, Binary, Expr, Field, Literal, LiteralType, Op, SpansetFilter, Unary
from arcane.traceql.chain import run_of
from arcane.traceql.compare import Code, comparison, constant
from arcane.traceql.fields import Get, Row, field_value, getter
from arcane.traceql.intrinsics import Level
from arcane.traceql.operators import LOGICAL
from arcane.traceql.values import EvaluationError, Value, compute, invert, negate

__all__ = [
    "CompiledFilter",
    "CompiledValue",
    "compile_filter",
    "compile_value",
    "field_value",
    "fields_of",
    "levels",
    "mentioned_fields",
]

Test: TypeAlias = Callable[[Span, Row], bool]

_NO_EVENT: tuple[SpanEvent | None, ...] = (None,)
_NO_LINK: tuple[SpanLink | None, ...] = (None,)


class CompiledFilter:
    """A filter, ready to be asked of traces. `errors` counts the spans for which it had no value, so far.

    Belongs to one question: the count is that question's.
    """

    __slots__ = ("_can_fail", "_events", "_links", "_test", "errors")

    def __init__(self, code: Code | None) -> None:
        self._test: Test | None = _as_test(code).run if code else None
        self._can_fail = bool(code and code.can_fail)
        self._events = bool(code and Level.EVENT in code.levels)
        self._links = bool(code and Level.LINK in code.levels)
        self.errors = 0

    def __call__(self, trace: Trace) -> list[Span]:
        """Returns the spans of `trace` that match, in order of start."""
        return self.among(trace.spans, Row(trace))

    matches = __call__

    def among(self, spans: Sequence[Span], row: Row) -> list[Span]:
        """Returns those of `spans` that match, in their order; `row` is of their trace."""
        test = self._test
        if test is None:
            return list(spans)
        if self._can_fail or self._events or self._links:
            return [span for span in spans if self._is_match(test, span, row)]
        return [span for span in spans if test(span, row)]

    def _is_match(self, test: Test, span: Span, row: Row) -> bool:
        failed = False
        for row.event in (span.events or _NO_EVENT) if self._events else _NO_EVENT:
            for row.link in (span.links or _NO_LINK) if self._links else _NO_LINK:
                try:
                    if test(span, row):
                        return True
                except EvaluationError:
                    failed = True
        self.errors += failed
        return False


class CompiledValue:
    """An expression, ready to be asked of spans: its value, None where a span has none.

    Of several events (or links) the first for which there is a value counts. `type` is what it always
    gives, None where that depends on attributes. `errors` counts as a filter's does.
    """

    __slots__ = ("_alone", "_events", "_get", "_links", "errors", "type")

    def __init__(self, code: Code) -> None:
        self._get = code.run
        self._alone = not code.can_fail and not code.levels & {Level.EVENT, Level.LINK}
        self._events = Level.EVENT in code.levels
        self._links = Level.LINK in code.levels
        self.type = code.type
        self.errors = 0

    def __call__(self, span: Span, row: Row) -> Value:
        """Returns the value for `span`; `row` is of its trace."""
        if self._alone:
            return self._get(span, row)
        failed = False
        for row.event in (span.events or _NO_EVENT) if self._events else _NO_EVENT:
            for row.link in (span.links or _NO_LINK) if self._links else _NO_LINK:
                try:
                    value = self._get(span, row)
                except EvaluationError:
                    failed = True
                    continue
                if value is not None:
                    return value
        self.errors += failed
        return None


def compile_value(expr: Expr) -> CompiledValue:
    """Returns the expression as something to call with spans; `check` has let it pass."""
    return CompiledValue(_compile(expr))


def compile_filter(spanset: SpansetFilter) -> CompiledFilter:
    """Returns the filter as something to call with traces; `check` has let it pass."""
    return CompiledFilter(None if spanset.condition is None else _compile(spanset.condition))


def mentioned_fields(spanset: SpansetFilter) -> tuple[Field, ...]:
    """Returns the fields the filter asks for, each once, in the order of the text."""
    return tuple(dict.fromkeys(fields_of(spanset.condition))) if spanset.condition else ()


def levels(expr: Expr) -> frozenset[Level]:
    """Returns what has to be known to evaluate `expr`.

    Conditions with EVENT (or LINK) that are joined by `&&` speak of one event (one link): apart from
    each other they mean something else.
    """
    return frozenset(intrinsics.level_of(field) for field in fields_of(expr))


def fields_of(expr: Expr) -> Iterator[Field]:
    """Yields every field in `expr`, from left to right."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Field):
            yield node
        elif isinstance(node, Unary):
            waiting.append(node.operand)
        elif isinstance(node, Binary):
            waiting += (node.right, node.left)


def _compile(expr: Expr) -> Code:
    match expr:
        case Literal():
            return constant(expr)
        case Field():
            level = frozenset({intrinsics.level_of(expr)})
            return Code(getter(expr), intrinsics.type_of(expr), levels=level)
        case Unary():
            return _unary(expr)
    return _logical(expr) if expr.op in LOGICAL else _binary(expr)


def _unary(expr: Unary) -> Code:
    code = _compile(expr.operand)
    get = code.run
    if expr.op is Op.NEG:
        fails = code.can_fail or code.type is None
        return Code(lambda span, row: negate(get(span, row)), code.type, can_fail=fails, levels=code.levels)
    if code.is_test:
        run: Get = lambda span, row: not get(span, row)  # noqa: E731
        return Code(run, LiteralType.BOOL, True, code.can_fail, code.levels)
    return Code(lambda span, row: invert(get(span, row)), None, can_fail=True, levels=code.levels)


def _binary(expr: Binary) -> Code:
    left, right = _compile(expr.left), _compile(expr.right)
    fails, seen = left.can_fail or right.can_fail, left.levels | right.levels
    if expr.op not in ARITHMETIC:
        return Code(comparison(expr, left, right), LiteralType.BOOL, True, fails, seen)
    op, one, other = expr.op, left.run, right.run
    is_duration = LiteralType.DURATION in (left.type, right.type)
    result = LiteralType.DURATION if is_duration else None

    def run(span: Span, row: Row) -> Value:
        return compute(op, one(span, row), other(span, row), is_duration)

    return Code(run, result, can_fail=True, levels=seen)


def _logical(expr: Binary) -> Code:
    operands = [_compile(operand) for operand in run_of(expr.op, expr)]
    if expr.op is Op.AND:
        return _joined([_as_test(operand) for operand in operands], False)
    if all(operand.is_test for operand in operands):
        return _joined(operands, True)
    left, right = _compile(expr.left), _compile(expr.right)
    return Code(
        _either(left.run, right.run),
        LiteralType.BOOL,
        True,
        left.can_fail or right.can_fail,
        left.levels | right.levels,
    )


def _as_test(code: Code) -> Code:
    """Returns code that is True where `code` is, and False elsewhere."""
    if code.is_test:
        return code
    get = code.run
    return Code(lambda span, row: get(span, row) is True, LiteralType.BOOL, True, code.can_fail, code.levels)


def _joined(tests: list[Code], decides: bool) -> Code:
    """Returns `&&` of the tests, or with `decides` True `||`: the value that settles it."""
    runs = [test.run for test in tests]
    fails = any(test.can_fail for test in tests)
    run = _settled(runs, decides) if fails else (_any(runs) if decides else _all(runs))
    return Code(run, LiteralType.BOOL, True, fails, _union(test.levels for test in tests))


def _union(parts: Iterable[frozenset[Level]]) -> frozenset[Level]:
    return frozenset().union(*parts)


def _all(tests: list[Get]) -> Get:
    if len(tests) == 2:
        first, second = tests
        return lambda span, row: first(span, row) and second(span, row)
    if len(tests) == 3:
        first, second, third = tests
        return lambda span, row: first(span, row) and second(span, row) and third(span, row)

    def run(span: Span, row: Row) -> Value:
        for test in tests:  # noqa: SIM110 - a generator takes half as long again
            if not test(span, row):
                return False
        return True

    return run


def _any(tests: list[Get]) -> Get:
    if len(tests) == 2:
        first, second = tests
        return lambda span, row: first(span, row) or second(span, row)

    def run(span: Span, row: Row) -> Value:
        for test in tests:  # noqa: SIM110 - a generator takes half as long again
            if test(span, row):
                return True
        return False

    return run


def _settled(tests: list[Get], decides: bool) -> Get:
    """Returns the join of tests that may fail: one that settles it counts, in whatever order they stand."""

    def run(span: Span, row: Row) -> Value:
        failure: EvaluationError | None = None
        for test in tests:
            try:
                if test(span, row) is decides:
                    return decides
            except EvaluationError as error:
                failure = error
        if failure:
            raise failure
        return not decides

    return run


def _either(left: Get, right: Get) -> Get:
    """Returns `left || right` where a side may be neither true nor false, which makes it false."""

    def run(span: Span, row: Row) -> Value:
        failure: EvaluationError | None = None
        is_true = False
        for side in (left, right):
            try:
                value = side(span, row)
            except EvaluationError as error:
                failure = error
                continue
            if value.__class__ is not bool:
                return False
            is_true = is_true or value
        if failure and not is_true:
            raise failure
        return is_true

    return run
