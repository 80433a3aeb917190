"""What a score of an evaluation reads, and what becomes of it where something is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arcane.datasets.sources import ABSENT, Scope, Source, read_source
from arcane.evaluations.tables import EvaluationScore
from arcane.messaging.jobs import Failed


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sources of a score's variables, and the variables that its scorer cannot do without."""

    sources: Mapping[str, Source]
    required: frozenset[str]

    def given(self, values: Mapping[str, Any]) -> Mapping[str, Any] | Failed:
        """Returns the values that are there; what is needed and is not makes a failure that names it."""
        absent = [name for name, value in values.items() if value is ABSENT and name in self.required]
        if absent:
            said = ", ".join(f"{name} ({self.sources[name]})" for name in absent)
            return Failed(error=f"there is nothing where {said} should be", retry=False)
        return {name: value for name, value in values.items() if value is not ABSENT}


def wanted_of(score: EvaluationScore, scope: Scope, columns: Sequence[str] = ()) -> Wanted:
    """Returns what `score` reads, in the words that were checked when the evaluation was made."""
    sources = {name: read_source(text, scope, columns) for name, text in score.mapping.items()}
    return Wanted(sources, frozenset(score.pinned["required"]))
