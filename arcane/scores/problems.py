"""What can be wrong with a request about scores."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.catalog.problems import FieldError
from arcane.kit.problems import Conflict, NotFound, Problem


class UnknownScore(NotFound):
    """The project has no score with this id."""

    slug = "unknown-score"
    title = "Unknown score"


class ScoreNameTaken(Conflict):
    """Another score of the project has this name."""

    slug = "score-name-taken"
    title = "Score name taken"


class ScoreChanged(Conflict):
    """Somebody else changed the score since the version the request names."""

    slug = "score-changed"
    title = "Score changed"


class ScoreLimit(Conflict):
    """The project has as many scores as this instance allows."""

    slug = "score-limit"
    title = "Too many scores"


class BuiltInScore(Conflict):
    """The score is one that every project has: nobody changes it."""

    slug = "built-in-score"
    title = "Built-in score"


class ScoreModelNeeded(Conflict):
    """The score's scorer asks a model, or embeds texts, and neither the score nor its project says with which."""

    slug = "score-model-needed"
    title = "A model is needed"


class InvalidScore(Problem):
    """The score cannot work; `errors` points at the fields."""

    status = 422
    slug = "invalid-score"
    title = "Invalid score"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        listed = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
        super().__init__(f"{len(listed)} field(s) of the score need a look", errors=listed)
