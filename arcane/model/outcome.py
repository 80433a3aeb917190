"""How an answer says whether it is complete (R4): one outcome per datasource that was asked."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import structs


class SourceStatus(StrEnum):
    """How a datasource answered."""

    OK = "ok"  # everything that was asked for
    PARTIAL = "partial"  # rows came, and some are known to be missing (see warnings)
    APPROXIMATE = "approximate"  # a bound was reached: what is missing is not known
    FAILED = "failed"  # no rows (see error)
    SKIPPED = "skipped"  # not asked, and why


class SourceError(msgspec.Struct, frozen=True, gc=False):
    """Why a datasource failed; `kind` is the DatasourceError's, `message` is safe to show."""

    kind: str
    message: str
    retry_after_s: float | None = None


class SourceOutcome(msgspec.Struct, frozen=True, gc=False):
    """What one datasource contributed. `pushed` and `residual` are canonical TraceQL, None where nothing was."""

    datasource_id: str
    name: str
    kind: str
    status: SourceStatus
    rows: int
    elapsed_ms: float
    pushed: str | None = None
    residual: str | None = None
    warnings: tuple[str, ...] = ()
    error: SourceError | None = None

    def of_nothing(self) -> SourceOutcome:
        """Returns what it would be, had the datasource nothing of what was asked for."""
        return self if self.error else structs.replace(self, status=SourceStatus.OK, rows=0, warnings=())


class QueryOutcome(msgspec.Struct, frozen=True, gc=False):
    """All sources of one answer."""

    sources: tuple[SourceOutcome, ...]

    @property
    def complete(self) -> bool:
        """True when every source answered in full."""
        return all(source.status is SourceStatus.OK for source in self.sources)
