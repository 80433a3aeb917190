"""What the datasource endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from arcane.catalog.breaker import BreakerState
from arcane.catalog.connection import ConnectionTest
from arcane.catalog.editing import Change, Draft
from arcane.catalog.form import FieldType
from arcane.catalog.registry import Kind
from arcane.catalog.words import as_data
from arcane.kit.nesting import TooDeep, is_storable, values
from arcane.kit.schema import Schema
from arcane.model.time import datetime_of

_EXAMPLE = {"url": "https://tempo.example.com", "auth": "bearer", "token": "glc_..."}
_DEEPEST = 16

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Production Tempo"])]
Description = Annotated[str, Field(max_length=2_000)]
KindName = Annotated[str, Field(max_length=100, examples=["tempo"])]


def _storable(document: dict[str, Any]) -> dict[str, Any]:
    """Settings are shallow, and every text in them can be stored."""
    try:
        for value in values(document, _DEEPEST):
            if isinstance(value, str) and not is_storable(value):
                raise ValueError("a text holds a character that cannot be stored")
    except TooDeep:
        raise ValueError(f"settings are at most {_DEEPEST} levels deep") from None
    return document


Settings = Annotated[dict[str, Any], AfterValidator(_storable)]
SettingsIn = Annotated[
    Settings,
    Field(description="The fields of the kind's form, see `datasource-kinds`.", examples=[_EXAMPLE]),
]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class DatasourceIn(_In):
    """A new datasource."""

    kind: KindName
    name: Name
    description: Description = ""
    settings: SettingsIn

    def draft(self) -> Draft:
        """Returns it as the service takes it."""
        return Draft(kind=self.kind, name=self.name, settings=self.settings, description=self.description)


class DatasourcePatch(_In):
    """What shall be different. A secret that is left out, or sent back as `********`, is kept."""

    name: Name | None = None
    description: Description | None = None
    settings: Annotated[
        Settings | None,
        Field(
            description="A merge patch (RFC 7396): null sets a field back to its default. When the address's scheme, "
            "host or port changes, secrets have to be sent again.",
            examples=[{"tenant": "team-a"}],
        ),
    ] = None
    version: Annotated[
        int | None, Field(ge=1, description="The version the change was made for; 409 when it is another by now.")
    ] = None

    def change(self) -> Change:
        """Returns it as the service takes it."""
        return Change(self.name, self.description, self.settings, self.version)


class ConnectionTestIn(_In):
    """Settings to try that are not stored."""

    kind: KindName
    settings: SettingsIn


class ConnectionRetestIn(_In):
    """Changes to try on a stored datasource, as in a PATCH."""

    settings: Settings | None = None


class SourceErrorOut(_Out):
    """Why a datasource did not answer."""

    kind: Annotated[str, Field(examples=["unreachable"])]
    message: str
    retry_after_s: float | None


class HealthOut(_Out):
    """How the datasource answered the process that answers you, since it started."""

    status: Annotated[str, Field(description="ok, failing or unknown", examples=["ok"])]
    last_ok_at: datetime | None
    last_error_at: datetime | None
    error: SourceErrorOut | None
    latency_ms: Annotated[float | None, Field(description="Of the latest answer.")]
    p50_ms: Annotated[float | None, Field(description="Median over the latest answers.", examples=[12.5])]
    p95_ms: Annotated[float | None, Field(description="95 % of the latest answers were at most this slow.")]
    answers: Annotated[int, Field(description="Calls that were answered.")]
    faults: Annotated[int, Field(description="Calls that the datasource failed: time-outs, connections, 5xx.")]
    repeats: Annotated[int, Field(description="Requests that were sent again.")]
    breaker: Annotated[BreakerState, Field(description="Whether it is asked; an open one is left in peace.")]
    retry_at: Annotated[datetime | None, Field(description="When a datasource left in peace is tried again.")]


class DatasourceOut(_Out):
    """A datasource. Set secrets read `********`; `secret_set` has every secret field."""

    id: UUID
    kind: str
    kind_title: str
    name: str
    description: str
    settings: dict[str, Any]
    secret_set: Annotated[dict[str, bool], Field(examples=[{"token": True, "password": False}])]
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    available: bool
    unavailable_reason: str | None
    health: HealthOut


class DatasourcePage(_Out):
    """Some of the datasources, by name."""

    items: list[DatasourceOut]
    next: str | None


class ReadableDatasourceOut(_Out):
    """A datasource, as somebody who reads traces sees it."""

    id: UUID
    name: str
    kind: str
    health: HealthOut


class ReadableDatasources(_Out):
    """All datasources that a project's questions may be put to."""

    items: list[ReadableDatasourceOut]
    next: None


class ChoiceOut(_Out):
    """One of the values a field may have."""

    value: str
    label: str


class ConditionOut(_Out):
    """The field that decides whether another one counts, and its values for which it does."""

    field: str
    values: list[str]


class FormFieldOut(_Out):
    """A field of the form. `name` is a path into `settings`, parts parted by `/`."""

    name: str
    label: str
    type: FieldType
    required: bool
    help: str
    secret: bool
    default: Any
    choices: list[ChoiceOut]
    group: str
    placeholder: str
    minimum: float | None
    maximum: float | None
    max_length: int | None
    when: ConditionOut | None


class KindOut(Schema):
    """A kind of datasource that an installed package provides, and its form."""

    kind: str
    title: str
    summary: str
    package: str
    available: bool
    reason: str | None
    hint: str | None
    fields: list[FormFieldOut]

    @classmethod
    def of(cls, kind: Kind) -> KindOut:
        """Returns `kind` as it is shown."""
        return cls(
            kind=kind.kind,
            title=kind.title,
            summary=kind.summary,
            package=kind.package,
            available=kind.available,
            reason=kind.reason or None,
            hint=kind.hint or None,
            fields=[FormFieldOut.model_validate(field) for field in kind.fields],
        )


class Kinds(Schema):
    """Every kind that was found, those that cannot be used included."""

    items: list[KindOut]
    next: None


class ConnectionTestOut(Schema):
    """What a test found. `ok` false is an answer, not a failure of the request: `error` says why."""

    ok: bool
    version: str | None
    latency_ms: float | None
    newest_trace: datetime | None
    newest_trace_ns: Annotated[str | None, Field(description="Nanoseconds since the epoch.")]
    capabilities: dict[str, Any] | None
    can: Annotated[list[str], Field(description="The capabilities in words.")]
    findings: list[str]
    error: SourceErrorOut | None

    @classmethod
    def of(cls, test: ConnectionTest) -> ConnectionTestOut:
        """Returns `test` as it is shown."""
        newest = test.newest_trace
        return cls(
            ok=test.ok,
            version=test.version,
            latency_ms=test.latency_ms,
            newest_trace=None if newest is None else datetime_of(newest),
            newest_trace_ns=None if newest is None else str(newest),
            capabilities=None if test.abilities is None else as_data(test.abilities),
            can=list(test.can),
            findings=list(test.findings),
            error=None if test.error is None else SourceErrorOut.model_validate(test.error),
        )
