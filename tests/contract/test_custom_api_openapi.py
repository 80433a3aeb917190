"""The OpenAPI document of the second contract is what the adapter sends and understands, and what servers answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import anyio.to_thread
import httpx
import jsonschema_rs
import msgspec
import pytest
import yaml

from arcane.spi import AttributeQuery, ScanRequest, SpansetFilter, TimeRange
from arcane.spi.testing import corpus
from arcane.spi.testing_corpus import QUERIES
from arcane.traceql.ast import LiteralType, Op, Scope
from arcane.traceql.parse import parse
from datasources.custom_api.v2 import decode, wire
from datasources.custom_api.v2.compile import compile_attributes, compile_search
from tests.support.custom_api import PAGE, answering, example_server
from tests.support.second_contract import EVERYTHING, second_contract

DOCUMENT = yaml.safe_load((PAGE.parent / "custom_api.openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
STRUCTS = {
    name: kind for name, kind in vars(wire).items() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
}
TRACES = corpus()
WITHIN = TimeRange(TRACES[0].start, TRACES[40].end)


def is_valid(name: str, document: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(schema).validate(document)
    return True


@pytest.mark.parametrize("name", [name for name in STRUCTS if name not in ("KeyValue", "ResourceSpans")])
def test_every_model_is_described_member_by_member(name: str) -> None:
    fields = msgspec.structs.fields(STRUCTS[name])
    assert list(SCHEMAS[name]["properties"]) == [field.encode_name for field in fields]
    assert SCHEMAS[name].get("required", []) == [field.encode_name for field in fields if field.required]


def test_the_words_are_those_of_the_language() -> None:
    assert SCHEMAS["ScopeName"]["enum"] == list(get_args(wire.ScopeName))
    assert set(get_args(wire.ScopeName)) == {scope.value for scope in Scope} - {"parent"}
    assert SCHEMAS["OperatorName"]["enum"] == list(get_args(wire.OperatorName))
    assert {Op(name) for name in get_args(wire.OperatorName)} == {
        op for op in Op if op.value in ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]
    }
    assert SCHEMAS["LiteralName"]["enum"] == list(get_args(wire.LiteralName)) == [kind.value for kind in LiteralType]


def test_the_requests_are_those_of_the_adapter() -> None:
    asked = {decode.CAPABILITIES, decode.SEARCH, decode.NAMES, decode.VALUES, "/traces/{trace_id}"}
    assert DOCUMENT["paths"].keys() == asked
    query = AttributeQuery(WITHIN)
    for path, field in ((decode.NAMES, None), (decode.VALUES, parse("{ span.a != nil }").body.condition.left)):  # type: ignore[union-attr]
        told = {one["name"] for one in DOCUMENT["paths"][path]["get"]["parameters"]}
        assert told == {name for name, _ in compile_attributes(query, field)}


@pytest.mark.parametrize("text", QUERIES)
def test_what_is_sent_is_valid(text: str) -> None:
    spanset = parse(text).filter
    assert spanset is not None
    assert is_valid("SearchBody", json.loads(compile_search(ScanRequest(WITHIN, 5, spanset), 5, None)))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with example_server(tmp_path_factory.mktemp("example"), TRACES) as address:
        yield address


def test_what_the_example_answers_is_valid(example: str) -> None:
    body = compile_search(ScanRequest(WITHIN, 3, SpansetFilter()), 3, None)
    with httpx.Client(base_url=example) as http:
        assert is_valid("CapabilitiesDocument", http.get("/capabilities").json())
        answer = http.post("/search", content=body).json()
        assert is_valid("SearchAnswer", answer)
        assert len(answer["traces"]) == 3
        assert is_valid("TraceAnswer", http.get(f"/traces/{TRACES[0].trace_id}").json())
        assert http.get("/traces/" + "0" * 31 + "f").status_code == 404
        assert http.post("/search", content=b"{}").status_code == 400


@pytest.mark.anyio
@pytest.mark.parametrize("answers", ["traces", "summaries"])
async def test_what_a_server_that_can_do_everything_answers_is_valid(answers: str) -> None:
    document = {**EVERYTHING, "answers": answers}
    spanset = parse("{ span.items > 2 }").filter
    assert spanset is not None
    async with answering(second_contract(TRACES, document)) as url:
        found = await _asked(url, compile_search(ScanRequest(WITHIN, 3, spanset), 3, None))
    for name, answer in found.items():
        assert is_valid(name, answer)


async def _asked(url: str, body: bytes) -> dict[str, Any]:
    """Asks from a thread: the server runs on this loop."""

    def ask() -> dict[str, Any]:
        window = {"start": "0", "end": str(2**62), "limit": "5", "prefix": ""}
        with httpx.Client(base_url=url) as http:
            return {
                "CapabilitiesDocument": http.get("/capabilities").json(),
                "SearchAnswer": http.post("/search", content=body).json(),
                "NamesAnswer": http.get("/attributes", params=window).json(),
                "ValuesAnswer": http.get(
                    "/attributes/values", params={**window, "scope": "span", "name": "items"}
                ).json(),
            }

    return await anyio.to_thread.run_sync(ask)


def test_the_page_shows_documents_that_are_valid() -> None:
    shown = [json.loads(one) for one in _blocks(PAGE)]
    names = ["CapabilitiesDocument", "SearchBody", "SearchAnswer"]
    assert [is_valid(name, one) for name, one in zip(names, shown, strict=True)] == [True] * 3
    (spanset,) = (parse(one["traceql"]).filter for one in shown if "traceql" in one)
    assert spanset is not None
    request = ScanRequest(TimeRange(int(shown[1]["start"]), int(shown[1]["end"])), 20, spanset)
    assert json.loads(compile_search(request, 20, None))["filter"] == shown[1]["filter"]
    assert decode.decode_capabilities(decode.decode_document(json.dumps(shown[0]).encode())).covers(spanset.condition)


def _blocks(page: Path) -> list[str]:
    return [part.split("```", 1)[0] for part in page.read_text().split("```json\n")[1:]]
