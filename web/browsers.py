"""What a browser calls itself, as one would say it: "Chrome 131 · Linux" out of a User-Agent header."""

from __future__ import annotations

import re
from typing import Final

# The order matters: every browser claims to be the ones that came before it.
_BROWSERS: Final = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """Returns the browser and its system; of anything else the name it gives itself, "" when it gives none.

    >>> browser_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36")
    'Chrome 131 · Linux'
    >>> browser_of("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/17.5 Safari/605.1")
    'Safari 17 · macOS'
    >>> browser_of("curl/8.9.1")
    'curl/8.9.1'
    """
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    for mark, name in _BROWSERS:
        if mark in user_agent:
            return _joined(name, _major(user_agent, mark), system)
    if "Safari/" in user_agent:
        return _joined("Safari", _major(user_agent, "Version/"), system)
    return user_agent.partition(" ")[0][:80]


def _major(user_agent: str, mark: str) -> str:
    found = re.search(re.escape(mark) + r"(\d+)", user_agent)
    return found[1] if found else ""


def _joined(name: str, version: str, system: str) -> str:
    return " · ".join(filter(None, (f"{name} {version}".strip(), system)))
