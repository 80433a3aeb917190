"""What can be wrong with a request about evaluations."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.kit.problems import Conflict, NotFound, Problem


class UnknownEvaluation(NotFound):
    """No evaluation of the project has this id."""

    slug = "unknown-evaluation"
    title = "Unknown evaluation"


class UnknownSubject(NotFound):
    """The evaluation judges no such thing, or by no such score."""

    slug = "unknown-subject"
    title = "Unknown subject"


class BadEvaluation(Problem):
    """The evaluation cannot be as asked; `errors` points at each part that does not fit."""

    status = 422
    slug = "bad-evaluation"
    title = "The evaluation does not fit together"

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        listed = [{"pointer": pointer, "detail": detail} for pointer, detail in errors]
        super().__init__("; ".join(detail for _, detail in errors), errors=listed)


class EvaluationEmpty(Problem):
    """There is nothing to judge."""

    status = 422
    slug = "evaluation-empty"
    title = "Nothing to judge"


class EvaluationTooLarge(Problem):
    """There is more to judge than an evaluation may have on this instance."""

    status = 422
    slug = "evaluation-too-large"
    title = "Too much to judge"


class EvaluationState(Conflict):
    """The evaluation's state does not allow it."""

    slug = "evaluation-state"
    title = "Not in this state"


class BadValue(Problem):
    """The score has no such value or label; `errors` says which entries are meant."""

    status = 422
    slug = "bad-score-value"
    title = "Not a value of this score"
