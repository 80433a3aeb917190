"""Text to tree: the one way in for a query."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Protocol, cast

from lark import Lark
from lark.exceptions import UnexpectedInput

from arcane.traceql.ast import Position
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.build import Build
from arcane.traceql.diagnose import diagnose
from arcane.traceql.errors import SyntaxProblem


class _Reads(Protocol):
    def parse(self, text: str) -> Query: ...


def parse(text: str) -> Query:
    """Returns the query that `text` spells; raises SyntaxProblem with the place and a hint.

    Time and memory grow with the length of the text, which is the caller's to bound.
    """
    try:
        text.encode()
    except UnicodeEncodeError as bad:
        line = text.count("\n", 0, bad.start) + 1
        column = bad.start - text.rfind("\n", 0, bad.start)
        raise SyntaxProblem("the query is not valid Unicode", Position(line, column)) from None
    try:
        return _parser().parse(text)
    except UnexpectedInput as unexpected:
        raise diagnose(text, unexpected) from None


@functools.cache
def _parser() -> _Reads:
    """Returns the parser; building its tables takes some 40 ms, so it happens once, when first asked."""
    grammar = resources.files("arcane.traceql").joinpath("traceql.lark").read_text(encoding="utf-8")
    return cast("_Reads", Lark(grammar, parser="lalr", transformer=Build(), maybe_placeholders=False))
