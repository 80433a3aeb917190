"""A page knows where it is, also for somebody who has more organisations than the switcher lists."""

from __future__ import annotations

from uuid import uuid4

import pytest

from arcane.access.permissions import ORGANISATION_MEMBER
from tests.support.premises import premises
from tests.support.served import Served, Visitor
from web.places import MOST_ORGANISATIONS

pytestmark = pytest.mark.postgres


def test_a_page_knows_its_place_among_more_than_are_listed(served: Served, owner: Visitor) -> None:
    for number in range(MOST_ORGANISATIONS + 1):
        name = f"Many {number:02d} {uuid4().hex[:6]}"
        organisation = owner.made("/api/v1/organisations", {"name": name})
        project = owner.made(f"/api/v1/organisations/{organisation['id']}/projects", {"name": name})
        place = f"/o/{organisation['slug']}/p/{project['slug']}"
        dataset = owner.made(f"/api/v1/projects/{project['id']}/datasets", {"name": "Rows", "columns": [{"name": "a"}]})
        answer = owner.http.get(f"{place}/datasets/{dataset['id']}/columns", headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert f"<b>{name}</b>" in answer.text
        settings = owner.http.get(f"/o/{organisation['slug']}/settings/members", headers={"accept": "text/html"})
        assert (settings.status_code, f"<b>{name}</b>" in settings.text) == (200, True)


def test_a_capture_shows_the_columns_of_a_dataset_only_to_its_readers(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Columns")
    may = ["projects:read", "traces:read", "datasets:rows:create"]
    role = owner.made(f"{place.in_project}/roles", {"name": "Adder", "permissions": may})["id"]
    someone = served.visitor(accept="text/html").invited(
        place.organisation_id,
        f"{uuid4().hex[:12]}@example.com",
        owner,
        role_id=str(ORGANISATION_MEMBER.id),
        project_id=place.project_id,
        project_role_id=role,
    )
    page = f"{place.pages}/datasets/capture?trace={place.trace_id}"
    assert someone.get(page).status_code == 200
    named = someone.get(f"{page}&dataset={place.dataset_id}")
    assert (named.status_code, "datasets:read" in named.text) == (403, True)
    assert place.member.get(f"{page}&dataset={place.dataset_id}").status_code == 200
