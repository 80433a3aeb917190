"""One corpus, every backend, one answer: the questions, and what direct evaluation on the spans answers.

`tests/data/one_answer/queries.txt` has the questions, grouped by construct. `answers.txt` beside it has for each the
number of traces and spans, and a digest of the whole answer, so that what a query means cannot change unnoticed.
`python -m tests.support.one_answer` writes it anew; its diff says which queries mean something else now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from arcane.model.hit import MatchedSpan, TraceHit
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check
from arcane.traceql.hits import hit_of_sets
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query
from tests.support.tempo_replay import VECTORS
from tests.support.tempo_standin import traces_in

FOLDER = Path(__file__).parents[1] / "data" / "one_answer"
SPANS_PER_TRACE = 100
OF_PARTS = frozenset({"duration", "span_count", "error_count", "services"})
"""What of a hit may be that of a part of its trace, where the answer says so."""
Answer = tuple[TraceHit, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of the file; `name` is `group/name`."""

    name: str
    text: str
    query: Query

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


@cache
def questions() -> tuple[Asked, ...]:
    """Returns the queries of the file, in its order."""
    return tuple(read_questions((FOLDER / "queries.txt").read_text()))


def read_questions(text: str) -> Iterator[Asked]:
    """Yields the queries of a file: groups behind `#`, and `name: query`."""
    group = ""
    for line in text.splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif line:
            name, _, written = line.partition(": ")
            query = parse(written)
            check(query)
            yield Asked(f"{group}/{name}", written, query)


def groups() -> tuple[str, ...]:
    """Returns the constructs, in the order of the file."""
    return tuple(dict.fromkeys(asked.group for asked in questions()))


@cache
def corpus() -> tuple[Trace, ...]:
    """Returns the traces that every backend is given."""
    return tuple(traces_in(VECTORS / "corpus.otlp.jsonl"))


def whole(traces: Sequence[Trace]) -> TimeRange:
    """Returns a range that holds all of them."""
    return TimeRange(min(trace.start for trace in traces), max(trace.end for trace in traces))


def evaluated(query: Query, traces: Sequence[Trace]) -> Answer:
    """Returns the answer by looking at every span, newest first."""
    compiled = compile_query(query)
    hits = [hit_of_sets(trace, sets, compiled.fields, SPANS_PER_TRACE) for trace in traces if (sets := compiled(trace))]
    return tuple(sorted(hits, key=lambda hit: hit.position, reverse=True))


def digest(answer: Answer) -> str:
    """Returns what stands in answers.txt: traces, spans, and a digest of everything."""
    encoded = msgspec.json.encode(answer, order="deterministic")
    return f"{len(answer)} {sum(hit.matched for hit in answer)} {hashlib.sha256(encoded).hexdigest()[:16]}"


def committed() -> Mapping[str, str]:
    """Returns what answers.txt says, by name."""
    lines = (FOLDER / "answers.txt").read_text().splitlines()
    return {name: told for name, _, told in (line.partition(": ") for line in lines)}


def difference(
    found: Sequence[TraceHit], wanted: Answer, grain_ns: int = 1, *, whole: Sequence[bool] = ()
) -> str | None:
    """Returns where two answers differ, None where they do not.

    What a backend does not tell (None) is no difference. `grain_ns` is what it cuts the duration of a hit to;
    of a hit that is not `whole`, what is said of the trace is of a part of it, and is not compared.
    """
    if [hit.trace_id for hit in found] != [hit.trace_id for hit in wanted]:
        missing = {hit.trace_id for hit in wanted} - {hit.trace_id for hit in found}
        extra = {hit.trace_id for hit in found} - {hit.trace_id for hit in wanted}
        return (
            f"missing {sorted(missing)[:3]} of {len(missing)}, too many {sorted(extra)[:3]} of {len(extra)}, or order"
        )
    for at, (one, other) in enumerate(zip(found, wanted, strict=True)):
        for name in TraceHit.__struct_fields__:
            told, meant = getattr(one, name), getattr(other, name)
            if name in OF_PARTS and whole and not whole[at]:
                continue
            if name == "spans":
                fault = _span_difference(told, meant)
                if fault:
                    return f"{other.trace_id}: {fault}"
            elif name == "duration":
                if told // grain_ns != meant // grain_ns:
                    return f"{other.trace_id}: duration {told}, not {meant}"
            elif name == "services":
                if told and told != meant:
                    return f"{other.trace_id}: services {told}, not {meant}"
            elif told != meant and not (told is None and name in ("span_count", "error_count")):
                return f"{other.trace_id}: {name} {told}, not {meant}"
    return None


def _span_difference(found: Sequence[MatchedSpan], wanted: Sequence[MatchedSpan]) -> str | None:
    if [span.span_id for span in found] != [span.span_id for span in wanted]:
        return f"spans {[span.span_id for span in found][:4]}, not {[span.span_id for span in wanted][:4]}"
    for one, other in zip(found, wanted, strict=True):
        for name in MatchedSpan.__struct_fields__:
            told, meant = getattr(one, name), getattr(other, name)
            if told != meant and not (told is None and name in ("name", "service", "status")):
                return f"span {other.span_id}: {name} {told}, not {meant}"
    return None


if __name__ == "__main__":
    rows = (f"{asked.name}: {digest(evaluated(asked.query, corpus()))}\n" for asked in questions())
    (FOLDER / "answers.txt").write_text("".join(rows))
