"""Prompts through the published client, sync and async."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanNotFoundError

from tests.support.premises import Premises
from tests.support.served import Visitor

pytestmark = pytest.mark.postgres

NAME = "Answer politely v1.2"
"""With spaces: the client does not encode names."""


@pytest.fixture(scope="module")
def prompt(owner: Visitor, place: Premises) -> Any:
    body = {"name": f"Model {uuid4().hex}", "provider": "anthropic", "model": "claude-x", "settings": {"api_key": "k"}}
    model = owner.made(f"{place.at}/model-configurations", body)["id"]
    chat = {
        "model_configuration_id": model,
        "format": "mustache",
        "messages": [
            {"role": "system", "text": "Be kind to {{name}}."},
            {"role": "assistant", "tool_calls": [{"id": "c1", "name": "look", "arguments": "{}"}]},
            {"role": "tool", "text": "42", "tool_call_id": "c1", "tool_name": "look"},
        ],
        "parameters": {"temperature": 0.5},
        "tools": [{"name": "look", "description": "Looks.", "parameters": {"type": "object"}}],
    }
    return owner.made(f"{place.in_project}/prompts", {"name": NAME, "description": "kind", "version": chat})


def test_a_prompt_and_its_versions_have_the_originals_shape(sdk: ArcaneClient, prompt: Any) -> None:
    found = sdk.prompts.get(NAME)
    assert found == sdk.prompts.get(found["id"])
    assert found in sdk.prompts.list()
    (version,) = sdk.prompts.list_versions(NAME)
    assert version == sdk.prompts.get_latest_version(NAME)
    assert found["promotedVersionId"] == version["id"]
    assert (version["versionName"], version["templateType"], version["templateFormat"]) == ("v0", "CHAT", "MUSTACHE")
    assert version["invocationParameters"] == {"type": "anthropic", "anthropic": {"temperature": 0.5}}
    assert version["tools"][0]["function"]["name"] == "look"
    system, assistant, tool = version["template"]["messages"]
    assert system == {"role": "system", "content": "Be kind to {{name}}."}
    assert assistant["content"][0]["toolCall"]["toolCall"] == {"name": "look", "arguments": "{}"}
    assert tool["content"] == [{"toolResult": {"toolCallId": "c1", "result": "42"}}]


def test_a_prompt_that_is_not_there_is_not_found(sdk: ArcaneClient) -> None:
    for ask in (sdk.prompts.get, sdk.prompts.list_versions, sdk.prompts.get_latest_version):
        with pytest.raises(ArcanNotFoundError):
            ask("no such prompt")


@pytest.mark.anyio
async def test_the_async_client_says_the_same(sdk: ArcaneClient, asking: ArcaneClientAsync, prompt: Any) -> None:
    assert await asking.prompts.list() == sdk.prompts.list()
    assert await asking.prompts.get(NAME) == sdk.prompts.get(NAME)
    assert await asking.prompts.list_versions(NAME) == sdk.prompts.list_versions(NAME)
    assert await asking.prompts.get_latest_version(NAME) == sdk.prompts.get_latest_version(NAME)
