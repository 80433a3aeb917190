"""What can be wrong with a query.

TraceqlError
├── SyntaxProblem         the text is not TraceQL
├── TypeProblem           TraceQL, but it cannot mean anything (`kind = "server"`, a regex that does not compile)
└── UnsupportedConstruct  TraceQL that Arcane does not answer
"""

from __future__ import annotations

from arcane.traceql.ast import Position


class TraceqlError(ValueError):
    """A query cannot be used. `message` says what is wrong, `hint` what to write instead, `position` where."""

    def __init__(self, message: str, position: Position, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint

    def __str__(self) -> str:
        place = f"line {self.position.line}, column {self.position.column}: {self.message}"
        return f"{place}; {self.hint}" if self.hint else place


class SyntaxProblem(TraceqlError):
    """The text is not TraceQL."""


class TypeProblem(TraceqlError):
    """The query reads well and cannot mean anything."""


class UnsupportedConstruct(TraceqlError):
    """The query is TraceQL that Arcane does not answer."""
