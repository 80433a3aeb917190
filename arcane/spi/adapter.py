"""The two things a datasource author writes: an Adapter and the DatasourcePlugin that makes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.capabilities import Capabilities
from arcane.spi.defaults import scan_attribute_names, scan_attribute_values
from arcane.spi.described import SentRequest
from arcane.spi.http import HttpSession
from arcane.spi.metrics import MetricsAnswer, MetricsRequest
from arcane.spi.scan import (
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Health,
    ScanPage,
    ScanRequest,
)
from arcane.traceql.ast import Field

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the host hands an adapter: the one way out over HTTP, and bounds."""

    http: HttpSession
    max_response_bytes: int
    max_index_bytes: int = 256 * 1024 * 1024
    """Most memory an adapter may use to index what it reads itself."""
    file_roots: tuple[Path, ...] = ()
    """Folders below which an adapter may read files; empty means none."""


class Adapter(ABC):
    """A live connection to one datasource. Used by many requests at once; holds no state of any of them."""

    capabilities: Capabilities

    @abstractmethod
    def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        """Yields up to `request.limit` traces in pages; see ScanPage for what the last page says.

        Raises DatasourceError. Closing the generator ends the upstream request.
        """

    @abstractmethod
    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """Returns every span of the trace this datasource has, or None; `within` may help it look faster."""

    @abstractmethod
    async def check(self, deadline: Deadline) -> Health:
        """Returns what answers at the other end; raises DatasourceError saying what to change."""

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        """Returns names seen in the window, found by scanning where the backend has no index."""
        return await scan_attribute_names(self, query, deadline)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        """Returns values of `field` seen in the window, found by scanning where the backend has no index."""
        return await scan_attribute_values(self, field, query, deadline)

    async def metrics(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        """Returns what the backend measured, exactly as Arcane would; None, and Arcane evaluates the spans itself.

        Asked only for what `capabilities.metrics` says; may still be None for this one request.
        Raises DatasourceError.
        """
        return None

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """Returns what `scan` would send for `request`, and with `whole` how each candidate is then read.

        Nothing is sent, and no secret is told: whoever may search sees it. What stands here is what the
        adapter knows without asking; by default nothing.
        """
        return ()

    def describe_metrics(self, request: MetricsRequest) -> tuple[SentRequest, ...] | None:
        """Returns what `metrics` would send, as `describe` does; None where it is known that it will not measure."""
        return ()

    async def aclose(self) -> None:  # noqa: B027 - most adapters hold nothing to close
        """Frees what the adapter holds. No call is under way or follows."""


class DatasourcePlugin(ABC, Generic[S]):
    """A kind of datasource. One instance a kind, found through the entry-point group `arcane.datasources`."""

    kind: ClassVar[str]
    """Stable identifier, stored with every datasource: `tempo`."""
    title: ClassVar[str]
    """What a person reads: `Grafana Tempo`."""
    summary: ClassVar[str]
    """One sentence for the list of kinds."""
    settings: type[S]
    """The form: a pydantic model; SecretStr fields are encrypted at rest and masked; `title`,
    `description` and `json_schema_extra` of a field are what the form shows."""

    @abstractmethod
    def base_url(self, settings: S) -> str | None:
        """Returns the URL that all HTTP requests are relative to, or None when there is none."""

    @abstractmethod
    def headers(self, settings: S) -> dict[str, str]:
        """Returns headers for every request, credentials included; they are sent to `base_url`'s host only."""

    @abstractmethod
    def connect(self, settings: S, context: AdapterContext) -> Adapter:
        """Returns a live adapter; makes no request yet."""
