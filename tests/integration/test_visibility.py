"""A project's filter and its hidden attributes hold, whatever is asked and however often.

The numbers in names are those of the original product's list of holes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from arcane.access.permissions import MEMBER, VIEWER
from arcane.spi.otlp import encode_json
from tests.support.canaries import AROUND, SECRET, trace_of
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = pytest.mark.postgres


@dataclass(frozen=True, slots=True)
class Filtered:
    """A project over red and blue traces, with keys that act as Viewer and as Member."""

    owner: Visitor
    place: Premises
    keys: tuple[Visitor, ...]

    def narrow(self) -> None:
        filtering = {"trace_filter": {"attribute_name": "team", "attribute_value": "red"}}
        assert self.owner.call("PATCH", self.place.in_project, filtering).status_code == 200

    def hide(self) -> None:
        roles = [str(role.id) for role in (VIEWER, MEMBER)]
        rule = {"attribute_name": "secret", "hidden_role_ids": roles}
        self.owner.made(f"{self.place.in_project}/attribute-visibility-rules", rule)

    def asked(self, key: Visitor, query: str, **more: Any) -> httpx.Response:
        return key.call("POST", f"{self.place.in_project}/search", {"query": query, **AROUND, **more})


RED, BLUE = (1, 3, 5), (2, 4, 6)


@pytest.fixture
def filtered(served: Served, owner: Visitor) -> Iterator[Filtered]:
    place = premises(served, owner, "Filtered")
    file = served.settings.files.allow_roots[0] / "teams.jsonl"
    traces = [trace_of(number, team="red" if number in RED else "blue") for number in (*RED, *BLUE)]
    file.write_bytes(b"\n".join(b"".join(encode_json(trace.spans)) for trace in traces) + b"\n")
    assert owner.call("DELETE", f"{place.at}/datasources/{place.datasource_id}").status_code == 204
    source = {"name": "Teams", "kind": "otlp_file", "settings": {"path": "teams.jsonl"}}
    owner.made(f"{place.at}/datasources", source)
    keys = [
        owner.made(f"{place.in_project}/api-keys", {"name": scope, "scope": scope})["key"]
        for scope in ("read", "read-write")
    ]
    yield Filtered(owner, place, tuple(served.visitor(Authorization=f"Bearer {key}") for key in keys))
    file.unlink()


def _ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {item["trace_id"] for item in answer.json()["items"]}


def test_11_a_projects_filter_holds_whatever_is_asked(filtered: Filtered) -> None:
    for key in filtered.keys:
        assert len(_ids(filtered.asked(key, "{}"))) == 6  # remembered without the filter
    filtered.narrow()
    red = {trace_of(number).trace_id for number in RED}
    place = filtered.place.in_project
    for key in filtered.keys:
        for query in ("{}", '{ span.team = "blue" || true }', "{ true } ", '{ !(.team = "red") || .number > 0 }'):
            assert _ids(filtered.asked(key, query)) == red
        for query in ("{} || {}", "{} | select(.team)", "{} | by(.team) | count() > 0", "(by(.team)) || ({})"):
            assert _ids(filtered.asked(key, query)) == red, query
        for query in ('{ .team = "blue" }', '{ .team = "blue" } && {}', '{ .team = "blue" } | count() > 0'):
            assert _ids(filtered.asked(key, query)) == set(), query
        measured = key.call("POST", f"{place}/metrics", {"query": "{} | count_over_time() by(.team)", **AROUND})
        assert measured.status_code == 200, measured.text
        assert "red" in measured.text
        assert "blue" not in measured.text
        for number, status in ((RED[0], 200), (BLUE[0], 404)):
            trace = trace_of(number)
            for path in ("", "/otlp", f"/spans/{trace.spans[0].span_id}/messages"):
                assert key.get(f"{place}/traces/{trace.trace_id}{path}").status_code == status
        values = key.get(f"{place}/attributes/span.team/values", params=AROUND)
        assert "red" in values.text
        assert "blue" not in values.text


def test_11_a_hidden_attribute_is_hidden_in_every_answer(filtered: Filtered) -> None:
    place, trace = filtered.place.in_project, trace_of(1)
    paths = [
        f"/traces/{trace.trace_id}",
        f"/traces/{trace.trace_id}/otlp",
        f"/traces/{trace.trace_id}/spans/{trace.spans[0].span_id}/messages",
        "/attributes/span.secret/values",
        "/attributes/.secret/values",
        "/attributes/event.secret/values",
        '/attributes/span."secret"/values',
    ]
    for key in filtered.keys:
        shown = "".join(key.get(place + path, params=AROUND).text for path in paths)
        assert SECRET in shown  # before the rule it is no secret, and remembered
    filtered.hide()
    for key in filtered.keys:
        heard = [key.get(place + path, params=AROUND) for path in paths]
        for query in (
            "{}",
            f'{{ span.secret = "{SECRET}-1" }}',
            f'{{ .secret =~ "{SECRET}.*" }}',
            '{ "a" = "b" || event.secret != nil }',
            '{ span."secret" != nil }',
            "{ resource.secret = nil }",
        ):
            heard.append(filtered.asked(key, query))
            body = {"query": query, **AROUND}
            heard.append(key.call("POST", f"{place}/search/explain", body))
            if "secret" in query:
                assert [answer.status_code for answer in heard[-2:]] == [403, 403], query
        told = "".join(answer.text for answer in heard).replace(f"{SECRET}-1", "asked").replace(f"{SECRET}.*", "asked")
        assert SECRET not in told
        assert "[REDACTED]" in told
    names = filtered.owner.get(f"{place}/traces/{trace.trace_id}").text
    assert SECRET in names, "the rule is for the roles it names"


def test_11_a_hidden_attribute_is_hidden_through_the_other_doors(filtered: Filtered) -> None:
    """Captures, metrics, streams and the published clients' API: what one refuses, another does not tell."""
    place, trace = filtered.place.in_project, trace_of(1)
    (source,) = filtered.owner.get(f"{filtered.place.at}/datasources").json()["items"]
    public = f"/api/public/datasources/{source['id']}/traces"
    asked = f'{{ span.secret =~ "{SECRET}.*" }}'
    captures = f"{place}/datasets/{filtered.place.dataset_id}/captures"
    capture = {"traces": [{"trace_id": trace.trace_id}], "columns": {"question": "span:secret"}}
    open_doors: list[tuple[str, str, Any]] = [
        ("POST", f"{place}/search/stream", {"query": "{}", **AROUND}),
        ("POST", f"{place}/metrics", {"query": "{} | compare({ .number = 1 })", **AROUND}),
        ("POST", f"{public}/search", AROUND),
        ("GET", f"{public}/{trace.trace_id}", None),
        ("POST", captures, capture),
        ("GET", f"{place}/datasets/{filtered.place.dataset_id}/rows", None),
        ("GET", f"{place}/datasets/{filtered.place.dataset_id}/export?format=csv", None),
    ]
    refusing: list[tuple[str, str, Any]] = [
        ("POST", f"{place}/search/stream", {"query": asked, **AROUND}),
        ("POST", f"{place}/metrics", {"query": "{} | rate() by(span.secret)", **AROUND}),
        ("POST", f"{place}/metrics/explain", {"query": "{} | max_over_time(event.secret)", **AROUND}),
        ("GET", f"{place}/tail?query={quote(asked)}", None),
        ("POST", f"{public}/search", {"q": asked, **AROUND}),
        ("POST", f"{public}/search", {"attributes": f"secret={SECRET}-1", **AROUND}),
        ("POST", f"{public}/search", {"filterByAttributeExists": ["secret"], **AROUND}),
        ("GET", f"{public}/attributes/secret/values", None),
        ("POST", captures, {"search": {"query": asked, **AROUND}, "columns": {"question": "trace:name"}}),
    ]
    filtered.hide()
    _, writes = filtered.keys
    told = [writes.call(method, path, body) for method, path, body in open_doors]
    assert {answer.status_code for answer in told} <= {200, 201}, [answer.text for answer in told]
    assert SECRET not in "".join(answer.text for answer in told)
    assert "[REDACTED]" in told[3].text
    assert "[REDACTED]" in told[5].text, "the captured row holds what the caller sees"
    for method, path, body in refusing:
        refused = writes.call(method, path, body)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/hidden-attribute"), (path, body)


def test_11_a_cursor_from_before_a_rule_does_not_carry_past_it(filtered: Filtered) -> None:
    key = filtered.keys[0]
    query = f'{{ span.secret =~ "{SECRET}.*" }}'
    narrow = filtered.asked(key, "{}", limit=2).json()["next"]
    hide = filtered.asked(key, query, limit=2).json()["next"]
    assert narrow
    assert hide
    filtered.hide()
    assert filtered.asked(key, query, limit=2, cursor=hide).status_code == 403
    filtered.narrow()
    assert filtered.asked(key, "{}", limit=2, cursor=narrow).status_code == 400
    assert filtered.asked(key, "{}", limit=2, cursor=hide).status_code == 400
