"""One real `arcane up` for all end-to-end tests of a run, and people who use it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from tests.support.person import Person
from tests.support.running import READY, START_TIMEOUT_S, STOP_TIMEOUT_S, free_port

OWNER = "ada@example.com"
PASSWORD = "a long enough password"
DEMO = "/o/demo"
AGENTS = f"{DEMO}/p/agents"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance whose owner came from the settings, with the demo's organisation."""

    address: str
    folder: Path

    @property
    def truth(self) -> dict[str, Any]:
        """What the demo holds."""
        found: dict[str, Any] = json.loads((self.folder / "demo" / "truth.json").read_text())
        return found

    @property
    def log(self) -> str:
        """The end of what the instance wrote: why a page failed stands there."""
        return (self.folder.parent / "up.log").read_text("utf-8", "replace")[-20_000:]

    @property
    def day(self) -> tuple[str, str]:
        """When the demo begins and ends, as RFC 3339."""
        truth = self.truth
        return _rfc3339(truth["start"]), _rfc3339(truth["end"] + 1_000_000_000)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Instance]:
    """The instance, shared over xdist workers: the first starts it, the last one stops it."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with _turn(shared) as state:
        if "pid" not in state:
            state.update(_start(), users=0)
        state["users"] += 1
        found = Instance(state["address"], Path(state["folder"]))
    yield found
    with _turn(shared) as state:
        state["users"] -= 1
        if state["users"] == 0:
            _stop(state["pid"])
            shutil.rmtree(found.folder.parent, ignore_errors=True)
            state.clear()


Enter = Callable[[], Person]


@pytest.fixture
def enter(instance: Instance) -> Iterator[Enter]:
    """Returns a function that returns somebody new, not signed in."""
    people: list[Person] = []

    def somebody() -> Person:
        people.append(Person(instance.address))
        return people[-1]

    yield somebody
    for person in people:
        person.http.close()


@pytest.fixture
def owner(enter: Enter) -> Person:
    """The instance's owner, signed in."""
    person = enter()
    assert person.sign_in(OWNER, PASSWORD).status_code == 200
    return person


@dataclass(frozen=True, slots=True)
class Workplace:
    """An organisation and a project of one test's own, so that no test sees what another one makes."""

    base: str
    project: str
    organisation_id: str
    project_id: str

    @property
    def settings(self) -> str:
        """The address of the organisation's settings."""
        return f"{self.base}/settings"

    def api(self, path: str) -> str:
        """The path of a question to the project, for `Person.ask`."""
        return f"/projects/{self.project_id}{path}"

    def search(self, instance: Instance, credential: Person | str, query: str, **more: Any) -> httpx.Response:
        """Returns what a search over the demo's day answers to a person, or to a program with an API key."""
        begin, end = instance.day
        body = {"query": query, "start": begin, "end": end, "limit": 500, **more}
        path = f"/api/v1{self.api('/search')}"
        if isinstance(credential, Person):
            return credential.http.post(path, json=body, headers=credential.proof)
        bearer = {"authorization": f"Bearer {credential}"}
        return httpx.post(instance.address + path, json=body, headers=bearer, timeout=30.0)


@pytest.fixture
def workplace(owner: Person) -> Workplace:
    """An organisation with a project, and a datasource that reads the demo's storefront."""
    return new_workplace(owner)


def new_workplace(owner: Person) -> Workplace:
    """Returns a new organisation with a project, and a datasource that reads the demo's storefront."""
    made = owner.send("/instance", {"name": f"Works {uuid4().hex[:8]}"}, to="/instance/organisations")
    base = made.url.path.partition("/settings")[0]
    slug = base.removeprefix("/o/")
    owner.send(f"{base}/settings/projects", {"name": "Shop"})
    owner.send(f"{base}/settings/datasources/new/otlp_file", {"name": "Storefront", "path": "storefront"})
    organisation = next(row for row in owner.ask("/organisations", limit=200)["items"] if row["slug"] == slug)
    project = owner.ask(f"/organisations/{organisation['id']}/projects")["items"][0]
    return Workplace(base, f"{base}/p/{project['slug']}", organisation["id"], project["id"])


def role_of(page: str, name: str) -> str:
    """Returns the id that the first select of `page` with a role called `name` sends."""
    found = re.search(rf'<option value="([0-9a-f-]{{36}})"[^>]*>{re.escape(name)}</option>', page)
    assert found, f"no role {name} to choose"
    return found[1]


def colleague(owner: Person, enter: Enter, place: Workplace, role: str, name: str = "Grace Hopper") -> Person:
    """Returns somebody with a new account, invited to the organisation with `role`."""
    members = f"{place.settings}/members"
    email = f"{name.split()[0].lower()}-{uuid4().hex[:8]}@example.com"
    role_id = role_of(owner.look(members).text, role)
    invited = owner.send(members, {"email": email, "role": role_id}, to=f"{members}/invite")
    link = re.search(r"http://[^\s<]+/invitation\?token=[\w-]+", invited.text)
    assert link, invited.text
    person = enter()
    assert person.join(link[0], name, PASSWORD).status_code == 200
    return person


def _rfc3339(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _start() -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="arcane-e2e-"))
    folder.chmod(0o755)
    address = f"http://127.0.0.1:{(port := free_port())}"
    log = folder / "up.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "arcane.cli", "up", "--folder", str(folder / "local")],
            env={
                "PATH": os.defpath,
                "ARCANE_SERVER__PORT": str(port),
                "ARCANE_SERVER__DEVELOPMENT": "true",
                "ARCANE_ACCESS__OWNER_EMAIL": OWNER,
                "ARCANE_ACCESS__OWNER_PASSWORD": PASSWORD,
            },
            cwd=folder,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    give_up = time.monotonic() + START_TIMEOUT_S
    while READY not in log.read_text("utf-8", "replace"):
        if process.poll() is not None or time.monotonic() > give_up:
            raise AssertionError(log.read_text("utf-8", "replace"))
        time.sleep(0.1)
    process.returncode = 0  # handed over: whoever is last stops it by its pid
    return {"pid": process.pid, "address": address, "folder": str(folder / "local")}


def _stop(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=STOP_TIMEOUT_S)
    for left in alive:
        left.kill()


@contextmanager
def _turn(shared: Path) -> Iterator[dict[str, Any]]:
    """Holds the run's shared state file while the block runs."""
    with (shared / "instance.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state: dict[str, Any] = json.loads(file.read() or "{}")
        yield state
        file.seek(0)
        file.truncate()
        file.write(json.dumps(state))
