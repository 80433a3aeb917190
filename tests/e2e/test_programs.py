"""What a project lets programs and people see: API keys, roles, hidden attributes and the trace filter."""

from __future__ import annotations

import re

import pytest

from tests.support.instance import Enter, Instance, Workplace, colleague, role_of
from tests.support.person import Person

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

MODEL = "gen_ai.request.model"
ENVIRONMENT = "deployment.environment.name"


def made_key(owner: Person, place: Workplace, **form: str) -> str:
    """Returns a new API key, as the page shows it."""
    page = owner.send(f"{place.project}/settings/keys", {"name": "report", "scope": "read", "expires": "90", **form})
    found = re.search(r"sk-arcane-[0-9a-f]+", page.text)
    assert found, page.text
    return found[0]


def viewer_of(owner: Person, enter: Enter, place: Workplace) -> Person:
    """Returns a member of the organisation who only reads the project."""
    person = colleague(owner, enter, place, "Organisation Member", "Frances Allen")
    members = f"{place.project}/settings/members"
    role = role_of(owner.look(members).text, "Viewer")
    owner.send(members, {"user": person.ask("/accounts/me")["id"], "role": role})
    return person


def test_a_key_is_shown_once_and_opens_its_project(owner: Person, instance: Instance, workplace: Workplace) -> None:
    key = made_key(owner, workplace)
    again = owner.look(f"{workplace.project}/settings/keys").text
    assert key not in again
    assert f"…{key[-4:]}" in again
    answer = workplace.search(instance, key, "{ status = error }")
    assert answer.status_code == 200
    assert answer.json()["items"]
    assert answer.json()["sources"][0]["name"] == "Storefront"


def test_a_revoked_key_opens_nothing(owner: Person, instance: Instance, workplace: Workplace) -> None:
    key = made_key(owner, workplace)
    keys = f"{workplace.project}/settings/keys"
    assert workplace.search(instance, key, "{}").status_code == 200
    revoke = re.search(r'action="([^"]+/keys/[0-9a-f-]{36}/revoke)"', owner.look(keys).text)
    assert revoke
    page = owner.send(keys, to=revoke[1])
    assert "revoked" in page.text
    answer = workplace.search(instance, key, "{}")
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/not-signed-in"


def test_a_key_without_a_name_is_refused_and_nothing_is_lost(owner: Person, workplace: Workplace) -> None:
    keys = f"{workplace.project}/settings/keys"
    page = owner.send(keys, {"name": "", "scope": "read-write", "expires": "30"})
    assert page.status_code == 422
    assert re.search(r'id="name-error">.*This is needed', page.text)
    assert re.search(r'value="read-write" selected', page.text)
    assert re.search(r'value="30" selected', page.text)


def test_a_role_of_ones_own_holds_what_was_chosen(owner: Person, enter: Enter, workplace: Workplace) -> None:
    roles = f"{workplace.settings}/roles"
    nothing = owner.send(roles, {"name": "Auditor"})
    assert nothing.status_code == 422
    assert "Choose what the role holds." in nothing.text
    held = ["organisations:read", "organisations:members:read", "organisations:audit:read"]
    page = owner.send(roles, {"name": "Auditor", "description": "Reads what happened.", "permission": held})
    assert "Reads what happened." in page.text
    person = colleague(owner, enter, workplace, "Auditor")
    assert person.look(f"{workplace.settings}/audit").status_code == 200
    assert person.look(roles).status_code == 403
    gone = re.search(r'action="([^"]+/roles/[0-9a-f-]{36}/delete)"', page.text)
    assert gone
    assert "somebody has this role" in owner.send(roles, to=gone[1]).text


def test_a_hidden_attribute_is_redacted_everywhere(
    owner: Person, enter: Enter, instance: Instance, workplace: Workplace
) -> None:
    person = viewer_of(owner, enter, workplace)
    found = workplace.search(instance, person, f"{{ span.{MODEL} != nil }}").json()["items"]
    trace_id = found[0]["trace_id"]
    page = f"{workplace.project}/traces/{trace_id}?view=plain"
    model = found[0]["spans"][0]["attributes"][MODEL]
    assert model in person.look(page).text

    rules = f"{workplace.project}/settings/visibility"
    roles = dict(re.findall(r'name="role" value="([^"]+)"[^>]*><span>([^<]+)', owner.look(rules).text))
    viewer = next(role_id for role_id, name in roles.items() if name == "Viewer")
    assert MODEL in owner.send(rules, {"attribute_name": MODEL, "role": [viewer]}).text

    refused = workplace.search(instance, person, f'{{ span.{MODEL} = "{model}" }}')
    assert refused.status_code in (400, 403)
    assert MODEL in refused.json()["detail"]
    trace = person.ask(workplace.api(f"/traces/{trace_id}"))
    values = {span["attributes"][MODEL] for span in trace["spans"] if MODEL in span["attributes"]}
    assert values == {"[REDACTED]"}
    plain = person.look(page).text
    assert "[REDACTED]" in plain
    assert MODEL not in {item["name"] for item in person.ask(workplace.api("/attributes"))["items"]}
    assert model in owner.look(page).text, "only that role is kept from it"


def test_a_rule_needs_somebody_to_hide_from(owner: Person, workplace: Workplace) -> None:
    page = owner.send(f"{workplace.project}/settings/visibility", {"attribute_name": MODEL})
    assert page.status_code == 422
    assert "Choose a role." in page.text
    assert f'value="{MODEL}"' in page.text


def test_a_trace_filter_narrows_the_project(owner: Person, instance: Instance, workplace: Workplace) -> None:
    def only(name: str, value: str) -> dict[str, str]:
        return {"trace_filter/attribute_name": name, "trace_filter/attribute_value": value}

    def ids(query: str) -> set[str]:
        answer = workplace.search(instance, owner, query)
        assert answer.status_code == 200, answer.text
        return {item["trace_id"] for item in answer.json()["items"]}

    every = ids("{}")
    staging = ids(f'{{ .{ENVIRONMENT} = "staging" }}')
    assert staging
    assert staging < every
    outside = next(iter(every - staging))
    assert owner.look(f"{workplace.project}/traces/{outside}?view=plain").status_code == 200

    settings = f"{workplace.project}/settings"
    half = owner.send(settings, {"name": "Shop", "slug": "shop", **only(ENVIRONMENT, "")})
    assert half.status_code == 422
    assert re.search(r'id="trace_filter/attribute_value-error">.*This is needed', half.text)
    saved = owner.send(settings, {"name": "Shop", "slug": "shop", **only(ENVIRONMENT, "staging")})
    assert 'value="staging"' in saved.text

    assert ids("{}") == staging
    assert owner.look(f"{workplace.project}/traces/{outside}?view=plain").status_code == 404
    path = f"/api/v1{workplace.api(f'/traces/{outside}')}"
    assert owner.http.get(path, headers={"accept": "application/json"}).status_code == 404
    inside = next(iter(staging))
    assert owner.look(f"{workplace.project}/traces/{inside}?view=plain").status_code == 200


def test_a_new_short_name_is_where_the_project_is(owner: Person, workplace: Workplace) -> None:
    page = owner.send(f"{workplace.project}/settings", {"name": "Shop", "slug": "the-shop"})
    assert page.url.path.endswith("/p/the-shop/settings")
    assert "Saved." in page.text
    assert owner.look(f"{workplace.project}/settings").status_code == 404
    owner.send(page.url.path, to=f"{page.url.path}/delete")
    assert owner.look(page.url.path).status_code == 404
