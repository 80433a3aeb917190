"""A scorer: what it is called and reads, its settings, and the function that gives a verdict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError

from arcane.messaging.scoring import ScorerDescription, ScorerSpec, Verdict
from worker.scoring.errors import BadScorerSettings
from worker.scoring.inputs import Inputs
from worker.scoring.toolbox import Toolbox


class ScorerSettings(BaseModel):
    """Base of all settings: what is not known is refused. The fields' titles and descriptions make the form."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=ScorerSettings)
Score = Callable[[Inputs, S, Toolbox], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class Scorer(Generic[S]):
    """One scorer. A module of `worker.scorers` holds exactly one, as SCORER."""

    description: ScorerDescription
    settings: type[S]
    score: Score[S]

    def announced(self) -> ScorerDescription:
        """Returns the description with the JSON schema of the settings, as forms need it."""
        return msgspec.structs.replace(self.description, settings=self.settings.model_json_schema())

    def configured(self, spec: ScorerSpec) -> S:
        """Returns the settings of `spec`; raises BadScorerSettings naming the first that does not fit."""
        try:
            return self.settings.model_validate(dict(spec.settings))
        except ValidationError as exc:
            fault = exc.errors(include_url=False, include_input=False, include_context=False)[0]
            where = "/".join(map(str, fault["loc"])) or "settings"
            raise BadScorerSettings(f"{where}: {fault['msg'].removeprefix('Value error, ')}") from None


AnyScorer = Scorer[Any]
