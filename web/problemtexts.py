"""Why there is no answer, in words: for pages that have begun to write when it turns out."""

from __future__ import annotations

from starlette.requests import Request

from arcane.kit.problems import Problem
from arcane.model.outcome import SourceOutcome
from web.results import Failure
from web.shell import Shell
from web.sources import SourceLine, source_lines


def failure_of(problem: Problem, shell: Shell) -> Failure:
    say = shell.language.gettext
    heading = say("The query cannot be answered as it is") if problem.status < 500 else say("No datasource answered")
    place = problem.members.get("position")
    where = say("line %(line)d, column %(column)d") % place if isinstance(place, dict) else ""
    about = "\n".join(filter(None, (shell.language.tell(problem.members.get("hint") or ""), where)))
    return Failure(heading, problem.detail, about, retry=problem.status >= 429)


def sources_of(problem: Problem, shell: Shell) -> tuple[SourceLine, ...]:
    """Who was asked, where the problem says it: a strip stands also below an answer that failed."""
    outcomes = [one for one in problem.members.get("sources", ()) if isinstance(one, SourceOutcome)]
    return source_lines(outcomes, shell.language, asks=True)


def broken(request: Request, shell: Shell) -> Failure:
    say = shell.language.gettext
    request_id = getattr(request.state, "request_id", "")
    return Failure(
        say("Something broke in Arcane"),
        say("This is a bug. The log of the instance knows more."),
        request_id,
        retry=True,
    )
