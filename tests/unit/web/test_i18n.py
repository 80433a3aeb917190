"""A second language is a file."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from starlette.requests import Request

from web.assets import Assets
from web.i18n import Languages
from web.rendering import environment

ROOT = Path(__file__).parents[3]
GERMAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Traces"
msgstr "Spuren"

msgid "Last %(num)d hour"
msgid_plural "Last %(num)d hours"
msgstr[0] "Letzte Stunde"
msgstr[1] "Letzte %(num)d Stunden"
"""


@pytest.fixture
def languages(tmp_path: Path) -> Languages:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(GERMAN, "utf-8")
    return Languages.load(tmp_path)


def asked(**headers: str) -> Request:
    return Request({"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})


def test_a_po_file_is_a_language(languages: Languages) -> None:
    german = languages.by_code["de"]
    assert german.gettext("Traces") == "Spuren"
    assert german.ngettext("Last %(num)d hour", "Last %(num)d hours", 3) % {"num": 3} == "Letzte 3 Stunden"
    assert german.gettext("not translated") == "not translated"
    assert german.texts == {"Traces": "Spuren"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "en"),
        ({"accept-language": "de-AT,de;q=0.9"}, "de"),
        ({"accept-language": "fr, de;q=0.5, en;q=0.8"}, "en"),
        ({"accept-language": ";;;q=x,,"}, "en"),
        ({"accept-language": "en", "cookie": "language=de"}, "de"),
        ({"cookie": "language=xx"}, "en"),
    ],
)
def test_the_reader_chooses_the_language(languages: Languages, headers: dict[str, str], code: str) -> None:
    assert languages.of(asked(**headers)).code == code


def test_templates_speak_the_language_of_their_environment(languages: Languages) -> None:
    jinja = environment(languages.by_code["de"], Assets(), reloads=False)
    assert jinja.from_string("{{ _('Traces') }}").render() == "Spuren"


def test_sentences_of_python_templates_and_modules_are_found() -> None:
    methods = [("**.py", "python"), ("templates/**.html", "jinja2"), ("src/**.ts", "javascript")]
    options = {"templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true"}}
    found = {
        message for _, _, message, _, _ in extract_from_dir(ROOT / "web", methods, options) if isinstance(message, str)
    }
    assert {"Traces", "Reads your storage. Keeps none of it."} <= found, "templates and Python"
    assert "Find in this trace" in found
    assert "Its parent was not received." in found, "TypeScript"
