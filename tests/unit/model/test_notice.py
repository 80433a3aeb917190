"""A notice is an English string, and can be told in another language."""

import copy
import json
import pickle

import msgspec
import pytest

from arcane.model.notice import Notice, encoded, told
from arcane.spi.errors import TimedOut, Unreachable

GERMAN = {
    "%(count)d spans differ": "%(count)d Spans weichen ab",
    "not looked up: %(why)s": "nicht nachgeschlagen: %(why)s",
    "No answer before the deadline.": "Keine Antwort in der Zeit.",
    "100 % of it": "100 % davon",
    "%(count)d parts": "%(many)d Teile",
}


def german(text: str) -> str:
    return GERMAN.get(text, text)


def test_a_notice_is_the_english_sentence() -> None:
    notice = Notice("%(count)d spans differ", count=3)
    assert notice == "3 spans differ"
    assert f"{notice}!" == "3 spans differ!"
    assert json.dumps([notice]) == '["3 spans differ"]'
    assert msgspec.json.encode([notice], enc_hook=encoded) == b'["3 spans differ"]'
    assert Notice("100 % of it") == "100 % of it"


def test_other_things_without_json_are_still_refused() -> None:
    with pytest.raises(NotImplementedError, match="object"):
        msgspec.json.encode([object()], enc_hook=encoded)


def test_it_is_told_in_another_language_with_what_is_in_it() -> None:
    why = TimedOut().message
    assert told(Notice("%(count)d spans differ", count=3), german) == "3 Spans weichen ab"
    assert told(Notice("not looked up: %(why)s", why=why), german) == "nicht nachgeschlagen: Keine Antwort in der Zeit."
    assert told(Notice("100 % of it"), german) == "100 % davon"


def test_a_plain_string_is_told_as_it_stands() -> None:
    assert told("a plugin's own words, 5 % of them", german) == "a plugin's own words, 5 % of them"
    assert told("", lambda text: "the head of the catalogue") == ""


def test_a_translation_that_asks_for_what_is_not_there_is_left_alone() -> None:
    assert told(Notice("%(count)d parts", count=2), german) == "2 parts"


def test_it_survives_being_copied() -> None:
    notice = Notice("%(count)d spans differ", count=3)
    for same in (copy.copy(notice), copy.deepcopy(notice), pickle.loads(pickle.dumps(notice))):
        assert same == notice
        assert told(same, german) == "3 Spans weichen ab"


def test_an_error_says_what_it_was_given_else_what_it_is() -> None:
    assert told(TimedOut().message, german) == "Keine Antwort in der Zeit."
    assert str(Unreachable("a plugin's own words")) == "a plugin's own words"
    assert told(Unreachable(Notice("%(count)d spans differ", count=1)).message, german) == "1 Spans weichen ab"
