"""What is shown of a model configuration. No secret is ever part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from arcane.catalog.sealing import masked
from arcane.messaging.generation import Price
from arcane.models.configure import price_of
from arcane.models.providers import kind_of
from arcane.models.tables import ModelConfiguration


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model configuration. Set secrets read `********` in `settings`; `secret_set` has every secret field."""

    id: UUID
    name: str
    provider: str
    provider_title: str
    model: str
    settings: dict[str, Any]
    secret_set: dict[str, bool]
    parameters: dict[str, Any]
    price: Price | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: ModelConfiguration) -> ModelView:
        """Returns what may be seen of `row`."""
        kind = kind_of(row.provider)
        declared = {field.name for field in kind.fields if field.secret} if kind else set()
        held = {pointer.removeprefix("/") for pointer in row.secrets}
        return cls(
            id=row.id,
            name=row.name,
            provider=row.provider,
            provider_title=kind.title if kind else row.provider,
            model=row.model,
            settings=masked(row.settings, row.secrets),
            secret_set={name: name in held for name in sorted(declared | held)},
            parameters=dict(row.parameters),
            price=price_of(row),
            version=row.version,
            created_by=row.created_by,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def audited(row: ModelConfiguration) -> dict[str, Any]:
    """Returns what the audit log keeps of a model configuration."""
    price = price_of(row)
    return {
        "name": row.name,
        "provider": row.provider,
        "model": row.model,
        "settings": masked(row.settings, row.secrets),
        "parameters": row.parameters,
        "price": None if price is None else {"input_usd": price.input_usd, "output_usd": price.output_usd},
        "version": row.version,
    }
