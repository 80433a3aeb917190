"""Which inputs Python written by a user reads: the parameters of its function `score`. Read, never run."""

from __future__ import annotations

import ast


def parameters(code: str) -> tuple[tuple[str, bool], ...]:
    """Returns the parameters of the function `score` and whether each is required; raises ValueError with the line."""
    try:
        tree = ast.parse(code)
    except SyntaxError as exc:
        raise ValueError(f"line {exc.lineno or 1}: {exc.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("not Python") from None
    named = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "score"]
    if not named:
        raise ValueError("there is no function `score`")
    signature = named[-1].args
    if signature.vararg or signature.kwarg or signature.posonlyargs:
        raise ValueError("the parameters of `score` are plain names: each is an input")
    required = len(signature.args) - len(signature.defaults)
    plain = [(one.arg, place < required) for place, one in enumerate(signature.args)]
    keyword = [(one.arg, value is None) for one, value in zip(signature.kwonlyargs, signature.kw_defaults, strict=True)]
    return tuple(plain + keyword)
