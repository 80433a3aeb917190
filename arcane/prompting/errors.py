"""What can be wrong with a template, or with what it is to be filled with.

TemplateError
├── TemplateSyntax    the text is no template of its format, or asks for what prompts may not do
├── MissingVariable   a name the template needs has no value
├── WrongValue        a value does not suit what the template does with it
└── TooMuch           more text, or more work, than a prompt may be
"""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.notice import Notice


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a text: line and column count from 1; column 0 is not known."""

    line: int
    column: int = 0

    @staticmethod
    def of(text: str, offset: int) -> Place:
        """Returns the place of the character at `offset`."""
        before = text[:offset]
        return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


class TemplateError(ValueError):
    """A prompt cannot be read or filled. `sentence` says why, `place` where, `message` in which message, from 0."""

    def __init__(self, sentence: Notice, place: Place | None = None, message: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return str(self.told())

    def told(self) -> Notice:
        """Returns the sentence with the place in front, as far as it is known."""
        values = {"sentence": self.sentence}
        if self.message is None or self.place is None:
            if self.message is not None:
                return Notice("Message %(message)d: %(sentence)s", message=self.message + 1, **values)
            return self.sentence
        where = {"message": self.message + 1, "line": self.place.line, "column": self.place.column}
        if self.place.column:
            return Notice(
                "Message %(message)d, line %(line)d, column %(column)d: %(sentence)s",
                **where,
                **values,
            )
        return Notice("Message %(message)d, line %(line)d: %(sentence)s", **where, **values)


class TemplateSyntax(TemplateError):
    """The text is no template of its format, or asks for what prompts may not do."""


class MissingVariable(TemplateError):
    """A name the template needs has no value."""

    def __init__(self, name: str, place: Place | None = None) -> None:
        super().__init__(Notice("“%(name)s” has no value.", name=name), place)
        self.name = name


class WrongValue(TemplateError):
    """A value does not suit what the template does with it."""


class TooMuch(TemplateError):
    """More text, or more work, than a prompt may be."""
