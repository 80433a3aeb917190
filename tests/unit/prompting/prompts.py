"""Prompts for tests of templates."""

from __future__ import annotations

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.prompting.bounds import Bounds
from arcane.prompting.render import render


def prompt(form: TemplateFormat, *texts: str) -> PromptSpec:
    return PromptSpec(messages=tuple(ChatMessage(role=Role.USER, text=text) for text in texts), format=form)


def said(form: TemplateFormat, text: str, bounds: Bounds = Bounds(), /, **inputs: object) -> str:
    return render(prompt(form, text), inputs, bounds)[0].text
