"""Finds, for `make i18n-extract`, the words that pages show although no page says them.

- `declared`: the form of a datasource is made from its settings model and a role describes itself. What stands
  there as `title`, `summary`, `description` or a choice's label is declared once, in English, and translated where it
  is shown (the filter `spoken`).
- `noticed`: the engine and the adapters say what is wrong, missing or planned as notices and as errors; a
  template that writes one writes it in its own language.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import IO, Any

from arcane.model.notice import Notice
from arcane.spi import errors

Found = tuple[int, str | None, str, list[str]]

_DECLARED = frozenset({"title", "summary", "description"})
_ROLE = "SystemRole"
_DESCRIPTION = 3
"""Where in a role's declaration its description stands."""
_ERRORS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DatasourceError)
)
_SAYS = _ERRORS | {Notice.__name__}


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
    for node in ast.walk(ast.parse(source.read())):
        yield from _notices(node)


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
