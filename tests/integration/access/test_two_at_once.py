"""Two people change one thing: the second one is told, and nothing that the first one did is undone unseen."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest

from arcane.access.permissions import MEMBER, VIEWER
from tests.support.premises import Premises, premises
from tests.support.served import Json, Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


def _saved(who: Visitor, place: Premises, **form: str) -> httpx.Response:
    given = {"csrf_token": who.csrf_token, "name": place.project, "slug": place.project, **form}
    return who.http.post(f"{place.pages}/settings", data=given, headers={"accept": "text/html"})


def _put_rule(who: Visitor, place: Premises, *roles: UUID, **more: str) -> httpx.Response:
    body = {"hidden_role_ids": list(map(str, roles)), **more}
    return who.call("PUT", f"{place.in_project}/attribute-visibility-rules/{place.rule_id}", body)


def _rule(owner: Visitor, place: Premises) -> Json:
    found: Json = owner.get(f"{place.in_project}/attribute-visibility-rules").json()["items"][0]
    return found


def _seen_on(who: Visitor, path: str) -> str:
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', who.http.get(path, headers={"accept": "text/html"}).text)
    return str(seen)


def test_a_rule_is_not_narrowed_by_who_did_not_see_that_it_was_widened(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Two")
    seen = _rule(owner, place)["updated_at"]
    assert _put_rule(place.member, place, MEMBER.id, VIEWER.id, seen=seen).status_code == 200
    late = _put_rule(owner, place, MEMBER.id, seen=seen)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/conflict")
    rule = _rule(owner, place)
    assert {role["id"] for role in rule["hidden_from"]} == {str(MEMBER.id), str(VIEWER.id)}
    assert _put_rule(owner, place, MEMBER.id, seen=rule["updated_at"]).status_code == 200
    assert _put_rule(owner, place, VIEWER.id).status_code == 200, "who does not say what they saw is not asked"


def test_a_page_from_before_a_rule_was_widened_does_not_take_the_rule_away(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Two")
    page = f"{place.pages}/settings/visibility"
    seen = _seen_on(owner, page)
    assert _put_rule(place.member, place, MEMBER.id, VIEWER.id).status_code == 200
    for moment, left in ((seen, 1), (_seen_on(owner, page), 0)):
        form = {"csrf_token": owner.csrf_token, "seen": moment}
        assert owner.http.post(f"{page}/{place.rule_id}/delete", data=form).status_code == 303
        assert len(owner.get(f"{place.in_project}/attribute-visibility-rules").json()["items"]) == left


@pytest.mark.parametrize("level", ["organisation", "project"])
def test_a_role_is_not_given_back_what_somebody_took_from_it(served: Served, owner: Visitor, level: str) -> None:
    place = premises(served, owner, "Two")
    path = f"{place.in_project}/roles/{place.project_role_id}"
    had, less = ["traces:read", "datasets:export"], ["traces:read"]
    if level == "organisation":
        path = f"{place.at}/roles/{place.role_id}"
        had, less = ["organisations:read", "projects:read"], ["projects:read"]
    seen = owner.call("PATCH", path, {"permissions": had}).json()["updated_at"]
    assert place.member.call("PATCH", path, {"permissions": less}).status_code == 200
    assert owner.call("PATCH", path, {"permissions": had, "seen": seen}).status_code == 409
    found = owner.get(path).json()
    assert found["permissions"] == less
    assert owner.call("PATCH", path, {"name": "Known", "seen": found["updated_at"]}).status_code == 200


def test_what_a_prompt_is_said_to_be_is_not_replaced_unseen(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Two")
    path, page = f"{place.in_project}/prompts/{place.prompt}", f"{place.pages}/prompts/{place.prompt}"
    seen, opened = owner.get(path).json()["updated_at"], _seen_on(owner, page)
    assert place.member.call("PATCH", path, {"metadata": {"team": "red"}, "seen": seen}).status_code == 200
    assert owner.call("PATCH", path, {"metadata": {}, "seen": seen}).status_code == 409
    form = {"csrf_token": owner.csrf_token, "name": "Mine", "description": ""}
    assert owner.http.post(f"{page}/rename", data={**form, "seen": opened}).status_code == 303
    assert (owner.get(path).json()["name"], owner.get(path).json()["metadata"]) == ("Greeting", {"team": "red"})
    assert owner.http.post(f"{page}/rename", data={**form, "seen": _seen_on(owner, page)}).status_code == 303
    assert owner.get(path).json()["name"] == "Mine"


def test_a_program_that_says_what_it_saw_of_a_project_does_not_take_its_filter_away(
    served: Served, owner: Visitor
) -> None:
    place = premises(served, owner, "Two")
    seen = owner.get(place.in_project).json()["updated_at"]
    only = {"trace_filter": {"attribute_name": "team", "attribute_value": "red"}, "seen": seen}
    assert place.member.call("PATCH", place.in_project, only).status_code == 200
    assert owner.call("PATCH", place.in_project, {"trace_filter": None, "seen": seen}).status_code == 409
    assert owner.get(place.in_project).json()["trace_filter_attribute_value"] == "red"


def test_a_page_from_before_a_filter_was_set_does_not_take_it_away(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Two")
    seen = _seen_on(owner, f"{place.pages}/settings")
    only = {"trace_filter": {"attribute_name": "team", "attribute_value": "red"}}
    assert place.member.call("PATCH", place.in_project, only).status_code == 200
    late = _saved(owner, place, description="ours", seen=seen)
    assert late.status_code == 409
    assert "somebody else changed the project" in late.text
    found = owner.get(place.in_project).json()
    assert (found["trace_filter_attribute_value"], found["description"]) == ("red", "")
    (again,) = re.findall(r'name="seen" value="([^"]+)"', late.text)
    assert _saved(owner, place, description="ours", seen=again).status_code == 303
    assert owner.get(place.in_project).json()["trace_filter_attribute_value"] is None, "it was seen, and taken away"
