"""Two answers for whoever supervises this process: it runs (`/health`), and its backend knows it (`/health/ready`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Answers health checks; `ready` tells whether the worker can do its work."""

    ready: Callable[[], bool]

    def state(self, method: str, path: str) -> tuple[int, str]:
        """Returns the status and the word for a request."""
        if method not in ("GET", "HEAD"):
            return 405, "method not allowed"
        if path == "/health":
            return 200, "ok"
        if path == "/health/ready":
            return (200, "ready") if self.ready() else (503, "waiting")
        return 404, "not found"
