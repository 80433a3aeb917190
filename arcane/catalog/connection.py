"""Testing a connection: what answers, how fast, what is there, and what it can do. A failure is an answer too."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from arcane.catalog.observed import ObservedAdapter
from arcane.catalog.words import in_words
from arcane.kit.logging import get_logger
from arcane.model.deadline import Deadline
from arcane.model.notice import Notice
from arcane.model.outcome import SourceError
from arcane.spi.capabilities import Capabilities
from arcane.spi.errors import BadResponse, DatasourceError, TimedOut

log = get_logger("arcane.catalog")

_TIDY_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a test found. `newest_trace` is nanoseconds since the epoch; `can` says in words what it can do."""

    ok: bool
    version: str | None = None
    latency_ms: float | None = None
    newest_trace: int | None = None
    abilities: Capabilities | None = None
    can: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    error: SourceError | None = None

    @classmethod
    def failed(cls, error: DatasourceError) -> ConnectionTest:
        """Returns the test that found nothing but a reason."""
        return cls(ok=False, error=SourceError(error.kind, error.message, error.retry_after_s))


async def tested(adapter: ObservedAdapter, deadline: Deadline) -> ConnectionTest:
    """Returns what the adapter's check finds before the deadline, and closes the adapter."""
    try:
        return await _checked(adapter, deadline)
    except DatasourceError as exc:
        return ConnectionTest.failed(exc)
    except Exception as exc:  # noqa: BLE001 - a stranger's code: for the person who tests it, a bug is a finding
        log.error("adapter_check_broke", error=type(exc).__name__)
        return ConnectionTest.failed(
            BadResponse(Notice("the adapter broke while it was tested: %(error)s", error=type(exc).__name__))
        )
    finally:
        with anyio.move_on_after(_TIDY_UP_S, shield=True):
            await adapter.aclose()


async def _checked(adapter: ObservedAdapter, deadline: Deadline) -> ConnectionTest:
    with anyio.move_on_after(deadline.remaining()):
        health = await adapter.check(deadline)
        return ConnectionTest(
            ok=True,
            version=health.version,
            latency_ms=health.latency_ms,
            newest_trace=health.newest_trace,
            abilities=adapter.capabilities,
            can=in_words(adapter.capabilities),
            findings=health.findings,
        )
    raise TimedOut("the datasource did not answer in time")
