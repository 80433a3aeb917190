"""What every schema of this slice shares. Answers have no defaults, so clients can rely on every member."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from arcane.kit.schema import Schema

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=256)]
AttributeName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
AttributeValue = Annotated[str, StringConstraints(min_length=1, max_length=255)]
RoleIds = Annotated[list[UUID], Field(max_length=100)]


class Body(Schema):
    """Base of what is taken: an unknown member is an error."""

    model_config = ConfigDict(extra="forbid")


class Answer(Schema):
    """Base of what is answered; made of rows and views by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class RoleNameOut(Answer):
    """A role, to be shown."""

    id: UUID
    name: str
