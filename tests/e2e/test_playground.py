"""The playground in a real browser, with a real worker and a scripted model: run, compared, saved, cancelled."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from tests.support.browser import Watched
from tests.support.model_stub import Answer, ModelStub, Refusal, Stall, serving_model
from tests.support.postgres import Server
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.worker_process import WORKER_KEY, working

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]


@dataclass(frozen=True, slots=True)
class Bench:
    """A backend with a worker, a project, and two models that are the stub."""

    served: Served
    owner: Visitor
    place: Premises
    stub: ModelStub
    models: tuple[str, str]

    def prompt(self, text: str) -> str:
        """Returns the id of a new prompt that says `text`."""
        version = {"messages": [{"role": "user", "text": text}], "model_configuration_id": self.models[0]}
        body = {"name": f"Prompt {uuid4().hex[:6]}", "version": version}
        made = self.owner.made(f"{self.place.in_project}/prompts", body)
        return str(made["prompt"]["id"])


TRACE_ID, SPAN_ID = "5a" * 16, "5b" * 8


def _called() -> dict[str, Any]:
    """Returns a trace of one model call, a minute old: it asked with a tool and at a temperature."""
    began = time.time_ns() - 60_000_000_000
    said = [{"role": "user", "parts": [{"type": "text", "content": "Rain in {Bern}?"}]}]
    tool = {"type": "function", "name": "weather", "description": "Now", "parameters": {"type": "object"}}
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "alpha",
        "gen_ai.input.messages": json.dumps(said),
        "gen_ai.tool.definitions": json.dumps([tool]),
    }
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    attributes.append({"key": "gen_ai.request.temperature", "value": {"doubleValue": 0.25}})
    span = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "chat alpha",
        "kind": 3,
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + 1_000_000_000),
        "attributes": attributes,
    }
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}


@pytest.fixture(scope="module")
def bench(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("playground")
    (folder / "corpus.jsonl").write_text(json.dumps(_called()))
    with cloned_database(postgres_server, template_database) as stored, serving_model() as stub:
        settings = served_settings(stored, folder, worker={"key": SecretStr(WORKER_KEY)})
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            with working(served, owner, folder / "w1.log"):
                place = premises(served, owner)
                models = []
                for name in ("Alpha", "Beta"):
                    told = {"base_url": stub.url, "api_key": "sk-playground"}
                    body = {"name": name, "provider": "openai-compatible", "model": name.lower(), "settings": told}
                    models.append(owner.made(f"{place.at}/model-configurations", body)["id"])
                yield Bench(served, owner, place, stub, (models[0], models[1]))


@pytest.fixture
def watched(bench: Bench, browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(base_url=bench.served.address, reduced_motion="reduce")
    cookies = [
        {"name": name, "value": value, "url": bench.served.address} for name, value in bench.owner.http.cookies.items()
    ]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    seen = Watched(context.new_page(), bench.served.address)
    seen.page.on("console", seen.note)
    yield seen
    context.close()


def opened(bench: Bench, watched: Watched, text: str) -> Page:
    return watched.open(f"{bench.place.pages}/playground?prompt={bench.prompt(text)}")


def test_a_prompt_is_filled_run_on_two_models_and_saved(bench: Bench, watched: Watched) -> None:
    page = opened(bench, watched, "Greet {{name}}")
    bench.stub.when(lambda asked: asked.body["model"] == "alpha" and "Greet" in asked.text, Answer("Hello from alpha"))
    bench.stub.when(lambda asked: asked.body["model"] == "beta" and "Greet" in asked.text, Refusal(400, "beta is away"))
    page.get_by_label("name").fill("Ann")
    page.get_by_role("button", name="Compare with another model").click()
    page.get_by_label("Model", exact=True).nth(1).select_option(bench.models[1])
    page.keyboard.press("Control+Enter")
    expect(page.locator(".play-column").nth(0)).to_contain_text("Hello from alpha")
    expect(page.locator(".play-column").nth(0).locator(".play-took")).to_contain_text("tokens")
    expect(page.locator(".play-column").nth(1).get_by_role("alert")).to_be_visible()
    assert "Greet Ann" in {asked.last for asked in bench.stub.chats}
    expect(page.locator("[data-changed]")).to_have_text("as saved")
    page.get_by_label("Text of the message").fill("Greet {{name}} kindly")
    expect(page.locator("[data-changed]")).to_have_text("changed, not saved")
    page.get_by_role("button", name="Save as new version").click()
    page.get_by_label("What is new").fill("kinder")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.wait_for_url("**/prompts/*?version=v1")
    expect(page.locator(".prompt-said")).to_contain_text("Greet {{name}} kindly")
    page.get_by_role("link", name="compare v0").click()
    expect(page.locator(".prompt-said ins")).to_contain_text("kindly")
    assert watched.complaints == []


def test_what_is_wrong_with_a_template_stands_at_its_message(bench: Bench, watched: Watched) -> None:
    page = opened(bench, watched, "Say it")
    page.get_by_label("Text of the message").fill("Hi {{#a}}")
    expect(page.locator(".play-message .field-error")).to_contain_text("The section “a” is not closed.")
    page.get_by_label("Text of the message").fill("Hi {{a}}")
    expect(page.locator(".play-message .field-error")).to_be_hidden()
    expect(page.locator("#variable-a")).to_be_visible()


def test_a_run_is_cancelled_with_the_keyboard(bench: Bench, watched: Watched) -> None:
    bench.stub.when("never answered", Stall())
    page = opened(bench, watched, "never answered")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".play-column")).to_have_attribute("data-state", "running")
    page.keyboard.press("Escape")
    expect(page.locator(".play-took")).to_contain_text("Cancelled")


def test_messages_are_moved_and_removed_with_the_keyboard(bench: Bench, watched: Watched) -> None:
    page = opened(bench, watched, "first")
    page.get_by_role("button", name="Add message").click()
    page.keyboard.type("second")
    page.keyboard.press("Alt+ArrowUp")
    texts = page.get_by_label("Text of the message")
    assert [texts.nth(at).input_value() for at in range(2)] == ["second", "first"]
    page.get_by_role("button", name="Remove this message").nth(0).click()
    assert texts.input_value() == "first"


def test_a_model_call_of_a_trace_is_tried_again_as_it_was_asked(bench: Bench, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.base}{bench.place.pages}/traces/{TRACE_ID}?span={SPAN_ID}")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Open in playground").click()
    play = opened.value
    expect(play.get_by_label("Text of the message")).to_have_count(1)  # it begins with a draft of two
    expect(play.get_by_label("Text of the message")).to_have_value("Rain in {Bern}?")
    expect(play.get_by_text("The span asked alpha.")).to_be_visible()
    bench.stub.when("Rain in {Bern}?", Answer("Yes."))
    play.keyboard.press("Control+Enter")
    expect(play.locator(".play-column").first).to_contain_text("Yes.")
    asked = bench.stub.chats[-1].body
    assert asked["temperature"] == 0.25
    assert [tool["function"]["name"] for tool in asked["tools"]] == ["weather"]
    assert watched.complaints == []


def test_a_prompt_gets_another_name_on_its_page(bench: Bench, watched: Watched) -> None:
    prompt = bench.prompt("Say it")
    page = watched.open(f"{bench.place.pages}/prompts/{prompt}")
    page.get_by_role("button", name="Rename").click()
    name = f"Renamed {uuid4().hex[:6]}"
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert watched.complaints == []
