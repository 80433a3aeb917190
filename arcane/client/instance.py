"""A running instance, asked over REST with an API key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from arcane.client.asked import Asked
from arcane.client.errors import ClientError, Exit, refused

_FILE_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance, and the project that the API key opens."""

    http: httpx.Client
    project: str

    @classmethod
    def connect(cls, http: httpx.Client) -> Instance:
        """Returns the instance that `http` (address and key are in it) leads to; raises ClientError."""
        return cls(http, str(_answer(http, "GET", "/api/v1/api-keys/current")["project_id"]))

    def search(self, asked: Asked) -> dict[str, Any]:
        """Returns a page of traces (SearchOut); raises ClientError."""
        body = asked.body(self._ids(asked.sources), datetime.now(UTC))
        return self._ask("/search", {**body, "limit": asked.limit}, asked.query)

    def measure(self, asked: Asked) -> dict[str, Any]:
        """Returns time series (MetricsOut); raises ClientError."""
        body = asked.measurement(self._ids(asked.sources), datetime.now(UTC))
        return self._ask("/metrics", body, asked.query)

    def stream(self, asked: Asked, take: Callable[[str], None]) -> None:
        """Returns when `take` has had every event of a streamed search, a line each; raises ClientError."""
        path = f"/api/v1/projects/{self.project}/search/stream"
        body = asked.stream(self._ids(asked.sources), datetime.now(UTC))
        try:
            with self.http.stream("POST", path, json=body) as answer:
                if not answer.is_success:
                    answer.read()
                    _read(self.http, answer, asked.query)
                for line in answer.iter_lines():
                    take(line)
        except httpx.HTTPError as exc:
            raise ClientError(f"{self.http.base_url} stopped answering: {exc}") from exc

    def explain(self, asked: Asked) -> dict[str, Any]:
        """Returns how the question would be asked (PlanOut, or MetricsPlanOut); raises ClientError."""
        if asked.measures:
            body = asked.measurement(self._ids(asked.sources), datetime.now(UTC))
            return self._ask("/metrics/explain", body, asked.query)
        return self._ask("/search/explain", asked.body(self._ids(asked.sources), datetime.now(UTC)), asked.query)

    @contextmanager
    def tail(self, asked: Asked, mark: str) -> Iterator[httpx.Response]:
        """Opens the event stream of a tail, from where `mark` says; raises ClientError, or httpx's when it breaks."""
        params = {"query": asked.query, "datasource": self._ids(asked.sources)}
        headers = {"last-event-id": mark} if mark else {}
        path = f"/api/v1/projects/{self.project}/tail"
        with self.http.stream("GET", path, params=params, headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(self.http, answer, asked.query)
            yield answer

    def get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what the project has at `path`; raises ClientError."""
        address = str(httpx.URL(f"/api/v1/projects/{self.project}{path}", params=dict(params)))
        return _answer(self.http, "GET", address)

    def upload(self, path: str, params: Mapping[str, Any], chunks: Iterator[bytes]) -> dict[str, Any]:
        """Returns what a file that was sent as it was read became; raises ClientError with the first bad rows."""
        try:
            answer = self.http.post(
                f"/api/v1/projects/{self.project}{path}", params=dict(params), content=chunks, timeout=_FILE_TIMEOUT_S
            )
        except httpx.HTTPError as exc:
            raise ClientError(f"{self.http.base_url} stopped answering: {exc}") from exc
        return _read(self.http, answer, "")

    def download(self, path: str, params: Mapping[str, Any], take: Callable[[bytes], Any]) -> None:
        """Returns when `take` has had the whole file; raises ClientError."""
        try:
            with self.http.stream("GET", f"/api/v1/projects/{self.project}{path}", params=dict(params)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(self.http, answer, "")
                for chunk in answer.iter_bytes():
                    take(chunk)
        except httpx.HTTPError as exc:
            raise ClientError(f"{self.http.base_url} stopped answering: {exc}") from exc

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns what the project answers at `path`; raises ClientError."""
        return _answer(self.http, method, f"/api/v1/projects/{self.project}{path}", body)

    def _ask(self, path: str, body: dict[str, Any], query: str) -> dict[str, Any]:
        return _answer(self.http, "POST", f"/api/v1/projects/{self.project}{path}", body, query)

    def _ids(self, sources: Sequence[str]) -> list[str]:
        """Returns the ids of datasources that a person names."""
        if all(map(_is_id, sources)):
            return list(sources)
        known = _answer(self.http, "GET", f"/api/v1/projects/{self.project}/datasources")["items"]
        ids = {one["name"]: str(one["id"]) for one in known} | {str(one["id"]): str(one["id"]) for one in known}
        for name in sources:
            if name not in ids:
                there = ", ".join(sorted(one["name"] for one in known)) or "none"
                raise ClientError(f"there is no datasource {name}; there are: {there}", Exit.REFUSED)
        return [ids[name] for name in sources]


def _answer(
    http: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None, query: str = ""
) -> dict[str, Any]:
    try:
        answer = http.request(method, path, json=body)
    except httpx.InvalidURL as exc:
        raise ClientError(f"{http.base_url} is not an address: {exc}") from exc
    except httpx.TimeoutException as exc:
        raise ClientError(f"{http.base_url} did not answer in time") from exc
    except httpx.HTTPError as exc:
        raise ClientError(f"cannot reach {http.base_url}: {exc}") from exc
    return _read(http, answer, query)


def _read(http: httpx.Client, answer: httpx.Response, query: str) -> dict[str, Any]:
    document: Any = None
    with suppress(ValueError):
        document = answer.json()
    if answer.is_success and isinstance(document, dict):
        return document
    raise _refusal(http, answer, query)


def _refusal(http: httpx.Client, answer: httpx.Response, query: str) -> ClientError:
    """Returns why an answer is none."""
    document: Any = None
    with suppress(ValueError):
        document = answer.json()
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return ClientError("the instance does not accept the API key (--api-key or ARCANE_API_KEY)", Exit.REFUSED)
    if isinstance(document, dict):
        return refused(document, query)
    return ClientError(f"{http.base_url} answers {answer.status_code}, and not as Arcane does; is the address right?")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
