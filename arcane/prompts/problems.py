"""What can be wrong with a request about prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.kit.problems import Conflict, NotFound, Problem


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one part of a prompt. `pointer` is a JSON pointer: `#/version/messages/0/text`."""

    pointer: str
    detail: str


class UnknownPrompt(NotFound):
    """No prompt of the project has this id or name."""

    slug = "unknown-prompt"
    title = "Unknown prompt"


class UnknownPromptVersion(NotFound):
    """The prompt has no such version, or nothing has this label."""

    slug = "unknown-prompt-version"
    title = "Unknown prompt version"


class PromptNameTaken(Conflict):
    """Another prompt of the project has this name."""

    slug = "prompt-name-taken"
    title = "Prompt name taken"


class PromptLimit(Conflict):
    """The project has as many prompts, or the prompt as many versions or labels, as this instance allows."""

    slug = "prompt-limit"
    title = "Too many prompts, versions or labels"


class InvalidPrompt(Problem):
    """The prompt cannot work; `errors` points at the parts."""

    status = 422
    slug = "invalid-prompt"
    title = "Invalid prompt"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        listed = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
        super().__init__(f"{len(listed)} part(s) of the prompt need a look", errors=listed)
