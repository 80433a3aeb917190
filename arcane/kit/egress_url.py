"""Where a request goes: the base URL of a datasource, a request's URL below it, and what a redirect may change."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from yarl import URL

from arcane.kit.egress_addresses import AddressPolicy, AmbiguousHost, literal_address
from arcane.model.notice import Notice
from arcane.spi.errors import BadResponse, Forbidden, Misconfigured
from arcane.spi.http import HttpRequest

_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_FORBIDDEN_IN_PATH = re.compile(r"[\x00-\x20\x7f\\?#]|[^\x00-\x7f]")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ]
)
_TRAVELS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
_READS = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what credentials belong to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """The checked base URL of a datasource. `text` has no trailing slash."""

    origin: Origin
    text: str

    @classmethod
    def parse(cls, text: str, schemes: Collection[str], policy: AddressPolicy) -> BaseUrl:
        """Returns the base URL; raises Misconfigured for one that cannot work, Forbidden for a refused address."""
        url = _parsed(text.strip())
        if url.user is not None or url.password is not None:
            raise Misconfigured("the URL holds a user or password; put them into the authentication fields")
        if url.raw_query_string or url.raw_fragment:
            raise Misconfigured("the URL has a query or a fragment; a base URL ends with its path")
        if _DOT_SEGMENT.search(text.partition("://")[2]):
            raise Misconfigured("the URL's path has a dot segment")
        origin = _checked(url, schemes, policy)
        return cls(origin, str(url).rstrip("/"))

    def url(self, request: HttpRequest) -> URL:
        """Returns the URL of `request`; raises Misconfigured for a path that is not encoded or climbs out."""
        path = request.path
        if not path.startswith("/") or _FORBIDDEN_IN_PATH.search(path) or _DOT_SEGMENT.search(path):
            raise Misconfigured("a request path that is not percent-encoded, or leaves the base URL")
        query = f"?{urlencode(request.params)}" if request.params else ""
        return URL(f"{self.text}{path}{query}", encoded=True)


def origin_of(text: str) -> Origin | None:
    """Returns the origin a URL text names, None when it is not a URL with a host.

    For deciding whether kept credentials still go to the same place; it checks no rule.
    """
    try:
        url = _parsed(text.strip())
    except Misconfigured:
        return None
    return _origin(url) if url.scheme and url.raw_host else None


@dataclass(frozen=True, slots=True)
class Hop:
    """One request on the wire. `trusted` is true while only the datasource's own origin has been asked."""

    url: URL
    origin: Origin
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    trusted: bool = True

    def redirected(self, status: int, location: str, schemes: Collection[str], policy: AddressPolicy) -> Hop:
        """Returns the request that follows a redirect, checked like a first one.

        To another origin only headers without meaning of their own travel (`accept`, `content-type`): no
        credentials, no custom header, and no body. Once another origin was asked, credentials stay at
        home even if it points back.
        """
        no_url = Notice("%(origin)s redirects to something that is not a URL", origin=self.origin)
        if _FORBIDDEN_IN_URL.search(location) or not location:
            raise BadResponse(no_url)
        try:
            url = self.url.join(_parsed(location)).with_fragment(None)
        except Misconfigured:
            raise BadResponse(
                Notice("%(origin)s redirects to something that is not a URL", origin=self.origin)
            ) from None
        if url.user is not None or url.password is not None:
            raise Forbidden(Notice("%(origin)s redirects to a URL with credentials in it", origin=self.origin))
        origin = _checked(url, schemes, policy)
        trusted = self.trusted and origin == self.origin
        hop = replace(self, url=url, origin=origin, trusted=trusted)
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            hop = replace(hop, method="HEAD" if self.method == "HEAD" else "GET", body=None)
        if trusted:
            return hop
        if hop.body is not None:
            raise Forbidden(
                Notice(
                    "%(origin)s redirects a request with a body to %(other)s, another host",
                    origin=self.origin,
                    other=origin,
                )
            )
        return replace(hop, headers={k: v for k, v in self.headers.items() if k.lower() in _TRAVELS})


def checked_method(method: str) -> str:
    """Returns the method in capitals; raises Forbidden for one that writes (R6)."""
    upper = method.upper()
    if upper not in _READS:
        raise Forbidden("Arcane only reads: of a datasource it asks GET, HEAD and POST")
    return upper


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers; raises Misconfigured for one that would change the message around it."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise Misconfigured("a custom header has a name that is not a header name")
        if name.lower() in _OURS:
            raise Misconfigured(Notice("the header %(name)s is set by Arcane and cannot be given", name=name))
        if _FORBIDDEN_IN_HEADER.search(value):
            raise Misconfigured(
                Notice("the header %(name)s holds a line break or another control character", name=name)
            )
    return dict(headers)


def _parsed(text: str) -> URL:
    if _FORBIDDEN_IN_URL.search(text):
        raise Misconfigured("the URL holds a space, a backslash or a control character")
    try:
        return URL(text)
    except ValueError:
        raise Misconfigured("the URL is not a URL") from None


def _origin(url: URL) -> Origin:
    return Origin(url.scheme, (url.raw_host or "").rstrip(".").lower(), url.port or 0)


def _checked(url: URL, schemes: Collection[str], policy: AddressPolicy) -> Origin:
    allowed = " or ".join(schemes)
    if not url.scheme:
        raise Forbidden(Notice("the URL has no scheme; use %(schemes)s", schemes=allowed))
    if url.scheme not in schemes:
        raise Forbidden(
            Notice("the scheme '%(scheme)s' is not allowed; use %(schemes)s", scheme=url.scheme, schemes=allowed)
        )
    if not url.raw_host or not url.port:
        raise Misconfigured("the URL has no host")
    origin = _origin(url)
    try:
        address = literal_address(origin.host)
    except AmbiguousHost as exc:
        raise Forbidden(Notice("the URL's host is %(what)s", what=exc.args[0])) from None
    reason = policy.refusal(address) if address is not None else None
    if reason is not None:
        raise Forbidden(refused(origin.host, reason))
    return origin


def refused(host: str, reason: str) -> str:
    """Returns the sentence for an address that the rules refuse, with what an operator can do."""
    return Notice(
        "%(host)s is %(reason)s; the operator can open its network with ARCANE_EGRESS__ALLOW_NETWORKS",
        host=host,
        reason=reason,
    )
