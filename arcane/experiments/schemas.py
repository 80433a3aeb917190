"""What the experiments' endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import AfterValidator, ConfigDict, Field

from arcane.experiments.difference import Piece, difference
from arcane.experiments.service.results import Side, SideBySide
from arcane.experiments.words import Again, Draft, Reported, State, Status
from arcane.kit.nesting import is_deeper
from arcane.kit.schema import Schema

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Terse answers, September set"])]
Description = Annotated[str, Field(max_length=2_000)]
Mapping = Annotated[
    dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=200)]],
    Field(
        max_length=200,
        description="Variable of the prompt -> column of the dataset. A variable that is left out takes the column of "
        "its own name.",
        examples=[{"question": "user_input"}],
    ),
]
_LONGEST_OUTPUT = 1_000_000
_DEEPEST = 100
_LONGEST_MS = 1e12
_MOST_TOKENS = 2**40
_DEAREST_USD = 1_000_000
"""Of one answer: what a million of them add up to is still a number that can be stored."""


def _readable(value: Any) -> Any:
    """Returns the value, which can be stored, and shown to whoever looks at it; raises ValueError for another."""
    if is_deeper(value, _DEEPEST):
        raise ValueError(f"an answer is at most {_DEEPEST} levels deep")
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ValueError("an answer holds half of a character, which cannot be stored") from None
    return value


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class ExperimentIn(_In):
    """A new experiment."""

    name: Name
    description: Description = ""
    prompt_version_id: Annotated[
        UUID | None, Field(description="Left out, results come from outside: report them.")
    ] = None
    model_configuration_id: Annotated[
        UUID | None, Field(description="The model, where it is another than the prompt version's.")
    ] = None
    dataset_id: UUID
    dataset_version: Annotated[int | None, Field(ge=1, description="The newest where it is left out.")] = None
    split: Annotated[str | None, Field(max_length=100, description="Only rows of this split.")] = None
    mapping: Mapping = {}

    def draft(self) -> Draft:
        """Returns it as the service takes it."""
        return Draft(**dict(self))


class ExperimentPatch(_In):
    """What shall be different: what an experiment was made of never is."""

    name: Name | None = None
    description: Description | None = None


class RerunIn(_In):
    """Which rows are done again. What they answered before is replaced."""

    rows: Again = Again.FAILED


class ResultIn(_In):
    """What your own program answered for a row, or why it did not."""

    row_id: UUID
    output: Annotated[str, Field(max_length=_LONGEST_OUTPUT)] = ""
    structured: Annotated[Any, AfterValidator(_readable)] = None
    tool_calls: Annotated[list[dict[str, Any]], Field(max_length=100), AfterValidator(_readable)] = []
    latency_ms: Annotated[float | None, Field(ge=0, le=_LONGEST_MS)] = None
    input_tokens: Annotated[int | None, Field(ge=0, le=_MOST_TOKENS)] = None
    output_tokens: Annotated[int | None, Field(ge=0, le=_MOST_TOKENS)] = None
    cost_usd: Annotated[float | None, Field(ge=0, le=_DEAREST_USD)] = None
    error: Annotated[str, Field(max_length=2_000)] = ""

    def reported(self) -> Reported:
        """Returns it as the service takes it."""
        return Reported(**dict(self))


class TallyOut(_Out):
    """How far it is, and what it took."""

    total: int
    done: int
    failed: int
    open: int
    input_tokens: int
    output_tokens: int
    cost_usd: Annotated[float, Field(description="Of calls with a known price; reruns add to it.")]
    unpriced: Annotated[int, Field(description="Answers whose model has no known price: they are in no cost.")]


class ExperimentOut(_Out):
    """An experiment. `pinned` says what prompt, model and dataset were called when it was made."""

    id: UUID
    name: str
    description: str
    prompt_version_id: UUID | None
    model_configuration_id: UUID | None
    dataset_id: UUID
    dataset_version: int
    split: str | None
    mapping: dict[str, str]
    pinned: dict[str, Any]
    state: State
    run_id: UUID | None
    tally: TallyOut
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class ExperimentPage(_Out):
    """Some of the experiments, newest first."""

    items: list[ExperimentOut]
    next: str | None


class ExperimentResultOut(_Out):
    """What came of one row. `values` are the row's; empty where the dataset was deleted."""

    id: UUID
    row_id: UUID
    ordinal: int
    status: Status
    values: dict[str, Any]
    output: str
    tool_calls: list[dict[str, Any]]
    structured: Any
    finish_reason: str
    model: str
    error: str
    attempts: int
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Annotated[float | None, Field(description="Of the answer that is here; the tally has all tries.")]
    created_at: datetime
    finished_at: datetime | None


class ExperimentResultPage(_Out):
    """Some of the results, in the order that was asked for."""

    items: list[ExperimentResultOut]
    next: str | None


class PieceOut(_Out):
    """A part of an answer: in both (`""`), in the first experiment's only (`-`), in this one's only (`+`)."""

    text: str
    change: str


class SideOut(Schema):
    """One row of the experiments. `differences[n]` is of `results[n]` from the first; null for itself."""

    row_id: UUID
    ordinal: int
    values: dict[str, Any]
    results: list[ExperimentResultOut | None]
    differences: list[list[PieceOut] | None]

    @classmethod
    def of(cls, side: Side) -> SideOut:
        """Returns `side` as it is shown."""
        return cls(
            row_id=side.row_id,
            ordinal=side.ordinal,
            values=dict(side.values),
            results=[None if one is None else ExperimentResultOut.model_validate(one) for one in side.results],
            differences=[
                None if found is None else [PieceOut.model_validate(piece) for piece in found]
                for found in differences_of(side)
            ],
        )


class ComparisonOut(Schema):
    """Experiments side by side, row by row."""

    experiments: list[ExperimentOut]
    items: list[SideOut]
    next: str | None

    @classmethod
    def of(cls, found: SideBySide) -> ComparisonOut:
        """Returns `found` as it is shown."""
        return cls(
            experiments=[ExperimentOut.model_validate(one) for one in found.experiments],
            items=[SideOut.of(side) for side in found.rows.items],
            next=found.rows.next,
        )


def differences_of(side: Side) -> list[tuple[Piece, ...] | None]:
    """Returns how each answer differs from the first; None for the first, and where there is none of them."""
    first = side.results[0]
    return [
        None if number == 0 or first is None or one is None else difference(first.output, one.output)
        for number, one in enumerate(side.results)
    ]
