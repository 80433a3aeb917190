"""What prompts and labels may be called."""

from __future__ import annotations

import pytest

from arcane.prompts.names import label_name, number_of, prompt_name


@pytest.mark.parametrize("name", ["a", "Support answer", "judge.v2", "a_b-c 1", "Größe", "v1", "run"])
def test_names_that_prompts_have(name: str) -> None:
    assert prompt_name(name) == name


@pytest.mark.parametrize("name", ["", ".a", "a.", "a..b", "a/b", "a\nb", "a?b", "{a}", "a%20b"])
def test_names_that_prompts_cannot_have(name: str) -> None:
    with pytest.raises(ValueError, match="a name"):
        prompt_name(name)


@pytest.mark.parametrize("label", ["production", "staging-2", "v1.2", "a", "team_a", "v", "v1x"])
def test_labels(label: str) -> None:
    assert label_name(label) == label


@pytest.mark.parametrize("label", ["", "latest", "v1", "7", "Production", "a b", "-a", "a" * 49])
def test_what_is_no_label(label: str) -> None:
    with pytest.raises(ValueError, match=r"label|latest"):
        label_name(label)


def test_numbers_are_written_with_or_without_a_v() -> None:
    assert [number_of(text) for text in ("v3", "3", "v", "", "3v", "-1", "v1.2")] == [
        3,
        3,
        None,
        None,
        None,
        None,
        None,
    ]
