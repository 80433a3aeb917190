"""Every page there is, in a real browser on a running instance: the routes themselves say which pages those are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from arcane.main import create_app
from arcane.settings import ServerSettings, Settings
from tests.e2e.work import LONG, work_of
from tests.support.browser import Watched
from tests.support.instance import OWNER, PASSWORD, Instance, Workplace, colleague, new_workplace, role_of
from tests.support.looks import NARROW, OF_COLOUR, WIDE, look_again_dark_and_wide, serious
from tests.support.person import Person
from tests.support.routes import routes_of

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]

NOT_PAGES: Final = ("/api/", "/assets/", "/health")
STREAMS: Final = ("/o/{organisation}/p/{project}/traces/tail",)
FILES: Final = ("/o/{organisation}/p/{project}/datasets/{dataset_id}/export",)
FOR_VISITORS: Final = frozenset({"/login", "/setup", "/invitation", "/new-password"})


def pages() -> list[str]:
    """Returns the path of every page, parameters unfilled."""
    app = create_app(Settings(server=ServerSettings(development=True)))
    return sorted(
        route.path
        for route in routes_of(app)
        if route.method == "GET" and not route.path.startswith(NOT_PAGES) and route.path not in STREAMS + FILES
    )


PAGES: Final = pages()


@dataclass(frozen=True, slots=True)
class Furnished:
    """A workplace in which every page has something to show."""

    place: Workplace
    trace_id: str
    datasource_id: str
    token: str
    work: dict[str, str]

    def filled(self, path: str) -> str:
        """Returns `path` with this place's names in it."""
        *_, organisation = self.place.base.split("/")
        *_, project = self.place.project.split("/")
        names = {
            "organisation": organisation,
            "project": project,
            "trace_id": self.trace_id,
            "datasource_id": self.datasource_id,
            "kind": "tempo",
            "provider": "openai",
            "key": "regex",
            "slug": "not-found",
            **self.work,
        }
        query = {"/invitation": f"?token={self.token}", "/setup": "?token=x", "/": ""}.get(path, "")
        if path.endswith(("/traces", "/explain")):
            query = "?range=24h&q=%7B+status+%3D+error+%7D"
        if path.endswith(("/metrics", "/metrics/explain")):
            query = "?range=24h&q=%7B+%7D+%7C+rate%28%29+by+%28name%29"
        if path.endswith("/differences"):
            query = "?older=1&newer=2"
        if path.endswith("/experiments/compare"):
            query = f"?e={self.work['experiment_id']}&e={self.work['other_id']}"
        return path.format(**names) + query


@pytest.fixture(scope="module")
def owner(instance: Instance) -> Iterator[Person]:
    """The instance's owner, signed in for all pages of this file."""
    with Person(instance.address) as person:
        person.sign_in(OWNER, PASSWORD)
        yield person


@pytest.fixture(scope="module")
def furnished(instance: Instance, owner: Person) -> Iterator[Furnished]:
    people: list[Person] = []

    def enter() -> Person:
        people.append(Person(instance.address))
        return people[-1]

    place = new_workplace(owner)
    members, project = f"{place.settings}/members", f"{place.project}/settings"
    admin = role_of(owner.look(members).text, "Organisation Admin")
    invited = owner.send(members, {"email": "somebody@example.com", "role": admin}, to=f"{members}/invite")
    token = re.search(r"token=([\w-]+)", invited.text)
    person = colleague(owner, enter, place, "Organisation Member", LONG)
    user_id = person.ask("/accounts/me")["id"]
    roles = owner.look(f"{project}/members").text
    owner.send(f"{project}/members", {"user": user_id, "role": role_of(roles, "Viewer")})
    owner.send(f"{project}/keys", {"name": LONG, "scope": "read", "expires": "30"})
    owner.send(f"{place.settings}/roles", {"name": LONG, "description": LONG, "permission": ["organisations:read"]})
    viewer = role_of(roles, "Viewer")
    owner.send(f"{project}/visibility", {"attribute_name": LONG.replace(" ", "."), "role": [viewer]})
    down = {
        "name": LONG[:100],
        "url": "http://127.0.0.1:9",
        "auth": "bearer",
        "token": "secret",
        "max_range_hours": "1",
    }
    made = owner.send(f"{place.settings}/datasources/new/tempo", down)
    found = place.search(instance, owner, "{ status = error }").json()
    assert token
    work = work_of(owner, place)
    yield Furnished(place, found["items"][0]["trace_id"], made.url.path.rpartition("/")[2], token[1], work)
    for one in people:
        one.http.close()


Browse = Callable[..., Watched]


@pytest.fixture(scope="module")
def contexts(browser: Browser, instance: Instance, owner: Person) -> Iterator[dict[tuple[bool, bool], BrowserContext]]:
    """With and without scripts, of the owner and of a visitor: what was loaded once is there for every page."""
    made = {}
    for scripts, visitor in ((True, False), (True, True), (False, False), (False, True)):
        context = browser.new_context(
            base_url=instance.address, java_script_enabled=scripts, timezone_id="Europe/Berlin"
        )
        cookies = {} if visitor else dict(owner.http.cookies)
        context.add_cookies([{"name": key, "value": value, "url": instance.address} for key, value in cookies.items()])
        context.set_default_timeout(30_000)
        made[scripts, visitor] = context
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def browse(contexts: dict[tuple[bool, bool], BrowserContext], instance: Instance) -> Iterator[Browse]:
    """Returns a function that opens a page, signed in or not; no page may leave complaints behind."""
    seen: list[Watched] = []

    def enter(*, theme: str = "light", size: tuple[int, int] = WIDE, scripts: bool = True, visitor: bool = False,
              ) -> Watched:  # fmt: skip
        context = contexts[scripts, visitor]
        context.add_cookies([{"name": "arcane_theme", "value": theme, "url": instance.address}])
        watched = Watched(context.new_page(), instance.address, scripted=scripts)
        watched.page.set_viewport_size({"width": size[0], "height": size[1]})
        watched.page.on("console", watched.note)
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        seen.append(watched)
        return watched

    yield enter
    for watched in seen:
        watched.page.close()
    assert [text for watched in seen for text in watched.complaints] == [], instance.log


def overflowing(page: Page) -> list[str]:
    """Returns what is wider than its place: the document, its content, and the headings of tables."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => [document.documentElement, ...document.querySelectorAll('.content, .settings, .bar, th, .lone-card')]
          .filter(element => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
            && !element.querySelector(':scope > .said'))
          .map(element => element.outerHTML.slice(0, 120))"""
    )


def is_whole(page: Page, path: str, *rules: str) -> None:
    """The page has a title, one heading, and nothing wider than its place."""
    assert page.title().endswith("Arcane"), path
    assert page.title() != "Arcane", path
    assert page.locator("h1:visible").count() == 1, path
    assert overflowing(page) == [], path
    assert serious(page, *rules) == [], path


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_light_and_dark_wide_and_narrow(browse: Browse, furnished: Furnished, path: str) -> None:
    page = browse(size=NARROW, visitor=path in FOR_VISITORS).page
    page.emulate_media(reduced_motion="reduce")
    answer = page.goto(furnished.filled(path))
    assert answer is not None
    assert answer.status == 200
    if "/traces" in path:
        page.wait_for_load_state("networkidle")
    is_whole(page, path)
    look_again_dark_and_wide(page)
    is_whole(page, path, *OF_COLOUR)


def test_a_run_is_called_by_what_it_is_of_and_a_changed_row_says_how(owner: Person, furnished: Furnished) -> None:
    project = "/o/{organisation}/p/{project}"
    run = owner.look(furnished.filled(f"{project}/jobs/{{run_id}}")).text
    assert re.search(rf"<title>Run of {LONG}\b", run)
    differences = owner.look(furnished.filled(f"{project}/datasets/{{dataset_id}}/differences")).text
    assert '<label for="older">Older version</label>' in differences
    assert '<td class="change">added</td>' in differences


@pytest.mark.parametrize("path", ["/settings/members", "/settings/datasources", "/settings/projects", "/settings/audit",
                                  "/p/agents/settings/members", "/p/agents/settings/keys",
                                  "/p/agents/settings/visibility"])  # fmt: skip
def test_a_page_with_nothing_in_it_is_whole(browse: Browse, owner: Person, path: str) -> None:
    base = "/o/demo"
    if not path.startswith("/p/"):
        made = owner.send("/instance", {"name": "Nothing yet"}, to="/instance/organisations")
        base = made.url.path.partition("/settings")[0]
    page = browse(size=NARROW).open(base + path)
    is_whole(page, path)


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/styleguide"])
def test_a_page_reads_without_scripts(browse: Browse, furnished: Furnished, path: str) -> None:
    page = browse(scripts=False, visitor=path in FOR_VISITORS).page
    page.goto(furnished.filled(path))
    if path.endswith("{trace_id}"):
        page.wait_for_url("**view=plain")
    if path.endswith("/statistics"):
        page.wait_for_url("**/statistics?*")  # the figures follow
    if path != "/problems/{slug}":
        expect(page.locator("h1:visible")).to_have_count(1)
    assert page.locator("[data-scripted]:visible").count() == 0


@pytest.mark.parametrize(
    ("path", "opener"),
    [("/settings/members", "Invite somebody"), ("/settings/members", f"Remove {LONG}"),
     ("/settings/projects", "New project"), ("/settings/roles", f"What {LONG} holds"),
     ("/p/shop/settings", "Delete the project"), ("/p/shop/settings/members", "Add a member"),
     ("/p/shop/settings/keys", "New key"), ("/p/shop/settings/keys", f"Revoke {LONG}"),
     ("/p/shop/settings/visibility", "Hide an attribute")],
)  # fmt: skip
def test_dialogs_are_accessible_and_give_the_focus_back(
    browse: Browse, furnished: Furnished, path: str, opener: str
) -> None:
    page = browse(theme="dark", size=NARROW).open(furnished.place.base + path)
    button = page.get_by_role("button", name=opener, exact=True).first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    assert dialog.locator(":focus").count() == 1
    assert dialog.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog[open]')")
    assert button.evaluate("element => element === document.activeElement")


def test_the_form_of_every_kind_of_datasource_works(browse: Browse, furnished: Furnished) -> None:
    watched = browse(size=NARROW)
    page = watched.open(f"{furnished.place.base}/settings/datasources/new")
    kinds = page.locator("main a[href*='/datasources/new/']").evaluate_all("all => all.map(one => one.pathname)")
    assert len(kinds) > 3
    asking = 0
    for path in kinds:
        watched.open(path)
        authentication = page.get_by_label("Authentication")
        if authentication.count() and authentication.locator("option[value=bearer]").count():
            asking += 1
            expect(page.locator("#token")).to_be_hidden()
            authentication.select_option("bearer")
            expect(page.locator("#token")).to_be_visible()
    assert asking > 1


def test_a_form_that_was_refused_is_accessible(browse: Browse, furnished: Furnished) -> None:
    watched = browse(size=NARROW)
    page = watched.open(f"{furnished.place.base}/settings/datasources/new/tempo")
    page.get_by_label("Name").fill("Tempo")
    page.get_by_label("URL").fill("ftp://nowhere")
    page.get_by_label("Authentication").select_option("basic")
    page.get_by_role("button", name="Save").click()
    page.locator("#url-error").wait_for()
    assert serious(page) == []
    assert overflowing(page) == []
    assert page.get_by_label("URL").get_attribute("aria-describedby") == "url-error"
    expect(page.get_by_label("URL")).to_be_focused()
    assert page.get_by_label("Password").is_visible()
    assert page.get_by_label("Token").is_hidden()
    watched.complaints = [text for text in watched.complaints if "422" not in text]


def test_a_role_is_set_where_it_stands(browse: Browse, furnished: Furnished) -> None:
    page = browse().open(f"{furnished.place.base}/settings/members")
    choice = page.get_by_label(f"Role of {LONG}")
    button = choice.locator("xpath=following-sibling::button")
    page.mouse.move(0, 0)
    assert button.evaluate("element => getComputedStyle(element).visibility") == "hidden"
    choice.select_option(label="Organisation Admin")
    page.locator("h1").click()
    assert button.evaluate("element => getComputedStyle(element).visibility") == "visible"
    button.click()
    page.get_by_text("The role is changed.").wait_for()
    assert page.get_by_label(f"Role of {LONG}").locator("option:checked").inner_text() == "Organisation Admin"
