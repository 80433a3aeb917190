"""Why a scorer gives no verdict. There is no verdict without a value: who cannot tell raises one of these.

ScoringFailed (kind, retry)
├── MissingInput        a row lacks what the scorer reads
├── UnreadableInput     it is there and is not what the scorer reads
├── BadScorerSettings   the score's settings do not fit the scorer
├── UnknownScorer       this worker has no such scorer
├── Undefined           the score has no value for these inputs (nothing to divide by)
├── AnswerDoesNotFit    a model answered twice what cannot be read
├── ModelNeeded         the score names no model, or no embedding model
└── CodeFailed          Python written by a user ended in an error

Messages name variables, settings and lines, never what stands in them.
"""

from __future__ import annotations

from typing import ClassVar


class ScoringFailed(Exception):
    """No verdict. `retry` says whether it may work later."""

    kind: ClassVar[str] = "scoring-failed"
    retry: ClassVar[bool] = False


class MissingInput(ScoringFailed):
    """A row lacks what the scorer reads."""

    kind = "missing-input"


class UnreadableInput(ScoringFailed):
    """An input has another shape than the scorer reads, or is too large."""

    kind = "unreadable-input"


class BadScorerSettings(ScoringFailed):
    """The settings of the score do not fit its scorer."""

    kind = "bad-scorer-settings"


class UnknownScorer(ScoringFailed):
    """This worker has no scorer of that key; another one may have it."""

    kind = "unknown-scorer"
    retry = True


class Undefined(ScoringFailed):
    """The score has no value for these inputs."""

    kind = "score-undefined"


class AnswerDoesNotFit(ScoringFailed):
    """A model answered twice what cannot be read as an answer."""

    kind = "answer-does-not-fit"


class ModelNeeded(ScoringFailed):
    """The score names no model to ask, or none to embed texts with."""

    kind = "model-needed"


class CodeFailed(ScoringFailed):
    """Python written by a user ended in an error, ran out of time or memory, or returned no score."""

    kind = "code-failed"
