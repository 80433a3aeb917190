"""What a prompt asks for, and what it says once that was given.

The backend reads templates (`variables`, `check`); they are filled (`render`) where models are called, in the worker.
Only the texts of messages are templates: what a model wrote when it called a tool is kept as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from arcane.messaging.generation import ChatMessage, PromptSpec, TemplateFormat
from arcane.model.notice import Notice
from arcane.prompting import fstring, jinja, mustache
from arcane.prompting.bounds import Bounds, Budget
from arcane.prompting.errors import TemplateError, TooMuch, WrongValue

Names = Callable[[str], Iterator[tuple[str, bool]]]
Render = Callable[[str, Mapping[str, object], Budget], str]

_NAMES: Mapping[TemplateFormat, Names] = {
    TemplateFormat.MUSTACHE: mustache.names,
    TemplateFormat.F_STRING: fstring.names,
    TemplateFormat.JINJA2: jinja.names,
}
_RENDER: Mapping[TemplateFormat, Render] = {
    TemplateFormat.MUSTACHE: mustache.render,
    TemplateFormat.F_STRING: fstring.render,
    TemplateFormat.JINJA2: jinja.render,
}


def variables(prompt: PromptSpec, bounds: Bounds = Bounds()) -> list[str]:
    """Returns the names that stand in the prompt, each once, in the order of its text.

    Raises TemplateError, with the message it is in, for what is no template.
    """
    return list(_asked(prompt, bounds))


def required(prompt: PromptSpec, bounds: Bounds = Bounds()) -> list[str]:
    """Returns those variables without which the prompt cannot be filled; the others stand in conditions or loops."""
    return [name for name, needed in _asked(prompt, bounds).items() if needed]


def _asked(prompt: PromptSpec, bounds: Bounds) -> dict[str, bool]:
    asked: dict[str, bool] = {}
    names = _NAMES.get(prompt.format)
    for at, message in enumerate(prompt.messages):
        try:
            _fits(message, bounds)
            for name, needed in names(message.text) if names else ():
                asked[name] = asked.get(name, False) or needed
        except TemplateError as error:
            error.message = at
            raise
    return asked


def _fits(message: ChatMessage, bounds: Bounds) -> None:
    if len(message.text) > bounds.max_template:
        raise TooMuch(Notice("A message can be %(limit)d characters long.", limit=bounds.max_template))


def render(prompt: PromptSpec, inputs: Mapping[str, object], bounds: Bounds = Bounds()) -> tuple[ChatMessage, ...]:
    """Returns the messages with `inputs` in their places; the bounds hold for all of them together.

    Raises TemplateError, with the message and the place: for a variable without a value, a value that does not suit,
    a template that is none, and for more than the bounds allow.
    """
    budget = Budget(bounds)
    fill = _RENDER.get(prompt.format)
    filled = []
    for at, message in enumerate(prompt.messages):
        try:
            _fits(message, bounds)
            if fill is None:
                budget.write(len(message.text))
                filled.append(message)
            else:
                filled.append(msgspec.structs.replace(message, text=_filled(fill, message.text, inputs, budget)))
        except TemplateError as error:
            error.message = at
            raise
    return tuple(filled)


def _filled(fill: Render, text: str, inputs: Mapping[str, object], budget: Budget) -> str:
    try:
        return fill(text, inputs, budget)
    except RecursionError:
        raise WrongValue(Notice("A value of this prompt is nested too deeply.")) from None
