"""`arcane query`, `arcane metrics`, `arcane tail` and `arcane explain`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from arcane.client.asked import Asked
from arcane.client.errors import ClientError, Exit
from arcane.client.files import explain_files, measure_files, search_files, stream_files
from arcane.client.flow import Flow
from arcane.client.instance import Instance
from arcane.client.show import show_search
from arcane.client.show_metrics import show_metrics
from arcane.client.show_plan import show_measuring, show_plan
from arcane.client.tailing import Printer, Stream, print_tail

_TIMEOUT_S = 60.0
_OPENED: ContextVar[ExitStack] = ContextVar("opened")
"""What a command has opened; `told` closes it."""

Words = Annotated[
    list[str], typer.Argument(help="TraceQL, for instance '{ status = error }'.", metavar="QUERY", show_default=False)
]
MetricsWords = Annotated[
    list[str],
    typer.Argument(help="TraceQL, for instance '{ status = error } | rate()'.", metavar="QUERY", show_default=False),
]
Step = Annotated[str | None, typer.Option(help="Time between two points (30s, 5m); by default one that fits.")]
Instant = Annotated[bool, typer.Option("--instant", help="One number for the whole range.")]
Since = Annotated[str | None, typer.Option(help="From how long ago (30m, 2h, 7d) or from when; by default 1h.")]
Until = Annotated[str | None, typer.Option(help="Until how long ago or when; by default now.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="A datasource, by name or id; none means all.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Most traces.")]
Whole = Annotated[
    bool,
    typer.Option("--all", help="Print every trace of the range as it comes, newest first; with --json event by event."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the API.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", help="OTLP JSON lines (a file, a folder, a pattern) to ask in place of an instance."),
]
Url = Annotated[str, typer.Option(envvar="ARCANE_URL", help="Address of the instance.")]
ApiKey = Annotated[str, typer.Option(envvar="ARCANE_API_KEY", help="API key of the project.", show_default=False)]

HERE = "http://127.0.0.1:8085"


def query(
    words: Words,
    since: Since = None,
    until: Until = None,
    source: Sources = None,
    limit: Limit = None,
    whole: Whole = False,
    as_json: AsJson = False,
    file: Files = None,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Searches traces, newest first. Exit code 3: datasources are missing from the answer; 4: refused."""
    with told():
        text, paths = _split(words, file)
        asked = Asked(text, since, until, tuple(source or ()), limit)
        if whole:
            _stream(asked, paths, as_json=as_json, url=url, api_key=api_key)
            return
        answer = search_files(paths, asked) if paths else instance_of(url, api_key).search(asked)
        _print_complete(answer, as_json=as_json, show=show_search)


def metrics(
    words: MetricsWords,
    since: Since = None,
    until: Until = None,
    step: Step = None,
    instant: Instant = False,
    source: Sources = None,
    as_json: AsJson = False,
    file: Files = None,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Counts and measures spans over time. Exit code 3: datasources are missing from the answer; 4: refused."""
    with told():
        text, paths = _split(words, file)
        asked = Asked(text, since, until, tuple(source or ()), step=step, instant=instant)
        answer = measure_files(paths, asked) if paths else instance_of(url, api_key).measure(asked)
        _print_complete(answer, as_json=as_json, show=show_metrics)


def tail(
    words: Words,
    source: Sources = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many traces.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Prints traces as they appear, until Ctrl-C. A `+` marks one that has grown. Exit code 4: refused."""
    with told():
        text, _ = _split(words, None)
        stream = Stream(instance_of(url, api_key), Asked(text, sources=tuple(source or ())))
        wide = None if sys.stdout.isatty() else 240
        console = Console(width=wide, highlight=False, markup=False, emoji=False)
        aside = Console(stderr=True, highlight=False, markup=False, emoji=False)
        with suppress(KeyboardInterrupt):
            print_tail(stream, Printer(console, aside, as_json), limit)


def explain(
    words: Words,
    since: Since = None,
    until: Until = None,
    step: Step = None,
    instant: Instant = False,
    source: Sources = None,
    as_json: AsJson = False,
    file: Files = None,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Says what each datasource would be asked, and what Arcane would evaluate itself. Exit code 4: refused.

    A query that measures is explained like one that finds traces.
    """
    with told():
        text, paths = _split(words, file)
        asked = Asked(text, since, until, tuple(source or ()), step=step, instant=instant)
        plan = explain_files(paths, asked) if paths else instance_of(url, api_key).explain(asked)
        print_answer(plan, as_json=as_json, show=show_measuring if asked.measures else show_plan)


def _stream(asked: Asked, paths: Sequence[Path], *, as_json: bool, url: str, api_key: str) -> None:
    """Every event is on standard output as it comes, or every trace of it; nothing is kept."""
    shown = Flow(sys.stdout, sys.stderr, as_json=as_json, query=asked.query)
    if paths:
        stream_files(paths, asked, shown.take)
    else:
        instance_of(url, api_key).stream(asked, shown.take)
    if not shown.is_complete():
        raise typer.Exit(Exit.PARTIAL)


def _split(words: list[str], file: list[Path] | None) -> tuple[str, list[Path]]:
    """Returns the query and the files: a shell that expands `--file demo/*.jsonl` makes words of all but the first."""
    *more, text = words
    if more and not file:
        raise typer.BadParameter("the query is one word: put it in single quotes")
    return text, [*(file or ()), *map(Path, more)]


def instance_of(url: str, api_key: str) -> Instance:
    """Returns the instance at `url`, and the project of the key, while `told` lasts; raises ClientError."""
    if not api_key:
        raise ClientError(
            "there is no API key: make one in the settings of the project, and say --api-key or set ARCANE_API_KEY",
            Exit.REFUSED,
        )
    if not api_key.isascii() or not api_key.isprintable():
        raise ClientError("the API key has characters that no key has", Exit.REFUSED)
    try:
        http = httpx.Client(base_url=url, timeout=_TIMEOUT_S, headers={"authorization": f"Bearer {api_key}"})
    except httpx.InvalidURL as exc:
        raise ClientError(f"{url} is not an address: {exc}") from exc
    return Instance.connect(_OPENED.get().enter_context(http))


def print_answer(answer: dict[str, Any], *, as_json: bool, show: Any) -> None:
    """The answer is on standard output, as JSON or as `show` prints it."""
    if as_json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    wide = None if sys.stdout.isatty() else 240
    show(answer, Console(width=wide, highlight=False, markup=False, emoji=False))


def _print_complete(answer: dict[str, Any], *, as_json: bool, show: Any) -> None:
    """The same, of an answer that may lack datasources: the exit code says whether it does."""
    print_answer(answer, as_json=as_json, show=show)
    if not answer["complete"]:
        raise typer.Exit(Exit.PARTIAL)


@contextmanager
def told() -> Iterator[None]:
    """What went wrong is told in one line (and the place in a query), with its exit code; connections are closed."""
    try:
        with ExitStack() as opened:
            _OPENED.set(opened)
            yield
    except ClientError as exc:
        sys.stderr.write(f"arcane: {exc}\n")
        raise typer.Exit(exc.code) from exc
