"""Two people change one thing: the second one is told, and nothing that the first one did is undone unseen."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


def _saved(who: Visitor, place: Premises, **form: str) -> httpx.Response:
    given = {"csrf_token": who.csrf_token, "name": place.project, "slug": place.project, **form}
    return who.http.post(f"{place.pages}/settings", data=given, headers={"accept": "text/html"})


def test_a_page_from_before_a_filter_was_set_does_not_take_it_away(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Two")
    opened = owner.http.get(f"{place.pages}/settings", headers={"accept": "text/html"}).text
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', opened)
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
