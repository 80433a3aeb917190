"""Somebody who uses the pages without a browser: keeps cookies, and sends forms as the pages make them."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx

_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]*)"')
_WITHOUT_SCRIPT = {"accept": "text/html"}


class Person:
    """A visitor of `address`; signed in after `sign_in`, `claim` or `join`."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, headers=_WITHOUT_SCRIPT, timeout=30.0)

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def look(self, path: str) -> httpx.Response:
        """Returns the page at `path`, redirects followed."""
        return self.http.get(path, follow_redirects=True)

    def send(
        self, path: str, form: dict[str, Any] | None = None, *, to: str | None = None, htmx: bool = False
    ) -> httpx.Response:
        """Returns the page after the form of the page at `path` was sent (to `to`, when that is another address)."""
        found = _TOKEN.search(self.look(path).text)
        token = {"csrf_token": found[1]} if found else {}
        headers = {"hx-request": "true"} if htmx else {}
        return self.http.post(to or path, data={**token, **(form or {})}, headers=headers, follow_redirects=True)

    def sign_in(self, email: str, password: str) -> httpx.Response:
        """Returns the page after signing in."""
        return self.http.post("/login", data={"email": email, "password": password}, follow_redirects=True)

    def join(self, link: str, name: str, password: str) -> httpx.Response:
        """Returns the page after an invitation was accepted with a new account."""
        parts = urlsplit(link)
        token = parts.query.removeprefix("token=")
        form = {"token": token, "name": name, "password": password}
        return self.http.post("/invitation", data=form, follow_redirects=True)

    @property
    def proof(self) -> dict[str, str]:
        """The header that every change over REST carries in a browser's session."""
        return {"x-csrf-token": self.ask("/accounts/me/session")["csrf_token"]}

    def ask(self, path: str, **members: Any) -> Any:
        """Returns what GET `/api/v1` + `path` answers, in the person's session."""
        answer = self.http.get(f"/api/v1{path}", params=members, headers={"accept": "application/json"})
        answer.raise_for_status()
        return answer.json()
