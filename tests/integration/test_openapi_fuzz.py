"""Whatever the OpenAPI document allows, and whatever it forbids: the backend answers as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from arcane.access.permissions import ORGANISATION_MEMBER
from tests.support.not_run import told
from tests.support.premises import END, START, Premises, premises
from tests.support.reference_pages import REFERENCE
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
NIGHTLY = told("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 500 if NIGHTLY else 8
QUERIES = (
    "{}",
    "{ status = error }",
    '{ resource.service.name = "gateway" && duration > 1ms }',
    "{ span:childCount > 1 }",
)
ORDERS = frozenset(
    {"cancel", "pause", "resume", "rerun", "{order}", "delete", "discard", "redrive", "restore", "promote", "import"}
)
"""Last words of a path that is posted to without adding anything."""
PATIENCE_S = 60.0
"""On a busy machine the first figures wait for a process that loads scipy."""
LONGEST_URL = 60_000
"""Longer ones the HTTP parser refuses, in words of its own."""
IDS = [field.name for field in fields(Premises) if field.name.endswith("_id")]

schema = schemathesis.openapi.from_path(REFERENCE / "openapi.json")
schema.config.generation.update(
    modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
    with_security_parameters=False,  # the caller is signed in; made-up credentials end at the door
)
schema.config.phases.examples.enabled = False  # the examples of queries are among QUERIES
schema.config.phases.coverage.enabled = NIGHTLY


@pytest.fixture(scope="session")
def standing(served: Served, owner: Visitor) -> Premises:
    """For operations that change nothing that is there, though they may add to it."""
    return premises(served, owner)


@pytest.fixture
def place(request: pytest.FixtureRequest, served: Served, owner: Visitor, standing: Premises) -> Premises:
    """Fresh for an operation that changes what is there, or takes it away."""
    method, path = request.node.name.rstrip("]").rpartition("[")[2].split()
    adds = method == "POST" and path.rpartition("/")[2] not in ORDERS
    ends = path.endswith("{evaluation_id}/events")  # which people's evaluation does not do by itself
    if (method == "GET" or adds) and not ends:
        return standing
    fresh = premises(served, owner)
    if ends:
        ended = owner.call("POST", f"{fresh.in_project}/evaluations/{fresh.evaluation_id}/cancel")
        assert ended.json()["state"] == "cancelled", ended.text
    return fresh


@pytest.fixture(scope="session")
def second_owner(served: Served, owner: Visitor, standing: Premises) -> Visitor:
    """Whose sessions nobody else needs."""
    guest = {"role_id": str(ORGANISATION_MEMBER.id)}
    found = served.visitor().invited(standing.organisation_id, "second@arcane.test", owner, **guest)
    assert owner.call("PUT", f"/api/v1/users/{found.user_id}/owner").status_code == 200
    return found


@pytest.fixture
def caller(second_owner: Visitor) -> Iterator[requests.Session]:
    """The second owner, signed in, whatever the operation before did to the session."""
    if second_owner.get("/api/v1/accounts/me").status_code == 401:
        second_owner.sign_in("second@arcane.test")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-CSRF-Token"] = second_owner.csrf_token
        session.cookies.update(dict(second_owner.http.cookies))
        yield session


@schema.given(real=st.sampled_from((True, True, True, False)), query=st.sampled_from(QUERIES))
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_an_operation_keeps_what_its_description_promises(
    case: schemathesis.Case[Any], place: Premises, caller: requests.Session, served: Served, real: bool, query: str
) -> None:
    if real:
        _lead_somewhere(case, place, query)
    answer = case.call(base_url=served.address, session=caller, timeout=PATIENCE_S)
    if len(str(answer.request.url)) < LONGEST_URL:
        case.validate_response(answer, checks=PROMISES)


def _lead_somewhere(case: schemathesis.Case[Any], place: Premises, query: str) -> None:
    """The ids in the request are of things that are there, unless it is what is wrong with them that is tried."""
    components = case.meta.components if case.meta else {}
    negated = {where for where, component in components.items() if component.mode is GenerationMode.NEGATIVE}
    real = _real(place, query, in_project="{project_id}" in case.path)
    if ParameterLocation.PATH not in negated:
        parameters = case.path_parameters or {}
        parameters.update({name: value for name, value in real.items() if name in parameters})
        if "name" in parameters:
            parameters["name"] = "resource.service.name"
    if ParameterLocation.BODY not in negated and isinstance(case.body, dict):
        case.body.update({name: value for name, value in real.items() if name in case.body})


def _real(place: Premises, query: str, *, in_project: bool) -> dict[str, Any]:
    return {
        **{name: getattr(place, name) for name in IDS},
        "role_id": place.project_role_id if in_project else place.role_id,
        "role_ids": [place.project_role_id],
        "hidden_role_ids": [place.project_role_id],
        "permissions": ["traces:read"],
        "query": query,
        "datasources": [place.datasource_id],
        "start": START,
        "end": END,
        "cursor": None,
        "kind": "otlp_file",
        "settings": {"path": "corpus.jsonl"},
    }
