"""Postgres is restarted under a running backend: nothing is a 500, and everything comes back by itself."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from arcane.local.postgres import EmbeddedPostgres, RunningPostgres
from arcane.settings import Settings
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template
from tests.support.premises import END, START, Premises, corpus_below, premises
from tests.support.relay import Relay, relaying
from tests.support.served import Served, Visitor, served_settings, serving

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

BACK_S = 20.0


@dataclass(slots=True)
class Moving:
    """A backend whose Postgres can be stopped and started; it may come back on another port."""

    served: Served
    owner: Visitor
    place: Premises
    embedded: EmbeddedPostgres
    running: RunningPostgres
    relay: Relay
    portal: BlockingPortal

    def stop(self) -> None:
        self.relay.target = None
        self.running.stop()
        self.portal.call(self.relay.cut)

    def start(self) -> None:
        self.running = self.embedded.start()
        self.relay.target = self.running.port

    def search(self) -> httpx.Response:
        key = {"Authorization": f"Bearer {self.place.key}"}
        body = {"query": "{}", "start": START, "end": END}
        url = f"{self.served.address}{self.place.in_project}/search"
        return httpx.post(url, json=body, headers=key, timeout=30)

    def rename(self) -> httpx.Response:
        return self.owner.call("PATCH", self.place.at, {"name": f"New {uuid4().hex[:6]}"})

    def until(self, answers: Callable[[], bool]) -> None:
        """Returns once `answers`: how long that takes is up to the backend, within BACK_S."""
        give_up = time.monotonic() + BACK_S
        while not answers():
            assert time.monotonic() < give_up, self.served.log[-4_000:]
            time.sleep(0.1)


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    tmp_path = tmp_path_factory.mktemp("moving")
    folder = Path(tempfile.mkdtemp(prefix="arcane-pg-"))
    folder.chmod(0o755)  # the server may run as another user
    embedded = EmbeddedPostgres(folder, ("fsync=off",))
    running = embedded.start()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(relaying(running.port)) as relay:
        server = Server("127.0.0.1", relay.port, running.user, running.password)
        anyio.run(make_template, server, "moving")
        stored = MigratedDatabase("moving", Settings(database=database_settings(server, "moving")), server)
        settings = served_settings(stored, corpus_below(tmp_path))
        with serving(stored, settings, tmp_path / "backend.log") as served:
            owner = served.owner()
            made = Moving(served, owner, premises(served, owner), embedded, running, relay, portal)
            yield made
    made.running.stop()
    shutil.rmtree(folder)


def test_a_restart_of_postgres_is_survived(moving: Moving) -> None:
    assert moving.search().status_code == 200
    moving.stop()
    for answer in (moving.search(), moving.rename(), moving.owner.get(moving.place.at)):
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 503:
            assert answer.json()["type"] == "/problems/unavailable"
            assert answer.headers["retry-after"]
    page = moving.owner.http.get(f"{moving.place.pages}/traces", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "Not available right now" in page.text
    health = moving.served.visitor()
    assert health.get("/health").status_code == 200
    assert health.get("/health/ready").status_code == 503
    moving.start()
    moving.until(lambda: health.get("/health/ready").status_code == 200)
    assert moving.rename().status_code == 200
    assert moving.search().status_code == 200
    assert "request_failed" not in moving.served.log


def test_connections_that_died_in_the_pool_are_not_the_callers_trouble(moving: Moving) -> None:
    """A failover cuts every connection and the server is there again: whoever asks next does not notice."""
    assert moving.rename().status_code == 200
    moving.portal.call(moving.relay.cut)
    assert [moving.rename().status_code for _ in range(5)] == [200] * 5
    assert moving.search().status_code == 200


def test_changes_are_heard_again_after_a_restart(moving: Moving) -> None:
    """What was remembered before is not trusted afterwards: a key revoked meanwhile stays outside."""
    assert moving.search().status_code == 200
    moving.stop()
    moving.start()
    moving.until(lambda: moving.search().status_code == 200)
    place = moving.place
    revoked = moving.owner.call("DELETE", f"{place.in_project}/api-keys/{place.key_id}")
    assert revoked.status_code == 204
    assert moving.search().status_code == 401
    moving.place = premises(moving.served, moving.owner)
