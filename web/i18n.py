"""Which language a page speaks. A second one is a file: web/locale/<language>/LC_MESSAGES/messages.po.

The .po file is compiled in memory at start, so a translation needs no build step. English is in the
sources themselves. How to extract and update: web/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request

from arcane.model.notice import told

LOCALES = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
LONGEST_SENTENCE = 1_000
"""Longer ones are not looked for among the templates."""
_HOLE = re.compile(r"%\((\w+)\)[\d.]*[sdfg]")


@dataclass(frozen=True, slots=True)
class Language:
    """A language pages can speak. `texts` is what scripts need: source sentence -> translation."""

    locale: Locale
    translations: NullTranslations
    texts: dict[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
    """What sentences with values in them look like in English, the longest first, and their translations."""

    @property
    def code(self) -> str:
        """As the `lang` attribute spells it."""
        return str(self.locale).replace("_", "-")

    def gettext(self, message: str) -> str:
        """Returns `message` in this language."""
        return self.translations.ugettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Returns the form of the sentence that goes with `number`, in this language."""
        return self.translations.ungettext(singular, plural, number)

    def tell(self, sentence: str) -> str:
        """Returns in this language what comes in English: a notice, what is declared somewhere, why one is refused.

        A sentence that was made on the spot is told by the template it looks like; one that is unknown stays English.
        """
        said = told(sentence, self.gettext)
        return self._recognised(sentence) if said == sentence and self.patterns else said

    def _recognised(self, sentence: str) -> str:
        if len(sentence) > LONGEST_SENTENCE:
            return sentence
        for pattern, translation in self.patterns:
            found = pattern.fullmatch(sentence)
            if found:
                return translation % found.groupdict()
        return sentence


@dataclass(frozen=True, slots=True)
class Languages:
    """All languages this installation has."""

    by_code: dict[str, Language]

    @classmethod
    def load(cls, folder: Path = LOCALES) -> Languages:
        """Returns English and every language that has a folder under `folder`."""
        found = {SOURCE_LANGUAGE: Language(Locale(SOURCE_LANGUAGE), NullTranslations(), {})}
        for file in sorted(folder.glob("*/LC_MESSAGES/messages.po")):
            language = _read(file)
            found[language.code] = language
        return cls(found)

    def of(self, request: Request) -> Language:
        """Returns the language of the `language` cookie, else the best of Accept-Language, else English."""
        chosen = request.cookies.get("language", "")
        if chosen in self.by_code:
            return self.by_code[chosen]
        wanted = _accepted(request.headers.get("accept-language", ""))
        code = negotiate_locale(wanted, list(self.by_code), sep="-")
        return self.by_code[code or SOURCE_LANGUAGE]


def _read(file: Path) -> Language:
    code = file.parent.parent.name
    try:
        locale = Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as exc:
        raise ValueError(f"{file.parent.parent} is not named after a language, such as de or pt_BR") from exc
    with file.open("rb") as source:
        catalog = read_po(source, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    texts = {
        message.id: message.string
        for message in catalog
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id and message.string
    }
    return Language(locale, Translations(compiled), texts, _patterns(texts))


def _patterns(texts: Mapping[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Returns the templates among `texts` that can be told from their sentence: each value stands there once."""
    found = []
    for template, translation in texts.items():
        names = _HOLE.findall(template)
        literal = _HOLE.sub("", template)
        distinct = len(set(names)) == len(names)
        if names and distinct and set(_HOLE.findall(translation)) <= set(names) and re.search("[a-z]{2}", literal):
            parts = _HOLE.split(template)
            plain = [re.escape(part.replace("%%", "%")) for part in parts]
            text = "".join(f"(?P<{parts[at]}>.*?)" if at % 2 else part for at, part in enumerate(plain))
            found.append((len(literal), re.compile(text, re.DOTALL), _HOLE.sub(r"%(\1)s", translation)))
    return tuple((pattern, translation) for _, pattern, translation in sorted(found, key=lambda one: -one[0]))


def _accepted(header: str) -> list[str]:
    """Language tags of an Accept-Language header, most wanted first."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
