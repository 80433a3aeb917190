"""Amazon Bedrock's Converse API: botocore writes, signs and reads the messages, our road carries them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import httpx2
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from pydantic_ai.embeddings.bedrock import BedrockEmbeddingModel
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from arcane.messaging.generation import ModelSpec
from worker.llm.asking import Secrets
from worker.llm.connection import Connection, Road, needed, optional
from worker.llm.errors import Cause, ModelError

_REGION = re.compile(r"[a-z0-9-]{1,40}")


def connect(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    """Returns the connection; only the keys that were given are used, never those of the machine."""
    region = needed(spec.settings, "region", "region")
    if not _REGION.fullmatch(region):
        raise ModelError(Cause.SETTINGS, "The region is not one of AWS, such as eu-central-1.")
    client = boto3.session.Session().client(
        "bedrock-runtime",
        region_name=region,
        endpoint_url=optional(spec.settings, "endpoint_url"),
        aws_access_key_id=needed(secrets, "aws_access_key_id", "AWS access key"),
        aws_secret_access_key=needed(secrets, "aws_secret_access_key", "AWS secret access key"),
        aws_session_token=optional(secrets, "aws_session_token"),
        config=Config(
            signature_version="v4",
            retries={"total_max_attempts": 1},
            proxies={},
            ignore_configured_endpoint_urls=True,
        ),
    )
    carried = _Carried(road)
    client.meta.events.register("before-send.bedrock-runtime.*", carried.send)
    provider = BedrockProvider(bedrock_client=client)
    return Connection(
        chat=lambda: BedrockConverseModel(spec.model, provider=provider),
        vectors=lambda: BedrockEmbeddingModel(spec.model, provider=provider),
    )


class _Carried:
    """Takes the place of botocore's own HTTP client, which would go past the guard."""

    def __init__(self, road: Road) -> None:
        self._road = road

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Returns the answer; its body is read as botocore asks for it."""

        async def ask() -> httpx2.Response:
            made = self._road.http.build_request(
                request.method,
                request.url,
                headers={name: _text(value) for name, value in request.headers.items()},
                content=request.body,
            )
            return await self._road.http.send(made, stream=True)

        try:
            answer = self._road.run(ask)
        except httpx2.HTTPError as exc:
            raise HTTPClientError(error=exc) from exc
        return AWSResponse(request.url, answer.status_code, dict(answer.headers), _Body(answer, self._road))


class _Body:
    """The body as urllib3 would give it: `stream` and `close`, called from threads."""

    def __init__(self, answer: httpx2.Response, road: Road) -> None:
        self._answer = answer
        self._road = road
        self._chunks = answer.aiter_bytes()

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Yields the body as it comes."""
        while True:
            chunk = self._next()
            if chunk is None:
                return
            yield chunk

    def read(self, *_: Any, **__: Any) -> bytes:
        """Returns what is left of the body."""
        return b"".join(self.stream())

    def close(self) -> None:
        """The connection is given back."""
        self._road.run(self._answer.aclose)

    def _next(self) -> bytes | None:
        async def one() -> bytes | None:
            return await anext(self._chunks, None)

        try:
            return self._road.run(one)
        except httpx2.HTTPError as exc:
            raise HTTPClientError(error=exc) from exc


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
