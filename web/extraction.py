"""Finds, for `make i18n-extract`, the words that pages show although no page says them.

The form of a datasource is made from its settings model and a role describes itself: what stands there as
`title`, `summary`, `description` or a choice's label is declared once, in English, and translated where it is shown
(the filter `spoken`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import IO, Any

Found = tuple[int, str | None, str, list[str]]

_DECLARED = frozenset({"title", "summary", "description"})
_ROLE = "SystemRole"
_DESCRIPTION = 3
"""Where in a role's declaration its description stands."""


def declared(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields the declared words of a Python module, as babel's extraction methods do."""
    for node in ast.walk(ast.parse(source.read())):
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


def _is_labels(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "labels"


def _texts(nodes: list[ast.expr]) -> Iterator[Found]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, None, node.value, []
