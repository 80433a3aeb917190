"""A worker process beside a served backend, as an operator runs it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.forked import Forked
from tests.support.served import Served, Visitor

WORKER_KEY = "a-key-of-tests-that-workers-share-0123456789"
_PATIENCE_S = 60.0


@contextmanager
def working(served: Served, owner: Visitor, log_file: Path, **settings: str) -> Iterator[Forked]:
    """While the block runs, a worker does, which the backend knows. It may call loopback."""
    told = {
        "ARCANE_WORKER__KEY": WORKER_KEY,
        "ARCANE_WORKER__BACKEND_URL": served.address,
        "ARCANE_WORKER__HEALTH_PORT": "0",
        "ARCANE_WORKER__NAME": log_file.stem,
        "ARCANE_EGRESS__ALLOW_NETWORKS": '["127.0.0.0/8"]',
        "ARCANE_LLM__BACKOFF_S": "0.05",
        "ARCANE_LOG__LEVEL": "debug",
        **settings,
    }
    process = Forked(("worker.main",), {"PATH": os.defpath, **told}, out=log_file, err=log_file)
    try:
        begun = time.monotonic()
        while log_file.stem not in {one["name"] for one in owner.get("/api/v1/workers").json()["items"]}:
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() - begun < _PATIENCE_S, log_file.read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.end(20)
