"""What published clients send about evaluations, and what it means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from arcane.catalog.schemas import Settings
from arcane.datasets.sources import Place, Scope
from arcane.evaluations.words import Draft, Mode, Verdict
from arcane.experiments.schemas import Description, Name
from arcane.kit.schema import Schema

ANSWER: Final = "experiment_result"
"""What the original called the answer of an experiment, among the names of columns."""
IMPORTED_MAX: Final = 10_000
_SCOPES: Final = {"DATASET": Scope.DATASET, "EXPERIMENT": Scope.EXPERIMENTS}
_OUTPUT: Final = f"{Place.EXPERIMENT}:output"
_COLUMN: Final = f"{Place.COLUMN}:"
_Variables = Annotated[dict[str, Annotated[str, Field(max_length=4_000)]], Field(max_length=100)]
_Value = Annotated[float, Field(allow_inf_nan=False)]
_Reasoning = Annotated[str | None, Field(max_length=20_000)]


class _In(Schema):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class NewEvaluation(_In):
    """An evaluation over a dataset or over experiments."""

    evaluation_type: Annotated[Literal["AUTOMATIC", "MANUAL"], Field(alias="evaluationType")]
    evaluation_scope: Annotated[Literal["DATASET", "EXPERIMENT"], Field(alias="evaluationScope")]
    name: Name
    description: Description | None = None
    score_ids: Annotated[list[UUID], Field(alias="scoreIds", min_length=1, max_length=50)]
    dataset_id: Annotated[UUID | None, Field(alias="datasetId")] = None
    experiment_ids: Annotated[list[UUID] | None, Field(alias="experimentIds", max_length=20)] = None
    metadata: Annotated[Settings | None, Field(max_length=50)] = None
    score_mappings: Annotated[dict[UUID, _Variables] | None, Field(alias="scoreMappings", max_length=50)] = None
    ragas_model_configuration_id: Annotated[UUID | None, Field(alias="ragasModelConfigurationId")] = None

    def draft(self) -> Draft:
        """Returns it as the service takes it."""
        scope = _SCOPES[self.evaluation_scope]
        return Draft(
            name=self.name,
            description=self.description or "",
            mode=Mode(self.evaluation_type.lower()),
            scope=scope,
            dataset_id=self.dataset_id,
            experiment_ids=tuple(dict.fromkeys(self.experiment_ids or ())),
            scores=tuple(dict.fromkeys(self.score_ids)),
            mappings={
                score: {variable: source_of(name, scope) for variable, name in variables.items()}
                for score, variables in (self.score_mappings or {}).items()
            },
            model_configuration_id=self.ragas_model_configuration_id,
            metadata=self.metadata,
        )


class _About(_In):
    dataset_row_id: Annotated[UUID | None, Field(alias="datasetRowId")] = None
    experiment_result_id: Annotated[UUID | None, Field(alias="experimentResultId")] = None

    @model_validator(mode="after")
    def _about_one_thing(self) -> _About:
        if (self.dataset_row_id is None) == (self.experiment_result_id is None):
            raise ValueError("exactly one of datasetRowId and experimentResultId says what it is about")
        return self

    def verdict(self, value: float, reasoning: str | None) -> Verdict:
        """Returns what is said about it."""
        return Verdict(
            value, reasoning=reasoning or "", row_id=self.dataset_row_id, result_id=self.experiment_result_id
        )


class GivenValue(_In):
    """What one score says. Of a score with labels, the value of one."""

    score_id: Annotated[UUID, Field(alias="scoreId")]
    value: _Value
    reasoning: _Reasoning = None


class NewEvaluationResult(_About):
    """What several scores say of one thing."""

    score_results: Annotated[list[GivenValue], Field(alias="scoreResults", min_length=1, max_length=50)]

    def verdicts(self) -> dict[UUID, Sequence[Verdict]]:
        """Returns them by score; a score that is named twice is said twice of one thing, which is refused."""
        found: dict[UUID, list[Verdict]] = {}
        for one in self.score_results:
            found.setdefault(one.score_id, []).append(self.verdict(one.value, one.reasoning))
        return {**found}


class ImportedValue(_About):
    """What the score says of one thing."""

    value: _Value
    reasoning: _Reasoning = None


class ImportedValues(_In):
    """What one score says of many things. Either all are taken, or none."""

    results: Annotated[list[ImportedValue], Field(min_length=1, max_length=IMPORTED_MAX)]

    def verdicts(self) -> list[Verdict]:
        """Returns them as the service takes them."""
        return [one.verdict(one.value, one.reasoning) for one in self.results]


def source_of(name: str, scope: Scope) -> str:
    """Returns the source that the original's name means: a column, or the answer of the experiment."""
    return _OUTPUT if scope is Scope.EXPERIMENTS and name == ANSWER else f"{_COLUMN}{name}"


def name_of(source: str) -> str:
    """Returns the original's name for a source; a source that it did not have stays as it is written here."""
    return ANSWER if source == _OUTPUT else source.removeprefix(_COLUMN)


def names_of(mapping: Mapping[str, str]) -> dict[str, Any]:
    """Returns a score's mapping as the original wrote it."""
    return {variable: name_of(source) for variable, source in mapping.items()}
