"""Turns flattened, indexed attributes back into what they were: `a.0.b.c` becomes [{"b": {"c": ...}}]."""

from __future__ import annotations

from arcane.model.values import Attributes

_MOST_DEPTH = 12
_INDEX_DIGITS = 6


def unflatten(attributes: Attributes, prefix: str) -> list[object]:
    """Returns the list under `prefix` ("llm.input_messages."), in order of its indexes; gaps are closed."""
    tree: dict[str, object] = {}
    length = len(prefix)
    for key, value in attributes.items():
        if key.startswith(prefix):
            _put(tree, key[length:].split(".", _MOST_DEPTH), value)
    found = _lists(tree)
    return found if isinstance(found, list) else []


def _put(tree: dict[str, object], path: list[str], value: object) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not isinstance(below, dict):
            below = tree[step] = {}
        tree = below
    if not isinstance(tree.get(path[-1]), dict):
        tree[path[-1]] = value


def _lists(tree: object) -> object:
    """Returns `tree` with every map whose keys are all indexes turned into a list."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(isinstance(key, str) and key.isdecimal() and len(key) <= _INDEX_DIGITS for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _lists(value) for key, value in tree.items()}
