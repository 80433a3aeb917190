"""Who gets in, what they see, and how they are gone again: over HTTP, on a running instance."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.support.instance import AGENTS, OWNER, PASSWORD, Enter, Instance, Workplace, colleague, role_of
from tests.support.person import Person

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]


def email_of(person: Person) -> str:
    email: str = person.ask("/accounts/me")["email"]
    return email


def id_of(person: Person) -> str:
    user_id: str = person.ask("/accounts/me")["id"]
    return user_id


def test_signing_in_leads_where_somebody_wanted_to_go(enter: Enter) -> None:
    person = enter()
    asked = person.look(f"{AGENTS}/settings/keys?x=1")
    assert asked.url.path == "/login"
    answer = person.http.post(
        "/login", data={"email": OWNER, "password": PASSWORD, "next": asked.url.params["next"]}, follow_redirects=True
    )
    assert str(answer.url).endswith(f"{AGENTS}/settings/keys?x=1")


def test_nobody_is_sent_to_another_site_after_signing_in(enter: Enter) -> None:
    person = enter()
    for target in ("https://evil.example", "//evil.example", "/\\evil.example"):
        answer = person.http.post("/login", data={"email": OWNER, "password": PASSWORD, "next": target})
        assert answer.headers["location"] == "/"


def test_a_wrong_password_says_no_more_than_that(enter: Enter) -> None:
    person = enter()
    known, unknown = f"{OWNER}", f"nobody-{uuid4().hex[:8]}@example.com"
    answers = [person.sign_in(address, "not the password") for address in (known, unknown)]
    assert [answer.status_code for answer in answers] == [401, 401]
    said = [re.findall(r'role="alert".*?<b>(.*?)</b>', answer.text, re.DOTALL) for answer in answers]
    assert said[0] == said[1] == ["the e-mail address or the password is wrong"]
    assert f'value="{unknown}"' in answers[1].text
    assert "not the password" not in answers[1].text


def test_signing_out_ends_the_session(owner: Person) -> None:
    cookies = dict(owner.http.cookies)
    assert owner.send("/account", to="/logout").url.path == "/login"
    owner.http.cookies.update(cookies)
    assert owner.look("/account").url.path == "/login"


def test_a_form_without_the_token_of_its_session_changes_nothing(owner: Person) -> None:
    answer = owner.http.post("/account/name", data={"name": "Mallory"})
    assert answer.status_code == 403
    assert "<h1>This form was not accepted</h1>" in answer.text
    assert "Mallory" not in owner.look("/account").text


def test_a_form_of_another_site_changes_nothing(owner: Person) -> None:
    token = re.search(r'name="csrf-token" content="([^"]+)"', owner.look("/account").text)
    assert token
    headers = {"sec-fetch-site": "cross-site"}
    answer = owner.http.post("/account/name", data={"name": "Mallory", "csrf_token": token[1]}, headers=headers)
    assert answer.status_code == 403


def test_an_invitation_makes_an_account_that_belongs(owner: Person, enter: Enter, workplace: Workplace) -> None:
    person = colleague(owner, enter, workplace, "Organisation Admin", "Barbara Liskov")
    assert workplace.project in person.look("/").text
    assert "Barbara Liskov" in owner.look(f"{workplace.settings}/members").text
    again = enter()
    assert again.sign_in(email_of(person), PASSWORD).status_code == 200


def test_an_invitation_works_once(owner: Person, enter: Enter, workplace: Workplace) -> None:
    members = f"{workplace.settings}/members"
    role = role_of(owner.look(members).text, "Organisation Member")
    email = f"alan-{uuid4().hex[:8]}@example.com"
    made = owner.send(members, {"email": email, "role": role}, to=f"{members}/invite")
    link = re.search(r"http://[^\s<]+/invitation\?token=[\w-]+", made.text)
    assert link
    assert "/invitation?token=" not in owner.look(members).text
    assert enter().join(link[0], "Alan Turing", PASSWORD).status_code == 200
    late = enter()
    answer = late.join(link[0], "Mallory", PASSWORD)
    assert answer.status_code == 409
    assert "This invitation cannot be used" in late.look(link[0]).text


def test_a_short_password_is_refused_beside_its_field(owner: Person, enter: Enter, workplace: Workplace) -> None:
    members = f"{workplace.settings}/members"
    role = role_of(owner.look(members).text, "Organisation Member")
    made = owner.send(members, {"email": f"x{uuid4().hex[:8]}@example.com", "role": role}, to=f"{members}/invite")
    link = re.search(r"http://[^\s<]+/invitation\?token=[\w-]+", made.text)
    assert link
    answer = enter().join(link[0], "Alan Turing", "short")
    assert answer.status_code == 422
    assert re.search(r'id="password-error">.*12 characters', answer.text)


def test_a_role_is_changed_and_a_member_removed(owner: Person, enter: Enter, workplace: Workplace) -> None:
    person = colleague(owner, enter, workplace, "Organisation Member")
    members = f"{workplace.settings}/members"
    assert person.look(members).status_code == 403
    admin = role_of(owner.look(members).text, "Organisation Admin")
    owner.send(members, {"role": admin}, to=f"{members}/{id_of(person)}/role")
    assert person.look(members).status_code == 200
    owner.send(members, to=f"{members}/{id_of(person)}/remove")
    assert person.look(members).status_code == 404
    assert person.look(f"{workplace.project}/traces").status_code == 404


def test_the_last_admin_stays(owner: Person, enter: Enter, workplace: Workplace) -> None:
    members = f"{workplace.settings}/members"
    person = colleague(owner, enter, workplace, "Organisation Admin")
    owner.send(members, to=f"{members}/{owner.ask('/accounts/me')['id']}/remove")
    answer = person.send(members, to=f"{members}/{id_of(person)}/remove")
    assert "the last admin of an organisation stays one" in answer.text


def test_who_only_reads_is_offered_no_change(owner: Person, enter: Enter, workplace: Workplace) -> None:
    person = colleague(owner, enter, workplace, "Organisation Member")
    members = f"{workplace.project}/settings/members"
    viewer = role_of(owner.look(members).text, "Viewer")
    owner.send(members, {"user": id_of(person), "role": viewer})
    assert person.look(f"{workplace.project}/traces").status_code == 200
    for path in ("", "/members", "/keys", "/roles", "/visibility", "/audit"):
        page = person.look(f"{workplace.project}/settings{path}")
        assert page.status_code in (200, 403), path
        if page.status_code == 200:
            forms = [form for form in re.findall(r'<form[^>]+action="([^"]*)"', page.text) if "settings" in form]
            assert forms == [], path
            assert "<fieldset disabled>" in page.text or "<fieldset>" not in page.text, path
            assert not re.search(r"button-(danger|primary)", page.text), path
    assert person.look(f"{workplace.settings}/datasources").status_code == 403


def test_the_rail_of_a_viewer_leads_back_from_everywhere(owner: Person, enter: Enter, workplace: Workplace) -> None:
    person = colleague(owner, enter, workplace, "Organisation Member")
    members = f"{workplace.project}/settings/members"
    viewer = role_of(owner.look(members).text, "Viewer")
    owner.send(members, {"user": id_of(person), "role": viewer})
    for path in (workplace.settings, "/account", f"{workplace.project}/settings"):
        rail = person.look(path).text.partition("</nav>")[0]
        for target in (f"{workplace.project}/traces", f"{workplace.project}/settings", workplace.settings):
            assert f'href="{target}"' in rail, path
        assert "/datasources" not in rail, "they belong to the organisation, where somebody who only reads may not"


def test_a_stranger_is_told_that_there_is_nothing(owner: Person, enter: Enter, workplace: Workplace) -> None:
    elsewhere = owner.send("/instance", {"name": f"Other {uuid4().hex[:8]}"}, to="/instance/organisations")
    other = Workplace(elsewhere.url.path.partition("/settings")[0], "", "", "")
    person = colleague(owner, enter, other, "Organisation Admin")
    for path in (
        workplace.settings,
        f"{workplace.project}/traces",
        f"{workplace.settings}/datasources",
        "/o/not-there",
    ):
        page = person.look(path)
        assert page.status_code == 404, path
        assert "Nothing here" in page.text
    assert person.look("/instance").status_code == 403


def test_sessions_are_listed_and_ended_elsewhere(owner: Person, enter: Enter, workplace: Workplace) -> None:
    here = colleague(owner, enter, workplace, "Organisation Member")
    there = enter()
    there.http.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    there.sign_in(email_of(here), PASSWORD)
    listed = here.look("/account").text
    assert "Firefox 140 · Windows" in listed
    ended = re.search(r'action="(/account/sessions/[0-9a-f-]{36}/revoke)"', listed)
    assert ended
    here.send("/account", to=ended[1])
    assert there.look("/account").url.path == "/login"
    assert here.look("/account").status_code == 200


def test_a_new_password_is_asked_for_the_old_one_and_ends_other_sessions(
    owner: Person, enter: Enter, workplace: Workplace
) -> None:
    here = colleague(owner, enter, workplace, "Organisation Member")
    email, there = email_of(here), enter()
    there.sign_in(email, PASSWORD)
    form = {"current": "something else entirely", "new": "another long password"}
    refused = here.send("/account", form, to="/account/password")
    assert re.search(r'id="current-error">.*this is not your password', refused.text)
    short = here.send("/account", {"current": PASSWORD, "new": "short"}, to="/account/password")
    assert re.search(r'id="new-error">.*12 characters', short.text)
    here.send("/account", {"current": PASSWORD, "new": "another long password"}, to="/account/password")
    assert there.look("/account").url.path == "/login"
    assert enter().sign_in(email, "another long password").status_code == 200


def test_a_page_says_which_fields_are_wrong(owner: Person, workplace: Workplace) -> None:
    settings = workplace.settings
    answer = owner.send(settings, {"name": " ", "slug": "Not/a slug"})
    assert answer.status_code == 422
    assert re.search(r'id="slug-error">.*Only lower-case letters', answer.text)
    assert re.search(r'id="name-error">.*This is needed', answer.text)
    assert 'value="Not/a slug"' in answer.text


def test_headless_owners_sign_in(instance: Instance, enter: Enter) -> None:
    assert "This instance has its owner" in enter().look("/setup?token=anything").text


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(
    owner: Person, enter: Enter, workplace: Workplace
) -> None:
    grace = colleague(owner, enter, workplace, "Organisation Member")
    email, new = email_of(grace), "a password that was made up just now"
    shown = owner.send("/instance/people", to=f"/instance/people/{id_of(grace)}/password-link")
    (path,) = re.findall(r"<code>https?://[^/]+(/new-password\?token=[\w-]+)</code>", shown.text)
    holder = enter()
    assert email in holder.look(path).text
    form = {"token": path.partition("token=")[2], "password": "short"}
    refused = holder.http.post("/new-password", data=form)
    assert refused.status_code == 422
    assert "field-error" in refused.text
    assert holder.http.post("/new-password", data=form | {"password": new}).headers["location"] == "/login"
    assert grace.look("/account").url.path == "/login", "signed out everywhere"
    assert "This link was used" in holder.look(path).text
    assert holder.sign_in(email, new).url.path != "/login"
