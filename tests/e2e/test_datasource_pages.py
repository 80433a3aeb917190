"""Connecting, changing and forgetting a datasource, and what the audit log keeps of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from tests.support.instance import Instance, Workplace
from tests.support.person import Person
from tests.support.tempo_standin import Tempo, serving

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

SECRET = "a-token-nobody-may-see-again"


@pytest.fixture
def tempo() -> Iterator[Tempo]:
    """A Tempo on loopback that holds nothing."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(Tempo(()))) as running:
        yield running


def form_for(tempo: Tempo, **more: str) -> dict[str, str]:
    """What the form of a Tempo sends when only the needed fields were filled in."""
    empty = dict.fromkeys(("tenant", "username", "password", "token", "extra_headers", "description"), "")
    return {**empty, "name": "Tempo", "url": tempo.url, "auth": "none", "max_range_hours": "168", **more}


def connected(owner: Person, workplace: Workplace, form: dict[str, str]) -> str:
    """Returns the address of a new datasource's page."""
    page = owner.send(f"{workplace.settings}/datasources/new/tempo", form)
    assert page.status_code == 200, page.text
    assert "Saved." in page.text
    return page.url.path


def test_a_connection_is_tested_before_it_is_saved(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    path = f"{workplace.settings}/datasources/new/tempo"
    page = owner.send(path, {**form_for(tempo), "test": "1"})
    assert "It answers" in page.text
    assert "Version 3.0.3" in page.text
    assert re.search(r"\d+(\.\d+)? (ms|µs|s) for a round trip", page.text)
    assert f'value="{tempo.url}"' in page.text
    assert "Tempo" not in owner.look(f"{workplace.settings}/datasources").text.partition("<tbody>")[2]


def test_a_connection_that_fails_says_why(owner: Person, workplace: Workplace) -> None:
    path = f"{workplace.settings}/datasources/new/tempo"
    page = owner.send(path, {**form_for(Tempo(())), "url": "http://127.0.0.1:9", "test": "1"})
    assert "It does not answer" in page.text
    assert "refuses connections" in page.text
    forbidden = owner.send(path, {**form_for(Tempo(())), "url": "http://169.254.169.254", "test": "1"})
    assert "It answers" not in forbidden.text


def test_only_its_part_is_sent_to_a_page_that_asks_for_it(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    path = f"{workplace.settings}/datasources/new/tempo"
    page = owner.send(path, form_for(tempo, test="1"), htmx=True)
    assert "It answers" in page.text
    assert "<html" not in page.text
    wrong = owner.send(path, form_for(tempo, url="nowhere", test="1"), htmx=True)
    assert "It was not asked" in wrong.text
    assert "<html" not in wrong.text


def test_what_is_wrong_stands_beside_its_field(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    path = f"{workplace.settings}/datasources/new/tempo"
    page = owner.send(path, {**form_for(tempo), "url": "ftp://nowhere", "token": SECRET})
    assert page.status_code == 422
    assert re.search(r'id="url-error">.*begins with http', page.text)
    assert 'value="ftp://nowhere"' in page.text
    assert SECRET not in page.text
    unnamed = owner.send(path, {**form_for(tempo), "name": " "})
    assert re.search(r'id="name-error">', unnamed.text)
    no_user = owner.send(path, {**form_for(tempo), "auth": "basic"})
    assert "basic authentication needs a user" in no_user.text


def test_a_secret_is_never_shown_and_kept_until_it_is_changed(
    owner: Person, workplace: Workplace, tempo: Tempo
) -> None:
    place = connected(owner, workplace, form_for(tempo, auth="bearer", token=SECRET))
    page = owner.look(place)
    assert SECRET not in page.text
    assert "It is set. Leave this empty to keep it." in page.text

    owner.send(place, form_for(tempo, auth="bearer", name="Renamed"))
    tempo.requests.clear()
    assert "It answers" in owner.send(place, form_for(tempo, auth="bearer", test="1")).text
    assert {request.headers["authorization"] for request in tempo.requests} == {f"Bearer {SECRET}"}

    owner.send(place, form_for(tempo, auth="none", **{"forget:token": "on"}))
    tempo.requests.clear()
    assert "It is set." not in owner.look(place).text
    owner.send(place, form_for(tempo, test="1"))
    assert tempo.requests
    assert all("authorization" not in request.headers for request in tempo.requests)


def test_a_secret_is_not_sent_to_another_host(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    place = connected(owner, workplace, form_for(tempo, auth="bearer", token=SECRET))
    page = owner.send(place, form_for(tempo, auth="bearer", url="http://127.0.0.1:9"))
    assert page.status_code == 422
    assert re.search(r'id="token-error">.*the address changed', page.text)


def test_a_change_that_somebody_else_overtook_is_refused(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    place = connected(owner, workplace, form_for(tempo))
    assert owner.send(place, form_for(tempo, name="First", version="1")).status_code == 200
    late = owner.send(place, form_for(tempo, name="Second", version="1"))
    assert late.status_code == 409
    assert "First" in owner.look(f"{workplace.settings}/datasources").text


def test_a_datasource_is_searched_and_forgotten(
    owner: Person, instance: Instance, workplace: Workplace, tempo: Tempo
) -> None:
    place = connected(owner, workplace, form_for(tempo))
    sources = workplace.search(instance, owner, "{}").json()["sources"]
    assert {source["name"] for source in sources} == {"Storefront", "Tempo"}
    page = owner.send(place, to=f"{place}/delete")
    assert "The datasource is gone." in page.text
    assert owner.look(place).status_code == 404
    sources = workplace.search(instance, owner, "{}").json()["sources"]
    assert {source["name"] for source in sources} == {"Storefront"}


def test_what_was_done_is_in_the_audit_log(owner: Person, workplace: Workplace, tempo: Tempo) -> None:
    place = connected(owner, workplace, form_for(tempo, auth="bearer", token=SECRET))
    owner.send(place, form_for(tempo, auth="bearer", name="Renamed"))
    owner.send(place, to=f"{place}/delete")
    audit = f"{workplace.settings}/audit"
    page = owner.look(f"{audit}?action=datasource.*").text
    rows = re.findall(r"<tr>\s*<td>.*?</tr>", page, re.DOTALL)
    actions = [found[1] for row in rows if (found := re.search(r"<code>(.*?)</code>", row))]
    assert actions[:3] == ["datasource.deleted", "datasource.updated", "datasource.created"]
    assert "<del>Tempo</del>" in rows[1]
    assert "<ins>Renamed</ins>" in rows[1]
    assert SECRET not in page
    assert "Nothing happened" in owner.look(f"{audit}?action=nothing.like.this").text


def test_an_unknown_kind_or_datasource_is_not_there(owner: Person, workplace: Workplace) -> None:
    base = f"{workplace.settings}/datasources"
    assert owner.look(f"{base}/new/oracle").status_code == 404
    assert owner.look(f"{base}/00000000-0000-7000-8000-00000000ffff").status_code == 404
    assert owner.look(f"{base}/nonsense").status_code in (404, 422)
