"""How many spans a second one core asks a query of, in memory.

Run: python bench/evaluate.py

Last figures, CPU time, best of 3 on a busy two-core machine, Python 3.11. Each trace is
asked once, so what needs the tree of spans pays for building it:

  2.01 million/s  { resource.service.name = "x" && span.a > 5 && status = error }   target 1.0
  4.49 million/s  { status = error }
  1.42 million/s  { resource.service.name != "q" && span.a >= 0 && status != ok }   all three asked of most
  2.13 million/s  { .a > 5 || .b = "q" }
  0.75 million/s  { name =~ "call.*" }
  0.45 million/s  { span.a * 2 > duration / 1ns }
  0.54 million/s  { traceDuration > 1us && span:childCount = 0 }
  0.71 million/s  { status = error } > { span.a > 5 }
  0.59 million/s  { status = error } >> { span.a > 5 }
  0.47 million/s  { status = error } &<< { span.a > 5 }
  0.97 million/s  { } !~ { }
  1.63 million/s  { status = error } | by(resource.service.name) | count() > 2
  1.06 million/s  { } | avg(duration) > 1us
"""

from __future__ import annotations

import random
import sys
import time

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query

TARGET = '{ resource.service.name = "x" && span.a > 5 && status = error }'
TARGET_SPANS_PER_SECOND = 1_000_000
QUERIES = (
    TARGET,
    "{ status = error }",
    '{ resource.service.name != "q" && span.a >= 0 && status != ok }',
    '{ .a > 5 || .b = "q" }',
    '{ name =~ "call.*" }',
    "{ span.a * 2 > duration / 1ns }",
    "{ traceDuration > 1us && span:childCount = 0 }",
    "{ status = error } > { span.a > 5 }",
    "{ status = error } >> { span.a > 5 }",
    "{ status = error } &<< { span.a > 5 }",
    "{ } !~ { }",
    "{ status = error } | by(resource.service.name) | count() > 2",
    "{ } | avg(duration) > 1us",
)
TRACES, SPANS_PER_TRACE, ROUNDS = 20_000, 50, 3


def corpus() -> list[Trace]:
    """Returns a million spans that share their resources, as decoded ones do."""
    chance = random.Random(1)
    resources = [Resource({"service.name": name, "host": "h"}) for name in "xyz"]
    statuses = list(StatusCode)
    attributes = [{"a": number, "b": "q", "c": 1.0} for number in range(10)]
    found = []
    for number in range(TRACES):
        trace_id = TraceId(f"{number + 1:032x}")
        spans = [
            Span(
                trace_id,
                SpanId(f"{index + 1:016x}"),
                f"{index:016x}" if index else "",
                "call",
                SpanKind.SERVER,
                start=index,
                end=index + 5_000,
                status=chance.choice(statuses),
                attributes=chance.choice(attributes),
                resource=chance.choice(resources),
            )
            for index in range(SPANS_PER_TRACE)
        ]
        found.append(Trace(trace_id, spans))
    return found


def main() -> int:
    """Prints a line for each query; the exit code says whether the first one is fast enough."""
    traces = corpus()
    count = TRACES * SPANS_PER_TRACE
    target = 0.0
    for text in QUERIES:
        query = parse(text)
        best = float("inf")
        for _ in range(ROUNDS):
            compiled = compile_query(query)
            fresh = [Trace(one.trace_id, one.spans) for one in traces]  # whoever asks for a tree builds it
            begun = time.process_time()
            matched = sum(len(found.spans) for trace in fresh for found in compiled(trace))
            best = min(best, time.process_time() - begun)
        print(f"{count / best / 1e6:6.2f} million/s  {matched:9,} matched  {text}")
        if text == TARGET:
            target = count / best
    return 0 if target >= TARGET_SPANS_PER_SECOND else 1


if __name__ == "__main__":
    sys.exit(main())
