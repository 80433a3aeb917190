"""Jinja2's tree of a template: which of it is for prompts, which names it asks for, and where it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from arcane.model.notice import Notice
from arcane.prompting.errors import Place, TemplateError, TemplateSyntax
from arcane.prompting.jinja_filters import FILTERS, TESTS

_DEEPEST = 60
_LOOPS = 12  # inside of each other; Python compiles no more than 20
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.Assign,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Concat,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Call,
)
# fmt: off
METHODS: Final = frozenset({
    "strip", "lstrip", "rstrip", "upper", "lower", "title", "capitalize", "startswith", "endswith", "split",
    "splitlines", "items", "keys", "values", "get",
})
# fmt: on


def parse(text: str) -> nodes.Template:
    """Returns the template's tree, in which everything that repeats or grows is counted."""
    reader = ImmutableSandboxedEnvironment(keep_trailing_newline=True)
    reader.filters = dict(FILTERS)
    with _told():
        tree = reader.parse(text)
        for node, depth in walk(tree):
            _check(node, depth)
        counted: nodes.Template = _counted(tree, loops=0)
        return counted


@contextmanager
def _told() -> Iterator[None]:
    """Makes what Jinja and Python say of a template a sentence of ours."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise TemplateSyntax(Notice("%(reason)s", reason=error.message or "no template"), Place(error.lineno)) from None
    except (RecursionError, MemoryError):
        raise TemplateSyntax(too_deep()) from None
    except ValueError as error:
        if isinstance(error, TemplateError):
            raise
        raise TemplateSyntax(Notice("A number in this template is too long.")) from None


def too_deep() -> Notice:
    """Returns the sentence for a template that nobody could read either."""
    return Notice("This template is nested too deeply.")


def walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Yields every node in the order of the text, and how deep it stands."""
    open_: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while open_:
        node, depth = open_.pop()
        yield node, depth
        open_.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))


def _check(node: nodes.Node, depth: int) -> None:
    """Raises for what prompts may not do."""
    place = Place(node.lineno)
    if depth > _DEEPEST:
        raise TemplateSyntax(too_deep(), place)
    if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
        raise TemplateSyntax(Notice("“%(what)s” is not for prompts.", what=type(node).__name__.lower()), place)
    if isinstance(node, nodes.List | nodes.Dict | nodes.Tuple) and not _constant(node):
        raise TemplateSyntax(Notice("Lists and objects in a template can only hold what is written there."), place)
    if isinstance(node, nodes.Call) and not _callable(node.node):
        raise TemplateSyntax(
            Notice("Only methods of texts and objects can be called, like .strip() or .items()."), place
        )
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateSyntax(Notice("There is no filter “%(name)s” for prompts.", name=node.name), place)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise TemplateSyntax(Notice("There is no test “%(name)s” for prompts.", name=node.name), place)


def _constant(node: nodes.List | nodes.Dict | nodes.Tuple) -> bool:
    if isinstance(node, nodes.Tuple) and node.ctx == "store":
        return True
    inside = (nodes.Const, nodes.List, nodes.Dict, nodes.Tuple, nodes.Pair, nodes.Neg)
    return all(isinstance(child, inside) for child, _ in walk(node))


def _callable(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and node.attr in METHODS | {"cycle"}


def _counted(node: Any, loops: int) -> Any:
    """Returns the tree with what repeats, joins and copies going through filters that count."""
    loops += isinstance(node, nodes.For)
    if loops > _LOOPS:
        raise TemplateSyntax(too_deep(), Place(node.lineno))
    for name, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, name, [_counted(one, loops) if isinstance(one, nodes.Node) else one for one in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _counted(value, loops))
    if isinstance(node, nodes.For):
        node.iter = _filter(node.iter, "loop over")
    elif isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "put together")
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        cut = node.arg
        bounds = [one or nodes.Const(None, lineno=node.lineno) for one in (cut.start, cut.stop, cut.step)]
        return _filter(node.node, "cut", bounds)
    return node


def _filter(node: Any, name: str, args: list[nodes.Expr] | None = None) -> nodes.Filter:
    made = nodes.Filter(node, name, args or [], [], None, None, lineno=node.lineno)
    return made.set_environment(node.environment) if node.environment else made  # type: ignore[return-value]


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Yields the names as they stand in the template, and whether it cannot be filled without a value.

    What stands in a condition or a loop, in front of `default` or of a test is not asked for, only offered.
    """
    tree = parse(text)
    with _told():
        asked = find_undeclared_variables(tree)
    for node, needed in _uses(tree, needed=True):
        if node.name in asked:
            yield node.name, needed


def _uses(node: nodes.Node, needed: bool) -> Iterator[tuple[nodes.Name, bool]]:
    if isinstance(node, nodes.Name):
        yield node, needed
    maybe = isinstance(node, nodes.Test | nodes.CondExpr | nodes.And | nodes.Or | nodes.Not) or (
        isinstance(node, nodes.Filter) and node.name in ("default", "d")
    )
    for name, value in node.iter_fields():
        inner = needed and not maybe and not (isinstance(node, nodes.If | nodes.For) and name != "iter")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield from _uses(child, inner)
