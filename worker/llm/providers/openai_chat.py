"""OpenAI's chat call without what the SDK does for every API at once, which costs more than the call.

The first call of a kind goes out as the SDK sends it, and what stood before its body is kept: calls after it differ in
their body alone, which goes to the road as it is. What comes back is read once, by the rules that pydantic-ai would
read it by a second time (`openai_model` spares it that); what does not fit is built as the SDK would, and what was
refused is the SDK's own error.

Streams and the first calls are posted by the SDK, which is spared one thing: it turns each request over, by its type
annotations, in search of fields that are called otherwise on the wire, and a chat's have the names they have.
"""

from __future__ import annotations

from typing import Any, TypeVar

import httpx2
from openai import APIConnectionError, APITimeoutError, AsyncOpenAI, AsyncStream, NotGiven, Omit
from openai._base_client import make_request_options
from openai._models import SecurityOptions
from openai._utils._json import openapi_dumps
from openai.resources.chat import AsyncCompletions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError
from pydantic_ai.models.openai._chat_completions import LenientChatCompletion

from worker.llm.http import Answer, Client, Head

SDK = TypeVar("SDK", bound=AsyncOpenAI)
_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
_SECURITY: SecurityOptions = {"bearer_auth": True}
_KINDS_MAX = 8


def lean(client: SDK, road: Client) -> SDK:
    """Returns `client`, whose chats are asked with less ado, over `road`."""
    vars(client.chat)["completions"] = _Completions(client, road)  # where its cached property looks first
    return client


class _Completions(AsyncCompletions):
    def __init__(self, client: AsyncOpenAI, road: Client) -> None:
        super().__init__(client)
        self._road = road
        self._heads: dict[str, tuple[Head, httpx2.Request]] = {}

    async def create(self, **asked: Any) -> Any:
        """Returns the answer, or its pieces."""
        given = {name: value for name, value in asked.items() if not isinstance(value, (Omit, NotGiven))}
        options = {name: given.pop(name) for name in _OPTIONS if name in given}
        if given.get("stream"):
            return await self._posted(given, options, AsyncStream[ChatCompletionChunk])
        body = {**given, **(options.pop("extra_body", None) or {})}
        kind = repr((given["model"], options))
        known = self._heads.get(kind)
        if known is None:
            response = await self._posted(body, options, httpx2.Response)
            sent = response.request
            if len(self._heads) < _KINDS_MAX:
                bare = httpx2.Request(sent.method, sent.url, headers=sent.headers)  # its body is no longer needed
                self._heads[kind] = (self._road.head_of(sent), bare)
            return _read(response)
        head, first = known
        return _answer(self._client, await self._sent(head, first, openapi_dumps(body)), first)

    async def _posted(self, body: dict[str, Any], options: dict[str, Any], wanted: type[Any]) -> Any:
        """Returns what the SDK makes of it."""
        streamed = wanted is not httpx2.Response
        return await self._post(
            "/chat/completions",
            body=body,
            options=make_request_options(**options, security=_SECURITY),
            cast_to=ChatCompletionChunk if streamed else wanted,
            stream=streamed,
            stream_cls=wanted if streamed else None,
        )

    async def _sent(self, head: Head, first: httpx2.Request, body: bytes) -> Answer:
        try:
            return await self._road.exchange(head, body)
        except httpx2.TimeoutException as exc:
            raise APITimeoutError(request=first) from exc
        except httpx2.RequestError as exc:
            raise APIConnectionError(request=first) from exc


def _answer(client: AsyncOpenAI, answer: Answer, first: httpx2.Request) -> Any:
    if answer.status == 200:
        try:
            return LenientChatCompletion.model_validate_json(answer.body)
        except ValidationError:
            pass
    response = answer.for_sdk(first)
    if not response.is_success:
        raise client._make_status_error_from_response(response)
    return _read(response)


def _read(response: httpx2.Response) -> Any:
    """Returns the answer, built as the SDK builds it when it is not as it should be; text, when it is no JSON."""
    try:
        return LenientChatCompletion.model_validate_json(response.content)
    except ValidationError:
        pass
    try:
        data = response.json()
    except ValueError:
        if response.headers.get("content-type", "").partition(";")[0].endswith("json"):
            raise
        return response.text
    return ChatCompletion.construct(**data) if isinstance(data, dict) else data
