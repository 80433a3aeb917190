"""OpenAI's chat call without what the SDK does for every API at once, which costs more than the call.

The SDK turns each request over, by its type annotations, in search of fields that are called otherwise on the wire: a
chat's have the names they have (and pydantic-ai hands over what is sent). It builds each answer in Python, leniently:
here pydantic validates it, and only what does not fit is built as the SDK would.
"""

from __future__ import annotations

from typing import Any, TypeVar

import httpx2
from openai import AsyncOpenAI, AsyncStream, NotGiven, Omit
from openai._base_client import make_request_options
from openai._models import SecurityOptions
from openai.resources.chat import AsyncCompletions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

Client = TypeVar("Client", bound=AsyncOpenAI)
_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
_SECURITY: SecurityOptions = {"bearer_auth": True}


def lean(client: Client) -> Client:
    """Returns `client`, whose chats are asked with less ado."""
    vars(client.chat)["completions"] = _Completions(client)  # where its cached property looks first
    return client


class _Completions(AsyncCompletions):
    async def create(self, **asked: Any) -> Any:
        """Returns the answer, or its pieces."""
        given = {name: value for name, value in asked.items() if not isinstance(value, (Omit, NotGiven))}
        options = {name: given.pop(name) for name in _OPTIONS if name in given}
        return await self._post(
            "/chat/completions",
            body=given,
            options=make_request_options(**options, security=_SECURITY),
            cast_to=_Answer,
            stream=bool(given.get("stream")),
            stream_cls=AsyncStream[ChatCompletionChunk],
        )


class _Answer(ChatCompletion):
    @classmethod
    def build(cls, *, response: httpx2.Response, data: Any) -> Any:
        """Returns the answer as pydantic-ai expects it."""
        try:
            return ChatCompletion.model_validate(data)
        except ValidationError:
            return ChatCompletion.construct(**data) if isinstance(data, dict) else data
