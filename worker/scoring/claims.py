"""Steps that several metrics share: a text taken apart into statements, and statements held against a text."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from worker.scoring.toolbox import Toolbox, shaped


class Statements(BaseModel):
    """What a text says, one assertion each."""

    statements: list[str]


class Checked(BaseModel):
    """Whether one statement follows from a text."""

    reason: str
    supported: bool


class Checks(BaseModel):
    """A verdict for each statement, in their order."""

    verdicts: list[Checked]


_TAKE_APART = (
    "Take `text`, an answer to `question`, apart into statements. Each is one sentence that asserts one thing and can "
    "be understood alone: write out whom pronouns stand for. Say nothing that the text does not say. A text that "
    "asserts nothing has no statements."
)
_HOLD_AGAINST = (
    "For each of `statements`, in their order, say whether `context` supports it: it follows from the context, "
    "without knowledge of your own. Give one verdict for each statement, {count} in all."
)


async def statements_of(tools: Toolbox, text: str, question: str) -> list[str]:
    """Returns the statements of `text`."""
    given = {"question": question, "text": text}
    return (await tools.ask(_TAKE_APART, given, shaped(Statements))).statements


async def supported(tools: Toolbox, statements: Sequence[str], context: str) -> list[bool]:
    """Returns for each statement whether `context` supports it; asks nobody about none."""
    if not statements:
        return []
    count = len(statements)

    def check(answer: Checks) -> str:
        found = len(answer.verdicts)
        return "" if found == count else f"verdicts: there are {found}, for {count} statements"

    given = {"context": context, "statements": list(statements)}
    answer = await tools.ask(_HOLD_AGAINST.format(count=count), given, shaped(Checks, check))
    return [one.supported for one in answer.verdicts]
