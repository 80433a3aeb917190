"""What the endpoints of model configurations take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from arcane.catalog.schemas import FormFieldOut, Settings
from arcane.kit.schema import Schema
from arcane.messaging.generation import Price
from arcane.models.configure import Change, Draft
from arcane.models.providers import ProviderKind
from arcane.models.running import ModelTest

_DEAREST = 1_000_000.0
_EXAMPLE = {"api_key": "sk-..."}

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["GPT for judging"])]
ModelName = Annotated[str, Field(min_length=1, max_length=200, examples=["gpt-5-mini"])]
ProviderKey = Annotated[str, Field(max_length=100, examples=["openai"])]
SettingsIn = Annotated[
    Settings, Field(description="The fields of the provider's form, see `model-providers`.", examples=[_EXAMPLE])
]
ParametersIn = Annotated[
    Settings,
    Field(
        description="What goes with every call; which there are depends on the provider.",
        examples=[{"temperature": 0.2, "max_tokens": 1000}],
    ),
]
Dollars = Annotated[float, Field(ge=0, le=_DEAREST, examples=[0.25])]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class PriceIn(_In):
    """What a million tokens cost, in US dollars, where the public list does not know it or is wrong."""

    input_usd: Dollars
    output_usd: Dollars

    def price(self) -> Price:
        """Returns it as the service takes it."""
        return Price(self.input_usd, self.output_usd)


class PriceOut(_Out):
    """What a million tokens cost, in US dollars."""

    input_usd: float
    output_usd: float


class ModelConfigurationIn(_In):
    """A new model configuration."""

    name: Name
    provider: ProviderKey
    model: ModelName
    settings: SettingsIn
    parameters: ParametersIn = Field(default_factory=dict)
    price: PriceIn | None = None

    def draft(self) -> Draft:
        """Returns it as the service takes it."""
        price = self.price.price() if self.price else None
        return Draft(self.name, self.provider, self.model, self.settings, self.parameters, price)


class ModelConfigurationPatch(_In):
    """What shall be different. A secret that is left out, or sent back as `********`, is kept.

    The provider stays: what refers to the configuration was made for it.
    """

    name: Name | None = None
    model: ModelName | None = None
    settings: Annotated[
        Settings | None,
        Field(
            description="A merge patch (RFC 7396): null sets a field back to its default. When the address's scheme, "
            "host or port changes, secrets have to be sent again."
        ),
    ] = None
    parameters: Annotated[Settings | None, Field(description="A merge patch: null takes a parameter away.")] = None
    price: Annotated[PriceIn | None, Field(description="null: the public list's price counts again.")] = None
    version: Annotated[
        int | None, Field(ge=1, description="The version the change was made for; 409 when it is another by now.")
    ] = None

    def change(self) -> Change:
        """Returns it as the service takes it."""
        return Change(
            name=self.name,
            model=self.model,
            settings=self.settings,
            parameters=self.parameters,
            price=self.price.price() if self.price else None,
            reprice="price" in self.model_fields_set,
            version=self.version,
        )


class ModelConfigurationOut(_Out):
    """A model configuration. Set secrets read `********`; `secret_set` has every secret field."""

    id: UUID
    name: str
    provider: str
    provider_title: str
    model: str
    settings: dict[str, Any]
    secret_set: Annotated[dict[str, bool], Field(examples=[{"api_key": True}])]
    parameters: dict[str, Any]
    price: PriceOut | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class ModelConfigurationPage(_Out):
    """Some of the model configurations, by name."""

    items: list[ModelConfigurationOut]
    next: str | None


class ModelProviderOut(Schema):
    """A provider, and the forms of its settings and parameters."""

    provider: str
    title: str
    summary: str
    example: Annotated[str, Field(description="A model that it has.")]
    settings: list[FormFieldOut]
    parameters: list[FormFieldOut]

    @classmethod
    def of(cls, kind: ProviderKind) -> ModelProviderOut:
        """Returns `kind` as it is shown."""
        return cls(
            provider=kind.key,
            title=kind.title,
            summary=kind.summary,
            example=kind.example,
            settings=[FormFieldOut.model_validate(field) for field in kind.fields],
            parameters=[FormFieldOut.model_validate(field) for field in kind.parameter_fields],
        )


class ModelProviders(Schema):
    """Every provider there is."""

    items: list[ModelProviderOut]
    next: None


class ModelTestOut(Schema):
    """What a test found. `ok` false is an answer, not a failure of the request: `error` says why."""

    ok: bool
    model: Annotated[str | None, Field(description="The name under which the provider answered.")]
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Annotated[float | None, Field(description="null where no price is known.")]
    worker: str | None
    error: str | None
    cause: Annotated[str | None, Field(examples=["authentication"])]
    detail: Annotated[str | None, Field(description="What the provider said itself.")]

    @classmethod
    def of(cls, test: ModelTest) -> ModelTestOut:
        """Returns `test` as it is shown."""
        usage = test.usage
        return cls(
            ok=test.ok,
            model=test.model or None,
            latency_ms=usage.latency_ms if usage else None,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cost_usd=usage.cost_usd if usage else None,
            worker=test.worker or None,
            error=test.error or None,
            cause=test.cause or None,
            detail=test.detail or None,
        )
