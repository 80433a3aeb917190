"""What prompts need to know of model configurations."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.messaging.generation import ModelSpec


class Configurations(Protocol):
    """Knows the model configurations of the organisation whose transaction it is."""

    async def spec(self, session: AsyncSession, configuration_id: UUID) -> ModelSpec:
        """Returns which model that is, without its secrets; raises NotFound."""
        ...
