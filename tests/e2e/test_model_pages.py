"""Connecting, testing, changing and forgetting a model."""

from __future__ import annotations

import re

import pytest

from tests.support.instance import Workplace
from tests.support.model_stub import Answer, ModelStub, Refusal
from tests.support.person import Person

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

SECRET = "sk-a-key-nobody-may-see-again"


def form_for(stub: ModelStub, **more: str) -> dict[str, str]:
    """What the form sends when only the needed fields were filled in."""
    empty = dict.fromkeys(
        (
            "parameters/temperature",
            "parameters/top_p",
            "parameters/max_tokens",
            "parameters/stop",
            "parameters/reasoning_effort",
            "parameters/frequency_penalty",
            "parameters/presence_penalty",
            "parameters/seed",
            "price/input_usd",
            "price/output_usd",
        ),
        "",
    )
    filled = {"name": "Stub", "model": "stub-small", "base_url": stub.url, "api_key": SECRET, "structured": "native"}
    return {**empty, **filled, **more}


def new(workplace: Workplace) -> str:
    return f"{workplace.settings}/models/new/openai-compatible"


def test_a_model_is_tested_before_it_is_saved(owner: Person, workplace: Workplace, model_stub: ModelStub) -> None:
    model_stub.then(Answer("ready", input_tokens=9, output_tokens=1))
    page = owner.send(new(workplace), {**form_for(model_stub), "test": "1"})
    assert "It answers" in page.text, page.text[page.text.find('id="test"') :][:800]
    assert re.search(r"stub-small answered in [\d.]+ (ms|µs|s)\.", page.text)
    assert "9 read, 1 written" in page.text
    assert "unknown: no price is listed" in page.text
    assert "No model yet" in owner.look(f"{workplace.settings}/models").text


def test_a_model_that_fails_says_why(owner: Person, workplace: Workplace, model_stub: ModelStub) -> None:
    model_stub.then(Refusal(401, "wrong key", "invalid_api_key"))
    page = owner.send(new(workplace), {**form_for(model_stub), "test": "1"})
    assert "It does not answer" in page.text
    assert "does not take the key" in page.text
    assert SECRET not in page.text


def test_a_model_is_connected_changed_and_forgotten(owner: Person, workplace: Workplace, model_stub: ModelStub) -> None:
    more = {
        "parameters/temperature": "0.5",
        "parameters/stop": "END\nSTOP",
        "price/input_usd": "1",
        "price/output_usd": "2",
    }
    page = owner.send(new(workplace), form_for(model_stub, **more))
    assert page.status_code == 200, page.text
    assert "Saved." in page.text
    assert "It is set. Leave this empty to keep it." in page.text
    assert SECRET not in page.text
    assert 'value="0.5"' in page.text
    address = page.url.path
    listed = owner.look(f"{workplace.settings}/models").text
    assert "Stub" in listed
    assert "1.0 / 2.0" in listed
    changed = owner.send(address, form_for(model_stub, api_key="", model="stub-large"))
    assert "Saved." in changed.text
    assert 'value="stub-large"' in changed.text
    assert "1.0 / 2.0" not in owner.look(f"{workplace.settings}/models").text
    moved = owner.send(address, form_for(model_stub, api_key="", base_url="https://elsewhere.example.com/v1"))
    assert moved.status_code == 422
    assert "the address changed: enter this again" in moved.text
    gone = owner.send(address, to=f"{address}/delete")
    assert "Arcane has forgotten the model" in gone.text
    assert owner.look(address).status_code == 404


def test_what_is_wrong_stands_beside_its_field(owner: Person, workplace: Workplace, model_stub: ModelStub) -> None:
    wrong = {"parameters/temperature": "hot", "price/input_usd": "1"}
    page = owner.send(new(workplace), form_for(model_stub, **wrong))
    assert page.status_code == 422
    assert 'value="hot"' in page.text
    assert "field-error" in page.text
    assert owner.look(f"{workplace.settings}/models/new/nobody").status_code == 404
