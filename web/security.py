"""What a browser may do with a page: a strict content security policy, no framing, nothing kept on disk."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'nonce-{nonce}'",  # the nonce is for CodeMirror's own style element, nothing else
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)


def nonce_of(scope: Scope) -> str:
    """Returns the nonce of this request; it is made when it is first asked for."""
    state: dict[str, object] = scope.setdefault("state", {})
    return str(state.setdefault("csp_nonce", secrets.token_urlsafe(16)))


def page_headers(scope: Scope) -> dict[str, str]:
    """Returns the headers every HTML answer carries. `no-store`: pages hold trace content (R1)."""
    return {
        "content-security-policy": "; ".join(_POLICY).format(nonce=nonce_of(scope)),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
    }


class PageSecurity:
    """ASGI middleware: sets `page_headers` on every HTML answer and leaves all others alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    for name, value in page_headers(scope).items():
                        headers[name] = value
            await send(message)

        await self.app(scope, receive, send_secured)
