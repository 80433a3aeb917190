"""What services hand out of prompts: never a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from arcane.messaging.generation import PromptSpec
from arcane.prompting.render import required, variables
from arcane.prompts.drafts import PromptKind, VersionDraft, read
from arcane.prompts.names import PRODUCTION
from arcane.prompts.tables import Prompt, PromptLabel, PromptRun, PromptVersion


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label and the version it points at."""

    label: str
    version_id: UUID
    number: int
    set_by: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PromptView:
    """A prompt; `latest` is the number of its newest version."""

    id: UUID
    name: str
    description: str
    extra: Mapping[str, Any]
    latest: int
    labels: tuple[LabelView, ...]
    created_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def promoted(self) -> LabelView | None:
        """The version that callers get who ask for none."""
        return next((one for one in self.labels if one.label == PRODUCTION), None)

    def labels_of(self, number: int) -> tuple[str, ...]:
        """Returns the labels of one version, by name."""
        return tuple(one.label for one in self.labels if one.number == number)

    @classmethod
    def of(cls, row: Prompt, labels: Sequence[PromptLabel]) -> PromptView:
        """Returns `row` with its labels, by name."""
        found = tuple(
            LabelView(one.label, one.version_id, one.number, one.set_by, one.updated_at)
            for one in sorted(labels, key=lambda label: label.label)
        )
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            extra=row.extra,
            latest=row.next_number - 1,
            labels=found,
            created_by=row.created_by,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version, whole."""

    id: UUID
    prompt_id: UUID
    number: int
    kind: PromptKind
    description: str
    spec: PromptSpec
    model_configuration_id: UUID
    created_by: str
    created_at: datetime

    @property
    def name(self) -> str:
        """What a person calls it: v0, v1, ..."""
        return f"v{self.number}"

    @property
    def variables(self) -> list[str]:
        """The names its templates know."""
        return variables(self.spec)

    @property
    def required(self) -> list[str]:
        """Those of them that need a value."""
        return required(self.spec)

    @property
    def draft(self) -> VersionDraft:
        """What it says, to be run or changed into another one."""
        return VersionDraft(
            spec=self.spec,
            model_configuration_id=self.model_configuration_id,
            kind=self.kind,
            description=self.description,
        )

    @classmethod
    def of(cls, row: PromptVersion) -> VersionView:
        """Returns `row` as it is handed out."""
        return cls(
            id=row.id,
            prompt_id=row.prompt_id,
            number=row.number,
            kind=PromptKind(row.kind),
            description=row.description,
            spec=read(row.spec),
            model_configuration_id=row.model_configuration_id,
            created_by=row.created_by,
            created_at=row.created_at,
        )


def audited(row: Prompt) -> dict[str, Any]:
    """Returns what the audit log keeps of a prompt."""
    return {"name": row.name, "description": row.description, "metadata": row.extra}


@dataclass(frozen=True, slots=True)
class RunView:
    """What became of one run. Without inputs and output when it began with a span, or they were too long."""

    id: UUID
    prompt_id: UUID | None
    version_id: UUID | None
    version_number: int | None
    digest: str
    span: Mapping[str, str] | None
    model_configuration_id: UUID
    model: str
    status: str
    error: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    latency_ms: float | None
    inputs: Mapping[str, Any] | None
    output: str | None
    cut: bool
    created_by: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: PromptRun) -> RunView:
        """Returns `row` as it is handed out; the digest is shortened to what tells drafts apart."""
        shared = {name: getattr(row, name) for name in cls.__dataclass_fields__ if name not in ("digest", "span")}
        return cls(digest=row.digest.hex()[:12], span=row.trace, **shared)
