"""docs/reference/public-api.md lists every call of the published client."""

from __future__ import annotations

import inspect
from pathlib import Path

from arcane_sdk import resources, resources_async

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "public-api.md"


def _calls() -> set[str]:
    return {
        f"{name.removesuffix('Resource').removesuffix('ResourceAsync').lower()}.{method}"
        for module in (resources, resources_async)
        for name, resource in inspect.getmembers(module, inspect.isclass)
        for method in vars(resource)
        if not method.startswith("_")
    }


def test_every_call_is_on_the_page() -> None:
    told = PAGE.read_text()
    calls = _calls()
    assert len(calls) == 29  # 26, and three that page through one of them
    assert [call for call in sorted(calls) if f"`{call}`" not in told] == []
