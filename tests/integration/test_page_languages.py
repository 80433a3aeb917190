"""In another language, a page says nothing in English but what people and machines named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from arcane.kit.actor import Tenant
from arcane.main import create_app
from arcane.scores.repository import ScorerRepository
from tests.support.marked_language import CODE, marked_language, unmarked
from tests.support.postgres import Server
from tests.support.premises import END, START, Premises, corpus_below, premises
from tests.support.routes import routes_of
from tests.support.served import PASSWORD, Visitor, cloned_database, served_settings
from web.rendering import environment
from worker.scoring.registry import Registry

pytestmark = pytest.mark.postgres

NO_PAGES = ("/api/", "/internal/", "/health", "/assets/", "/problems/")
NO_SENTENCES = re.compile(r"/(tail|export)$")
DOES_HARM = re.compile(r"delete|remove|revoke|logout|owner|discard|redrive|finish|\{order\}|\{what\}|password|session")
ASKED = (
    f"/traces?q=%7B+name+%3D+%22nothing%22+%7D&from={START}&to={END}",
    "/traces?q=%7B+nonsense+",
    "/traces?from=2026-12-31T00:00:00Z&to=2026-01-01T00:00:00Z",
    "/traces/explain?q=%7B+%7D+%7C+count()+%3E+3",
    "/metrics?q=%7B+%7D",
    "/traces/not-an-id",
    "/traces/aa",
    "/experiments/compare?e=x&e=y",
    "/none-of-it",
)
CHOICES = {"kind": "custom_api", "provider": "ollama", "key": "llm-judge"}
NAMES = re.compile(
    r"Arcane|Acme( \w{8})?|OpenAI|Ollama|GPT|gpt-5-mini|Files( \d+)?|Questions( v\d+)?|Greeting|Tasted?|By hand"
    r"|Olive Owner|(guest-)?[0-9a-f]{12}(@example\.com)?|owner@arcane\.test|production|question|user|mustache"
    r"|Hello {{name}}|Reader|ci"
    r"|Organisation (Admin|Member)|Project Admin|Member|Viewer|CSV|JSON Lines|Parquet|OTLP|text|number|json|messages"
    r"|otlp_file|user_input|response|reference|secret\.thing|(query|body)\.[\w.]+:|testclient"
    r"|[0-9a-f]{8}…[0-9a-f]{8}|[0-9a-f]{32}|\(not an e-mail address\)"
    r"|…[\w-]{4}|Authorization: Bearer sk-arcane-…|POST /api/v1/\S+|[0-9a-f-]{36}|x|-1"
)
"""What the premises, their roles, formats and types of columns are called, and how a program asks."""
FIGURES = re.compile(r"[+~]?[\d.,]+ ?(ns|µs|ms|s|m|h|d|B|kB|MB)")
IDENTIFIERS = re.compile(r"READ|[a-z0-9][\w.:@-]*")
SCORERS = {one.name for one in Registry.load().announced()}
"""What built-in scores are called."""
NAMES_ONLY = re.compile(r"/(audit|roles|explain)$")
"""Pages of permissions, of the fields that changed, and of the parameters of requests."""


@dataclass(frozen=True, slots=True)
class Premised:
    """The application in this process, which speaks the marked language to its owner, and what is there."""

    house: _House
    owner: Visitor
    place: Premises

    def path(self, template: str) -> str:
        """The path of a route, with what is there in it."""
        names = {**CHOICES, "prompt_id": self.place.prompt}
        return re.sub(
            r"{(\w+)(?::\w+)?}",
            lambda found: names.get(found[1]) or str(getattr(self.place, found[1], "nothing")),
            template,
        )

    def get(self, path: str) -> str:
        """Returns a page."""
        return self.house.client.get(path, headers={"accept": "text/html"}).text

    def post(self, path: str) -> str:
        """Returns the page after a form was sent that says nothing."""
        return self.house.client.post(path, data={}, headers={"accept": "text/html", **self.owner.headers}).text


class _House:
    """What premises are built on: the application as more than one person visits it."""

    def __init__(self, app: FastAPI, client: TestClient) -> None:
        self.app, self.client = app, client

    def visitor(self, **headers: str) -> Visitor:
        found = TestClient(self.app, base_url=str(self.client.base_url), headers=headers)
        found.portal = self.client.portal
        return Visitor(found)


@pytest.fixture(scope="module")
def there(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Premised]:
    folder = tmp_path_factory.mktemp("languages")
    language = marked_language(folder)
    with cloned_database(postgres_server, template_database) as stored:
        settings = served_settings(stored, corpus_below(folder))
        app = create_app(settings)
        app.state.renderer.languages.by_code[CODE] = language
        app.state.renderer.environments[CODE] = environment(language, app.state.assets, reloads=False)
        with TestClient(app, base_url=settings.server.public_url) as client:
            assert client.portal is not None
            owner = Visitor(client)  # type: ignore[arg-type]
            link = client.portal.call(app.state.accounts.issue_setup_link)
            body = {"token": link.partition("token=")[2], "email": "owner@arcane.test", "name": "Olive Owner"}
            owner.remember(client.post("/api/v1/setup", json={**body, "password": PASSWORD}))
            client.portal.call(_announced, app)
            house = _House(app, client)
            place = premises(house, owner)
            client.cookies.set("language", CODE)
            yield Premised(house, owner, place)


async def _announced(app: FastAPI) -> None:
    async with app.state.database.transaction(Tenant(instance=True)) as session:
        await ScorerRepository(session).keep(Registry.load().announced(), 100)


def _english(page: str, path: str) -> list[str]:
    """Returns the words of a page that are neither told in its language nor names, each with the page's path."""
    pieces = (piece.strip() for text in unmarked(page) for piece in re.split(r"(?:^| )[·/;](?: |$)", text))
    words = [text for text in pieces if re.search(r"[^\W\d_]{2}", text) and text not in SCORERS]
    said = [text for text in words if not (NAMES.fullmatch(text) or FIGURES.fullmatch(text))]
    if NAMES_ONLY.search(path.partition("?")[0]):
        said = [text for text in said if not IDENTIFIERS.fullmatch(text)]
    return [f"{path}: {text}" for text in said]


def test_every_page_speaks_the_language_of_its_reader(there: Premised) -> None:
    english: list[str] = []
    for route in routes_of(there.house.app):
        if route.method == "GET" and not route.path.startswith(NO_PAGES) and not NO_SENTENCES.search(route.path):
            english += _english(there.get(there.path(route.path)), route.path)
    assert english == []


def test_what_was_asked_is_answered_or_refused_in_it(there: Premised) -> None:
    assert [said for path in ASKED for said in _english(there.get(there.place.pages + path), path)] == []


def test_a_form_that_says_nothing_is_refused_in_it(there: Premised) -> None:
    english: list[str] = []
    changed = replace(there, place=premises(there.house, there.owner))  # the other tests read what is not changed
    for route in routes_of(there.house.app):
        if route.method == "POST" and not route.path.startswith(NO_PAGES) and not DOES_HARM.search(route.path):
            english += _english(changed.post(changed.path(route.path)), route.path)
    assert english == []
