import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.kit.egress_addresses import AddressPolicy
from arcane.kit.egress_url import BaseUrl, Hop, checked_headers, checked_method, origin_of
from arcane.spi.errors import BadResponse, DatasourceError, Forbidden, Misconfigured
from arcane.spi.http import HttpRequest

SCHEMES = ("http", "https")
POLICY = AddressPolicy()


def parse(text: str) -> BaseUrl:
    return BaseUrl.parse(text, SCHEMES, POLICY)


def hop(url: str = "https://tempo.example/base", **changes: object) -> Hop:
    base = parse(url)
    values = {
        "url": base.url(HttpRequest("/api", params=(("q", "1"),))),
        "origin": base.origin,
        "method": "GET",
        "headers": {"Authorization": "Bearer canary", "X-Scope-OrgID": "t", "Accept": "text/plain", "Cookie": "a=b"},
        "body": None,
        **changes,
    }
    return Hop(**values)  # type: ignore[arg-type]


def follow(start: Hop, location: str, status: int = 302) -> Hop:
    return start.redirected(status, location, SCHEMES, POLICY)


def test_requests_stay_below_the_base_url() -> None:
    base = parse("https://tempo.example:3200/tenant/a/")
    request = HttpRequest("/api/v2/traces/1%2F2", params=(("q", '{ .a = "&b" }'), ("limit", "1")))
    assert str(base.url(request)) == (
        "https://tempo.example:3200/tenant/a/api/v2/traces/1%2F2?q=%7B+.a+%3D+%22%26b%22+%7D&limit=1"
    )


@pytest.mark.parametrize(
    "path", ["api", "", "/a b", "/a?b", "/a#b", "/../admin", "/a/%2e%2E/b", "/a\r\nX: y", "/a\\b", "/ä", "/."]
)
def test_a_path_that_is_not_encoded_or_climbs_is_refused(path: str) -> None:
    with pytest.raises(Misconfigured):
        parse("https://tempo.example").url(HttpRequest(path))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://tempo.example", Forbidden),
        ("file:///etc/passwd", Forbidden),
        ("tempo.example", Forbidden),
        ("https://", Misconfigured),
        ("https://user:canary@tempo.example", Misconfigured),
        ("https://user@tempo.example", Misconfigured),
        ("https://tempo.example/?token=canary", Misconfigured),
        ("https://tempo.example/#a", Misconfigured),
        ("https://tempo.example/a/../b", Misconfigured),
        ("https://tempo.example\\@127.0.0.1/", Misconfigured),
        ("https://tempo.example /", Misconfigured),
        ("https://tempo.example:99999/", Misconfigured),
        ("http://127.0.0.1/", Forbidden),
        ("http://127.0.0.1./", Forbidden),
        ("http://[::1]/", Forbidden),
        ("http://[::ffff:169.254.169.254]/", Forbidden),
        ("http://2130706433/", Forbidden),
        ("http://0x7f.0.0.1/", Forbidden),
        ("http://127.1/", Forbidden),
    ],
)
def test_base_urls_that_cannot_be_used_say_why_without_their_secrets(url: str, kind: type[DatasourceError]) -> None:
    with pytest.raises(kind) as failure:
        parse(url)
    assert "canary" not in str(failure.value)


@given(st.text(max_size=40))
def test_any_text_is_a_base_url_or_a_datasource_error(text: str) -> None:
    for url in (text, f"http://{text}", f"https://tempo.example/{text}"):
        try:
            parse(url)
        except DatasourceError:
            continue


def test_credentials_stay_on_a_redirect_within_the_origin() -> None:
    followed = follow(hop(), "/elsewhere?x=1")
    assert str(followed.url) == "https://tempo.example/elsewhere?x=1"
    assert followed.trusted
    assert followed.headers["Authorization"] == "Bearer canary"


@pytest.mark.parametrize(
    "location", ["https://other.example/", "https://tempo.example:8443/", "http://tempo.example/", "//other.example/x"]
)
def test_credentials_do_not_travel_to_another_origin(location: str) -> None:
    followed = follow(hop(), location)
    assert dict(followed.headers) == {"Accept": "text/plain"}
    assert not followed.trusted


def test_credentials_stay_away_when_a_stranger_points_back() -> None:
    back = follow(follow(hop(), "https://other.example/"), "https://tempo.example/base/api")
    assert dict(back.headers) == {"Accept": "text/plain"}


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://169.254.169.254/latest/meta-data", Forbidden),
        ("http://[fd00:ec2::254]/", Forbidden),
        ("http://127.0.0.1:5432/", Forbidden),
        ("gopher://other.example/", Forbidden),
        ("https://u:p@other.example/", Forbidden),
        ("https://other.example/\r\nX: y", BadResponse),
        ("http://[", BadResponse),
        ("", BadResponse),
    ],
)
def test_each_redirect_is_checked_like_a_first_request(location: str, kind: type[DatasourceError]) -> None:
    with pytest.raises(kind):
        follow(hop(), location)


def test_see_other_asks_again_without_the_body() -> None:
    followed = follow(hop(method="POST", body=b"query"), "/result", 303)
    assert (followed.method, followed.body) == ("GET", None)


def test_a_body_is_sent_again_to_the_same_origin_only() -> None:
    start = hop(method="POST", body=b"query")
    assert follow(start, "/again", 307).body == b"query"
    with pytest.raises(Forbidden, match="with a body"):
        follow(start, "https://other.example/", 307)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Injected: 1"},
        {"X-A": "b\nc"},
        {"X-A": "\x00"},
        {"X A": "b"},
        {"X-A:": "b"},
        {"": "b"},
        {"Host": "other"},
        {"Content-Length": "5"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_headers_that_would_change_the_message_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        checked_headers(headers)


def test_only_reading_methods_leave() -> None:
    assert checked_method("get") == "GET"
    for method in ("PUT", "DELETE", "PATCH", "CONNECT"):
        with pytest.raises(Forbidden, match="only reads"):
            checked_method(method)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("HTTPS://Tempo.Example/a") == origin_of("https://tempo.example:443/b")
    assert origin_of("https://tempo.example") != origin_of("http://tempo.example")
    assert origin_of("not a url") is None
    assert origin_of("") is None
    assert str(origin_of("http://[::1]:9/")) == "[::1]:9"
