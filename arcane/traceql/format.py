"""Tree to text. The text is canonical: one spelling for each tree, and reading it gives the tree back."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import (
    Aggregate,
    Coalesce,
    GroupBy,
    Hint,
    Metrics,
    MetricsOperation,
    Pipeline,
    Query,
    ScalarFilter,
    ScalarOperation,
    Select,
    SeriesFilter,
    SpansetOperation,
    Stage,
)
from arcane.traceql.chain import balanced, run_of
from arcane.traceql.literals import INT_MIN, quote, spell_duration, spell_name
from arcane.traceql.operators import (
    ATOM_LEVEL,
    LOGICAL,
    LOGICAL_LEVEL,
    RUN,
    SIGN_LEVEL,
    groups_right,
    infix_level,
    prefix_level,
)


def format_query(query: Query) -> str:
    """Returns the canonical text of a whole query; `parse` gives the query back."""
    body = _body(query.body)
    return f"{body} with({', '.join(format_hint(hint) for hint in query.hints)})" if query.hints else body


def format_filter(spanset: SpansetFilter) -> str:
    """Returns `{ condition }`, or `{}` for every span."""
    return "{}" if spanset.condition is None else f"{{ {format_expr(spanset.condition)} }}"


def format_expr(expr: Expr) -> str:
    """Returns the canonical text of what stands between braces."""
    return _spell(expr).text


def format_field(field: Field) -> str:
    """Returns the field with its scope: `span.http.method`, `.a`, `status`."""
    if field.scope is Scope.INTRINSIC:
        return field.name
    return f"{field.scope}.{spell_name(field.name)}"


def format_literal(literal: Literal) -> str:
    """Returns the constant as a query spells it."""
    value = literal.value
    if literal.type is LiteralType.STRING:
        return quote(str(value))
    if literal.type is LiteralType.DURATION and isinstance(value, int):
        return spell_duration(value)
    if literal.type is LiteralType.BOOL:
        return "true" if value else "false"
    if literal.type is LiteralType.NIL:
        return "nil"
    return "minInt" if value == INT_MIN and literal.type is LiteralType.INT else str(value)


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A text, how tightly its outermost operator binds, and how many operands its logical chain has."""

    text: str
    level: int = ATOM_LEVEL
    run: int = 0

    def inside(self, least: int) -> str:
        return self.text if self.level >= least else f"({self.text})"


def _spell(expr: Expr) -> _Spelled:
    match expr:
        case Literal():
            text = format_literal(expr)
            return _Spelled(text, SIGN_LEVEL if text.startswith("-") else ATOM_LEVEL)
        case Field():
            return _Spelled(format_field(expr))
        case Unary():
            return _unary(expr)
    return _logical(expr) if expr.op in LOGICAL else _infix(expr)


def _unary(expr: Unary) -> _Spelled:
    sign = "!" if expr.op is Op.NOT else "-"
    level = prefix_level(expr.op)
    if expr.op is Op.NEG and isinstance(expr.operand, Literal):
        # without parentheses the sign would become part of the constant
        return _Spelled(f"-({format_literal(expr.operand)})", level)
    if isinstance(expr.operand, Unary):
        return _Spelled(sign + _spell(expr.operand).text, level)
    return _Spelled(sign + _spell(expr.operand).inside(level + 1), level)


def _infix(expr: Binary) -> _Spelled:
    level = infix_level(expr.op)
    right_first = groups_right(expr.op)
    left = _spell(expr.left).inside(level + 1 if right_first else level)
    right = _spell(expr.right).inside(level if right_first else level + 1)
    return _Spelled(f"{left} {expr.op} {right}", level)


def _logical(expr: Binary) -> _Spelled:
    operands = run_of(expr.op, expr)
    if len(operands) > RUN and _is_long_run(expr, operands):
        first, *others = (_spell(operand) for operand in operands)
        texts = [first.text, *(other.inside(LOGICAL_LEVEL + 1) for other in others)]
        return _Spelled(f" {expr.op} ".join(texts), LOGICAL_LEVEL, len(operands))
    left, right = _spell(expr.left), _spell(expr.right).inside(LOGICAL_LEVEL + 1)
    run = 2
    if isinstance(expr.left, Binary) and expr.left.op is expr.op:
        run = left.run + 1
        if run > RUN:  # written without parentheses, the chain would be read as a balanced tree
            left, run = _Spelled(f"({left.text})"), 2
    return _Spelled(f"{left.text} {expr.op} {right}", LOGICAL_LEVEL, run)


def _is_long_run(expr: Binary, operands: list[Expr]) -> bool:
    return balanced(operands, lambda left, right: Binary(expr.op, left, right)) == expr


def _body(node: Stage | Pipeline) -> str:
    if not isinstance(node, Pipeline):
        return format_stage(node)
    texts = [format_stage(node.stages[0])]
    for stage in node.stages[1:]:
        texts.append(format_stage(stage) if isinstance(stage, SeriesFilter) else f"| {format_stage(stage)}")
    return " ".join(texts)


def format_stage(stage: Stage) -> str:
    """Returns the canonical text of one stage: `by(kind)`, `count()`, `{ .a } > { .b }`."""
    match stage:
        case SpansetFilter():
            return format_filter(stage)
        case SpansetOperation() | MetricsOperation() | ScalarOperation() | ScalarFilter():
            return _operation(stage)
        case GroupBy():
            return f"by({format_expr(stage.by)})"
        case Coalesce():
            return "coalesce()"
        case Select():
            return f"select({', '.join(map(format_field, stage.fields))})"
        case Aggregate():
            return f"{stage.kind}({format_expr(stage.of) if stage.of else ''})"
        case Metrics():
            return _metrics(stage)
        case SeriesFilter():
            return f"{stage.op} {format_literal(stage.value)}"
    return f"{'topk' if stage.largest else 'bottomk'}({stage.count})"


Operation = SpansetOperation | MetricsOperation | ScalarOperation | ScalarFilter


def _operation(node: Operation) -> str:
    level = infix_level(node.op)
    right_first = groups_right(node.op)
    # beside a pipeline every span set stands in parentheses
    is_spans = isinstance(node, SpansetOperation)
    wraps_left, wraps_right = (is_spans and isinstance(beside, Pipeline) for beside in (node.right, node.left))
    left = _operand(node.left, level + 1 if right_first else level, wraps_left)
    right = _operand(node.right, level if right_first else level + 1, wraps_right)
    return f"{left} {node.op} {right}"


def _operand(node: Stage | Literal | Pipeline, least: int, wraps: bool) -> str:
    if isinstance(node, Literal):
        text = format_literal(node)
        return f"({text})" if text.startswith("-") and least > SIGN_LEVEL else text
    if isinstance(node, Pipeline):
        return f"({_body(node)})"
    if wraps or (isinstance(node, Operation) and infix_level(node.op) < least):
        return f"({format_stage(node)})"
    return format_stage(node)


def _metrics(stage: Metrics) -> str:
    arguments = [format_literal(number) for number in stage.numbers]
    if isinstance(stage.of, SpansetFilter):
        arguments.insert(0, format_filter(stage.of))
    elif stage.of:
        arguments.insert(0, format_field(stage.of))
    by = f" by({', '.join(map(format_field, stage.by))})" if stage.by else ""
    return f"{stage.kind}({', '.join(arguments)}){by}"


def format_hint(hint: Hint) -> str:
    """Returns `name=value`."""
    return f"{hint.name}={format_literal(hint.value)}"
