"""What the prompt endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import ConfigDict, Field

from arcane.kit.schema import Schema
from arcane.kit.seen import Seen
from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat, Tool, ToolCall
from arcane.prompts.difference import Change, Difference
from arcane.prompts.drafts import PromptKind, VersionDraft
from arcane.prompts.names import PromptName
from arcane.prompts.service import PromptChange
from arcane.prompts.views import PromptView, VersionView

Description = Annotated[str, Field(max_length=2_000)]
Metadata = Annotated[dict[str, str | int | float | bool | None], Field(max_length=50, examples=[{"team": "support"}])]
Reference = Annotated[
    str, Field(max_length=48, description="`v3`, `latest`, a label, or an id.", examples=["production"])
]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class ToolCallBody(_In):
    """A call of a tool. `arguments` is JSON as a text."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    id: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=64)]
    arguments: Annotated[str, Field(max_length=200_000)]


class MessageIn(_In):
    """A message of a prompt; its text is a template."""

    role: Role
    text: str = ""
    tool_calls: Annotated[list[ToolCallBody], Field(max_length=128)] = []
    tool_call_id: Annotated[str, Field(max_length=200, description="Which call a tool's answer is to.")] = ""
    tool_name: Annotated[str, Field(max_length=64)] = ""

    def message(self) -> ChatMessage:
        """Returns it as the worker knows it."""
        calls = tuple(ToolCall(one.id, one.name, one.arguments) for one in self.tool_calls)
        return ChatMessage(
            role=self.role,
            text=self.text,
            tool_calls=calls,
            tool_call_id=self.tool_call_id,
            tool_name=self.tool_name,
        )


class ToolBody(_In):
    """A tool that the model may call; `parameters` is a JSON schema."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: Annotated[str, Field(max_length=64, examples=["look_up"])]
    description: Annotated[str, Field(max_length=10_000)] = ""
    parameters: dict[str, Any] = {}


class VersionIn(_In):
    """A version. A text prompt has one message, of the user."""

    kind: PromptKind = PromptKind.CHAT
    messages: list[MessageIn]
    format: TemplateFormat = TemplateFormat.MUSTACHE
    tools: list[ToolBody] = []
    tool_choice: Annotated[str, Field(max_length=64, description="auto, none, required, or a tool's name.")] = "auto"
    response_schema: Annotated[dict[str, Any] | None, Field(description="The JSON schema an answer shall have.")] = None
    parameters: Annotated[dict[str, Any], Field(examples=[{"temperature": 0.2}])] = {}
    model_configuration_id: UUID
    description: Description = ""

    def draft(self) -> VersionDraft:
        """Returns it as the service takes it."""
        spec = PromptSpec(
            messages=tuple(one.message() for one in self.messages),
            format=self.format,
            tools=tuple(Tool(name=t.name, description=t.description, parameters=t.parameters) for t in self.tools),
            tool_choice=self.tool_choice,
            response_schema=self.response_schema,
            parameters=self.parameters,
        )
        return VersionDraft(
            spec=spec,
            model_configuration_id=self.model_configuration_id,
            kind=self.kind,
            description=self.description,
        )


class PromptIn(_In):
    """A new prompt and its first version, v0."""

    name: PromptName
    description: Description = ""
    metadata: Metadata = {}
    version: VersionIn

    def change(self) -> PromptChange:
        """Returns what the prompt is called."""
        return PromptChange(name=self.name, description=self.description, extra=self.metadata)


class PromptPatch(_In):
    """What shall be different; versions stay as they are."""

    name: PromptName | None = None
    description: Description | None = None
    metadata: Metadata | None = None
    seen: Seen = None

    def change(self) -> PromptChange:
        """Returns it as the service takes it."""
        return PromptChange(name=self.name, description=self.description, extra=self.metadata, seen=self.seen)


class LabelIn(_In):
    """Where a label shall point."""

    version: Reference


class LabelOut(_Out):
    """A label and the one version it points at."""

    label: str
    version_id: UUID
    number: int
    set_by: str
    updated_at: datetime


class PromptOut(_Out):
    """A prompt. `latest` is the number of its newest version; the label `production` marks the promoted one."""

    id: UUID
    name: str
    description: str
    metadata: dict[str, Any]
    latest: int
    labels: list[LabelOut]
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: PromptView) -> PromptOut:
        """Returns `view` as it is shown."""
        shared = {name: getattr(view, name) for name in cls.model_fields if name not in ("metadata", "labels")}
        return cls(metadata=dict(view.extra), labels=[LabelOut.model_validate(one) for one in view.labels], **shared)


class PromptPage(Schema):
    """Some of the prompts, by name."""

    items: list[PromptOut]
    next: str | None


class MessageOut(_Out):
    """A message of a prompt."""

    role: Role
    text: str
    tool_calls: list[ToolCallBody]
    tool_call_id: str
    tool_name: str


class VersionOut(Schema):
    """A version. `variables` are the names its templates know, `required` those that need a value."""

    id: UUID
    prompt_id: UUID
    number: int
    name: str
    kind: PromptKind
    description: str
    messages: list[MessageOut]
    format: TemplateFormat
    tools: list[ToolBody]
    tool_choice: str
    response_schema: dict[str, Any] | None
    parameters: dict[str, Any]
    variables: list[str]
    required: list[str]
    model_configuration_id: UUID
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, view: VersionView) -> VersionOut:
        """Returns `view` as it is shown."""
        said = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name)}
        spec: dict[str, Any] = msgspec.to_builtins(view.spec)
        return cls.model_validate({**said, **spec})


class VersionPage(Schema):
    """Some of the versions of a prompt, newest first."""

    items: list[VersionOut]
    next: str | None


class PromptCreated(Schema):
    """A new prompt and its first version."""

    prompt: PromptOut
    version: VersionOut


class PieceOut(_Out):
    """A stretch of text: `same`, `added` or `removed`."""

    change: Change
    text: str


class MessageDifferenceOut(_Out):
    """One message, in words."""

    change: Change
    role: str
    pieces: list[PieceOut]


class FieldDifferenceOut(_Out):
    """A parameter, tool or other setting, as JSON; null where it is not there."""

    name: str
    before: str | None
    after: str | None


class DifferenceOut(_Out):
    """What it takes to get from one version to another."""

    empty: bool
    messages: list[MessageDifferenceOut]
    fields: list[FieldDifferenceOut]

    @classmethod
    def of(cls, difference: Difference) -> DifferenceOut:
        """Returns `difference` as it is shown."""
        return cls.model_validate(difference)


class TemplatesIn(_In):
    """Messages whose templates are to be read."""

    messages: Annotated[list[MessageIn], Field(max_length=1_000)]
    format: TemplateFormat = TemplateFormat.MUSTACHE


class TemplateFault(Schema):
    """What is wrong with a template: in which message (from 0), line and column (from 1; 0 is not known)."""

    message: int
    line: int
    column: int
    detail: str


class TemplatesOut(Schema):
    """The names that the templates know, those that need a value, and the first fault."""

    variables: list[str]
    required: list[str]
    fault: TemplateFault | None
