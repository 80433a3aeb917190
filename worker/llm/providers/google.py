"""Gemini, through AI Studio with an API key or through Vertex AI with a service account."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx2
from google.auth import credentials as google_credentials
from google.auth import transport
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2 import service_account
from pydantic_ai.embeddings.google import GoogleEmbeddingModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.google_cloud import GoogleCloudProvider

from arcane.messaging.generation import ModelSpec, Provider
from worker.llm.asking import Secrets
from worker.llm.connection import Connection, Road, needed, optional
from worker.llm.errors import Cause, ModelError

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_UNIVERSE = "googleapis.com"
_PLACE = re.compile(r"[a-z0-9-]{1,40}")


def connect(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    """Returns the connection of one of the two ways to Gemini."""
    provider = _vertex(spec, secrets, road) if spec.provider is Provider.VERTEX else _studio(spec, secrets, road)
    return Connection(
        chat=lambda: GoogleModel(spec.model, provider=provider),
        vectors=lambda: GoogleEmbeddingModel(spec.model, provider=provider),
    )


def _studio(spec: ModelSpec, secrets: Secrets, road: Road) -> GoogleProvider:
    key = needed(secrets, "api_key", "API key")
    return GoogleProvider(api_key=key, http_client=road.http, base_url=optional(spec.settings, "base_url"))


def _vertex(spec: ModelSpec, secrets: Secrets, road: Road) -> GoogleCloudProvider:
    base_url = optional(spec.settings, "base_url")
    key = optional(secrets, "api_key")
    if key is not None and optional(secrets, "credentials") is None:
        return GoogleCloudProvider(api_key=key, http_client=road.http, base_url=base_url)
    location = optional(spec.settings, "location") or "us-central1"
    if not _PLACE.fullmatch(location):
        raise ModelError(Cause.SETTINGS, "The location is not one of Google's, such as europe-west4.")
    account = _account(needed(secrets, "credentials", "service account"))
    return GoogleCloudProvider(
        credentials=_Refreshed(account, road),
        project=optional(spec.settings, "project") or account.project_id,
        location=location,
        http_client=road.http,
        base_url=base_url,
    )


def _account(text: str) -> service_account.Credentials:
    """Returns the account; where tokens are fetched is Google's own address, whatever the file says."""
    try:
        info = json.loads(text)
        if not isinstance(info, dict):
            raise TypeError
        info.update(token_uri=_TOKEN_URL, universe_domain=_UNIVERSE)
        account: service_account.Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            info, scopes=_SCOPES
        )
    except (ValueError, TypeError, KeyError, GoogleAuthError):
        raise ModelError(Cause.SETTINGS, "The credentials are not the JSON key of a service account.") from None
    return account


class _Refreshed(google_credentials.Credentials):
    """A service account whose tokens are fetched over our road, from whatever thread they are asked for."""

    def __init__(self, account: service_account.Credentials, road: Road) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._account = account
        self._road = road

    def refresh(self, request: transport.Request) -> None:
        """There is a fresh token; `request`, which would go past the guard, is not used."""
        try:
            self._account.refresh(_Request(self._road))  # type: ignore[no-untyped-call]
        except TransportError as exc:
            raise ModelError(Cause.CONNECTION, "Google's token service could not be reached.") from exc
        except GoogleAuthError as exc:
            raise ModelError(Cause.AUTHENTICATION, "Google does not take the key of the service account.") from exc
        self.token, self.expiry = self._account.token, self._account.expiry


class _Request(transport.Request):
    def __init__(self, road: Road) -> None:
        self._road = road

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> transport.Response:
        """Returns the answer of Google's token service."""

        async def ask() -> httpx2.Response:
            return await self._road.http.request(method, url, content=body, headers=dict(headers or {}))

        try:
            return _Response(self._road.run(ask))
        except httpx2.HTTPError as exc:
            raise TransportError(exc) from exc  # type: ignore[no-untyped-call]


class _Response(transport.Response):
    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content
