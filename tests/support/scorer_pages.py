"""docs/reference/scorers.md, written from the scorers and their golden cases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from arcane.messaging.scoring import ScorerDescription
from tests.support.golden_scores import goldens
from worker.scoring.registry import Registry, modules

_HEAD = """# Scorers

What gives a score. A worker announces its scorers with the JSON schema of their settings; the form of a score
is made of it. This page is written from `worker/scorers` and the golden cases by `make docs`; a test keeps it
equal.

Every scorer gives a value or an error, never nothing: an error names the variable that is missing, the
setting that does not fit, or the line of the code that failed, and says nothing of what was judged. Whoever
asks a model asks for JSON by a schema, with the reasons before the conclusion; an answer that does not fit is
asked for once more, with what is wrong with it, and is then an error. What is judged is given to the model as
JSON, apart from the instructions.

A number of an ordinal score means the highest label whose value it reaches, of a nominal one the label with
that value.
"""
_RAGAS = """## How ours differ from ragas

The metrics follow the published definitions. Equality is shown on golden cases: the same scripted answers of
a model are given to ragas 0.4.3 (`tests/support/ragas_golden.py`, in an environment of its own) and to ours.
Values are equal (to 1e-12 without a model, to 1e-7 with one, as ragas adds small numbers to its denominators)
but for what is listed here. The words of our prompts are our own, so a real model may answer ours
differently.
"""
_GENERAL = """- **All** - an empty needed input is the error `missing-input`; ragas raises a ValueError for some metrics
  only.
- **All with a model** - a list of verdicts has one for each statement, in their order; ragas takes what
  comes.
"""


def scorers_page() -> str:
    """Returns docs/reference/scorers.md."""
    return "\n".join([_HEAD, *_groups(), _RAGAS, "".join([_GENERAL, *_differences()])])


def _groups() -> Iterator[str]:
    for group, scorers in groupby(Registry.load().announced(), key=lambda one: one.group):
        yield f"## {group}\n"
        yield "| scorer | key | reads | needs | settings |"
        yield "|---|---|---|---|---|"
        yield from map(_row, scorers)
        yield ""


def _row(one: ScorerDescription) -> str:
    reads = [f"`{entry.name}`" if entry.required else f"`{entry.name}`?" for entry in one.inputs]
    if one.template_setting:
        reads.append("the variables of its rubric")
    if one.code_setting:
        reads.append("the parameters of `score`")
    needs = [word for word, needed in (("a model", one.needs_model), ("embeddings", one.needs_embeddings)) if needed]
    settings = [f"`{name}`" for name in one.settings.get("properties", {})]
    cells = (
        f"**{one.name}** {one.description}",
        f"`{one.key}`",
        ", ".join(reads),
        ", ".join(needs),
        ", ".join(settings),
    )
    return f"| {' | '.join(cells)} |"


def _differences() -> Iterator[str]:
    names = {name: scorer.description.name for name, scorer in modules()}
    found: dict[tuple[str, str], list[str]] = {}
    for golden in goldens():
        told = golden.told
        if "differs" in told and not told["differs"].startswith("both refuse"):
            ours = f"the error `{told['error']}`" if "error" in told else f"{told['value']:.4g}"
            found.setdefault((names[golden.module], told["differs"]), []).append(f"{told['name']}: ours is {ours}")
    for (name, why), cases in sorted(found.items()):
        yield f"- **{name}** - {why} ({'; '.join(cases)}).\n"
