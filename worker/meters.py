"""What this worker has done, in numbers that Prometheus reads at /metrics, beside the health checks.

Labels name kinds of jobs and providers: no tenant, no model, nothing that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from arcane.messaging.generation import Provider, Usage

_PREFIX = "arcane_worker_"
_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
DONE, FAILED, AGAIN, STOPPED = "done", "failed", "again", "stopped"
"""What becomes of a try: `again` failed and is tried later, `stopped` was of a run that was cancelled."""
ANSWERED = "answered"
"""What became of a call to a model; else it is the cause of its failure."""


@dataclass(slots=True)
class Meters:
    """The counts of one worker process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _taken: Counter = field(init=False)
    _tries: Counter = field(init=False)
    _try_seconds: Histogram = field(init=False)
    _calls: Counter = field(init=False)
    _call_seconds: Histogram = field(init=False)
    _tokens: Counter = field(init=False)
    _cost: Counter = field(init=False)

    def __post_init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self.registry)
        self._taken = self._counter("jobs_taken", "Jobs that the backend gave this worker.", "kind")
        self._tries = self._counter("tries", "Tries of jobs, by what became of them.", "kind", "outcome")
        self._try_seconds = self._histogram("try_seconds", "How long tries took.", "kind")
        self._calls = self._counter("model_calls", "Calls to providers, repeated ones too.", "provider", "outcome")
        self._call_seconds = self._histogram("model_call_seconds", "How long providers took to answer.", "provider")
        self._tokens = self._counter("model_tokens", "Tokens of answered calls.", "provider", "direction")
        self._cost = self._counter("model_cost_usd", "What answered calls cost, where a price is known.", "provider")

    def watch(self, *, running: Callable[[], int], waiting: Callable[[], int], held: Callable[[], int]) -> None:
        """What is under way is looked up whenever somebody reads."""
        self._gauge("jobs_running", "Jobs that run now.", running)
        self._gauge("jobs_waiting", "Jobs that were taken and have not begun.", waiting)
        self._gauge("jobs_held", "Jobs whose messages are here: taken or not, or waiting for their result's way.", held)

    def took(self, kind: str) -> None:
        """A job was given to this worker."""
        self._taken.labels(kind).inc()

    def tried(self, kind: str, outcome: str, seconds: float) -> None:
        """A try has ended."""
        self._tries.labels(kind, outcome).inc()
        self._try_seconds.labels(kind).observe(seconds)

    def called(self, provider: Provider, outcome: str, seconds: float) -> None:
        """A provider has answered, or failed to."""
        self._calls.labels(provider.value, outcome).inc()
        self._call_seconds.labels(provider.value).observe(seconds)

    def used(self, provider: Provider, usage: Usage) -> None:
        """A call took this much."""
        self._tokens.labels(provider.value, "input").inc(usage.input_tokens)
        self._tokens.labels(provider.value, "output").inc(usage.output_tokens)
        if usage.cost_usd is not None:
            self._cost.labels(provider.value).inc(usage.cost_usd)

    def text(self) -> bytes:
        """Returns all of it in Prometheus's text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, help, labels, registry=self.registry)

    def _histogram(self, name: str, help: str, *labels: str) -> Histogram:
        return Histogram(_PREFIX + name, help, labels, buckets=_SECONDS, registry=self.registry)

    def _gauge(self, name: str, help: str, now: Callable[[], int]) -> None:
        Gauge(_PREFIX + name, help, registry=self.registry).set_function(lambda: float(now()))
