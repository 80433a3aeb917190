"""User-Agent headers, told apart as far as somebody needs who looks for a session they do not know."""

import pytest

from web.browsers import browser_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36", "Chrome 131 · Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0",
            "Edge 131 · Windows",
        ),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/130.0 Mobile Safari/537.36", "Chrome 130 · Android"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {WEBKIT} Version/17.5 Safari/605.1", "Safari 17 · macOS"),
        (
            f"Mozilla/5.0 (iPhone; like Mac OS X) {WEBKIT} Version/18.0 Safari/604.1",
            "Safari 18 · iOS",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Windows"),
        ("curl/8.9.1", "curl/8.9.1"),
        ("", ""),
        ("x" * 400, "x" * 80),
    ],
)
def test_a_browser_and_its_system(user_agent: str, said: str) -> None:
    assert browser_of(user_agent) == said
