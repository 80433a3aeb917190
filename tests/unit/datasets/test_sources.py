"""The small language of score mappings."""

from __future__ import annotations

from typing import Any

import pytest

from arcane.datasets.sources import ABSENT, BadSource, Place, Scope, Source, read_source


@pytest.mark.parametrize(
    ("text", "scope", "source"),
    [
        ("column:question", Scope.DATASET, Source(Place.COLUMN, "question")),
        ("column:a#b", Scope.DATASET, Source(Place.COLUMN, "a#b")),
        ("column:question#/a~1b/0", Scope.DATASET, Source(Place.COLUMN, "question", ("a/b", "0"))),
        ("experiment:structured#/label", Scope.EXPERIMENTS, Source(Place.EXPERIMENT, "structured", ("label",))),
        ("trace:contexts", Scope.TRACES, Source(Place.TRACE, "contexts")),
        ("span:gen_ai.request.model", Scope.LIVE, Source(Place.SPAN, "gen_ai.request.model")),
        ("text:anything: at #all", Scope.DATASET, Source(Place.TEXT, "anything: at #all")),
    ],
)
def test_sources_are_read(text: str, scope: Scope, source: Source) -> None:
    assert read_source(text, scope, ["question", "a#b"]) == source


@pytest.mark.parametrize(
    ("text", "scope", "why"),
    [
        ("question", Scope.DATASET, "sources are column:..., text:..."),
        ("trace:input", Scope.DATASET, "sources are column:..., text:..."),
        ("column:question", Scope.TRACES, "sources are trace:..., span:..., resource:..., text:..."),
        ("column:nothing", Scope.DATASET, "there is no column:nothing; there are question, a#b"),
        ("trace:everything", Scope.TRACES, "there is no trace:everything; there are input, output"),
        ("span:", Scope.TRACES, "there is no span:"),
        ("column:question#0", Scope.DATASET, "it begins with /"),
    ],
)
def test_what_is_no_source_says_what_would_be(text: str, scope: Scope, why: str) -> None:
    with pytest.raises(BadSource) as refused:
        read_source(text, scope, ["question", "a#b"])
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("pointer", "found", "picked"),
    [
        ((), {"a": 1}, {"a": 1}),
        (("a",), {"a": None}, None),
        (("b",), {"a": 1}, ABSENT),
        (("1",), [1, 2], 2),
        (("2",), [1, 2], ABSENT),
        (("-1",), [1, 2], ABSENT),
        (("a", "b"), {"a": "text"}, ABSENT),
        (("a",), '{"a": 3}', 3),
        (("a",), "no JSON", ABSENT),
    ],
)
def test_pointers_pick_parts(pointer: tuple[str, ...], found: Any, picked: Any) -> None:
    assert (
        Source(Place.COLUMN, "x", pointer).pick(found) is picked
        or Source(Place.COLUMN, "x", pointer).pick(found) == picked
    )
