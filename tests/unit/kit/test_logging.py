"""Logs say where something broke, never what was being worked on."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from arcane.kit.logging import LibraryFormatter, exceptions_without_words, mask_secrets, path_of

CANARY = "canary-7f3a"


def _parse(text: str) -> int:
    return int(text)


def _fails() -> None:
    try:
        _parse(CANARY)
    except ValueError as exc:
        raise KeyError(CANARY) from exc


def _raised(work: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
        work()
    return caught.value


def test_an_exception_is_logged_by_the_way_it_took() -> None:
    path = path_of(_raised(_fails))
    assert CANARY not in path
    assert "builtins.ValueError\nwhich led to" in path
    assert path.endswith("builtins.KeyError")
    assert "in _parse" in path


def test_every_exception_of_a_group_is_there_once() -> None:
    one = _raised(_fails)
    path = path_of(ExceptionGroup(CANARY, [one, TypeError(CANARY), one]))
    assert CANARY not in path
    assert path.count("builtins.KeyError") == 1
    assert "builtins.TypeError" in path


def test_what_was_suppressed_stays_so() -> None:
    def work() -> None:
        try:
            _parse(CANARY)
        except ValueError:
            raise KeyError(CANARY) from None

    assert "ValueError" not in path_of(_raised(work))


@pytest.mark.parametrize("given", ["tuple", "exception", "current"])
def test_exceptions_come_in_three_shapes(given: str) -> None:
    try:
        _fails()
    except KeyError as exc:
        shapes: dict[str, Any] = {"tuple": (type(exc), exc, exc.__traceback__), "exception": exc, "current": True}
        event = exceptions_without_words(None, "error", {"event": "it_broke", "exc_info": shapes[given]})
    assert event["exception"].endswith("builtins.KeyError")
    assert "exc_info" not in event


def test_an_event_without_an_exception_stays_as_it_is() -> None:
    assert exceptions_without_words(None, "info", {"event": "done", "exc_info": False}) == {"event": "done"}


def test_values_of_secrets_are_masked() -> None:
    event = mask_secrets(None, "info", {"event": "made", "api_key": "sk", "Set-Cookie": "a=b", "password": None})
    assert event == {"event": "made", "api_key": "********", "Set-Cookie": "********", "password": None}


@pytest.mark.parametrize("name", ["asyncio", "uvicorn.error"])
def test_a_librarys_exception_has_no_words_either(name: str) -> None:
    exc = _raised(_fails)
    record = logging.LogRecord(name, 40, "", 1, "it broke\nfuture", (), (type(exc), exc, exc.__traceback__))
    text = LibraryFormatter().format(record)
    assert CANARY not in text
    assert ("future" in text) is (name != "asyncio")
