"""Finds, for `make i18n-extract`, the words that pages show although no page says them.

- `declared`: the form of a datasource is made from its settings model and a role describes itself. What stands
  there as `title`, `summary`, `description` or a choice's label is declared once, in English, and translated where it
  is shown (the filter `spoken`).
- `noticed`: the engine and the adapters say what is wrong, missing or planned as notices and as errors; a
  template that writes one writes it in its own language.
- Why a request is refused: problems and errors of TraceQL say it in a sentence made on the spot. Its template is what
  stands in the source, `f"there is no {kind} {name}"` as `there is no %(kind)s %(name)s`; a page that shows such a
  sentence finds the template it was made of (web/i18n.py).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

from arcane.kit.problems import Problem
from arcane.model.notice import Notice
from arcane.spi import errors
from arcane.traceql.errors import TraceqlError
from web import site  # noqa: F401 - with it every slice is loaded, and the problems that each of them knows

Found = tuple[int, str | None, str, list[str]]

_DECLARED = frozenset({"title", "summary", "description"})
_ROLE = "SystemRole"
_DESCRIPTION = 3
"""Where in a role's declaration its description stands."""
_ERRORS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DatasourceError)
)
_SAYS = _ERRORS | {Notice.__name__}
_HINT = 2
"""Where the hint of an error of TraceQL stands, after its message and its position."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def declared(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields the declared words of a Python module and its notices, as babel's extraction methods do."""
    for node in ast.walk(ast.parse(source.read())):
        yield from _notices(node)
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name == _ROLE:
                yield from _texts(args[_DESCRIPTION : _DESCRIPTION + 1])
            case ast.keyword(arg=name, value=value) if name in _DECLARED:
                yield from _texts([value])
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _DECLARED:
                yield from _texts([value])
            case ast.Dict(keys=keys, values=[*values]):
                labels = (value for key, value in zip(keys, values, strict=True) if _is_labels(key))
                for choices in labels:
                    yield from _texts(choices.values if isinstance(choices, ast.Dict) else [])


def noticed(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields the templates of a Python module's notices and errors, and what an error says without a message."""
    refusing = _names_below(Problem) | _names_below(TraceqlError)
    for node in ast.walk(ast.parse(source.read())):
        yield from _notices(node)
        match node:
            case ast.Call(func=ast.Name(id=name), args=[text, *rest], keywords=keywords) if name in refusing:
                hints = [one.value for one in keywords if one.arg == "hint"] + rest[_HINT - 1 : _HINT]
                yield from (one for part in (text, *hints) for one in _made_of(part))


def _names_below(kind: type) -> frozenset[str]:
    """Returns the names of `kind` and of all that inherits from it and is loaded."""
    return frozenset({kind.__name__}).union(*map(_names_below, kind.__subclasses__()))


def _made_of(node: ast.expr) -> Iterator[Found]:
    """Yields the templates of the sentences that an expression can be: a text, an f-string, one of two."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            yield from _made_of(body)
            yield from _made_of(orelse)
        case ast.JoinedStr(values=parts):
            taken: Counter[str] = Counter()
            yield node.lineno, None, "".join(_part(part, taken) for part in parts), []
        case _:
            yield from _texts([node])


def _part(node: ast.expr, taken: Counter[str]) -> str:
    """Returns a part of an f-string as a template has it; a value is named after what is written, once."""
    if isinstance(node, ast.FormattedValue):
        name = (_NAME.findall(ast.unparse(node.value)) or ["value"])[-1]
        taken[name] += 1
        return f"%({name}{taken[name] if taken[name] > 1 else ''})s"
    return str(node.value).replace("%", "%%") if isinstance(node, ast.Constant) else ""


def _notices(node: ast.AST) -> Iterator[Found]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in _SAYS:
            yield from _texts([text])
        case ast.Call(args=[ast.Name(id=name), text]) if name in _ERRORS:  # a function that makes such an error
            yield from _texts([text])
        case ast.ClassDef(name=name) if name in _ERRORS:
            yield node.lineno, None, ast.get_docstring(node) or "", []


def _is_labels(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "labels"


def _texts(nodes: list[ast.expr]) -> Iterator[Found]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, None, node.value, []
