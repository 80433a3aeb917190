"""Which language a page speaks. A second one is a file: web/locale/<language>/LC_MESSAGES/messages.po.

The .po file is compiled in memory at start, so a translation needs no build step. English is in the
sources themselves. How to extract and update: web/README.md.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Language:
    """A language pages can speak. `texts` is what scripts need: source sentence -> translation."""

    locale: Locale
    translations: NullTranslations
    texts: dict[str, str]

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
        """Returns a notice of the engine or of an adapter, or what is declared somewhere, in this language."""
        return told(sentence, self.gettext)


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
    return Language(locale, Translations(compiled), texts)


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
