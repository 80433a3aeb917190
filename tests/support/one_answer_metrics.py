"""One corpus, every backend, one answer: the metrics questions, and what direct evaluation on the spans answers.

`metrics.txt` and `metrics_answers.txt` are what `queries.txt` and `answers.txt` are to searches: the number of series
and points, and a digest of the whole answer. `python -m tests.support.one_answer_metrics` writes it anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec
import pytest

from arcane.federation.metrics_measure import MetricsBounds, Reading, Seen, series_of
from arcane.model.series import Series, Steps
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.metrics_query import answer, measurements
from tests.support.one_answer import FOLDER, Asked, corpus, read_questions, whole

MINUTES = 300 * NANOS_PER_SECOND
AT_ONCE = frozenset({"counted/instant"})
"""Queries whose answer is one point for all of the time; so are comparisons."""
_DIGITS = 9
"""What of a number is told: sums depend a little on the order of what is added."""


@cache
def metrics_questions() -> tuple[Asked, ...]:
    """Returns the metrics queries of the file, in its order."""
    return tuple(read_questions((FOLDER / "metrics.txt").read_text()))


def metrics_groups() -> tuple[str, ...]:
    """Returns what they are about, in the order of the file."""
    return tuple(dict.fromkeys(asked.group for asked in metrics_questions()))


def steps_of(asked: Asked, traces: Sequence[Trace]) -> Steps:
    """Returns the points of the answer: five minutes apart, over all of the traces."""
    within = whole(traces)
    if asked.name in AT_ONCE or asked.group == "compared":
        return Steps(within.end, within.duration + 1, 1)
    first = within.start // MINUTES * MINUTES
    return Steps(first, MINUTES, (within.end - first) // MINUTES + 2)


def measured_directly(query: Query, traces: Sequence[Trace], steps: Steps) -> list[Series]:
    """Returns the series by looking at every span."""
    found = {}
    for one in measurements(query):
        reading = Reading(one, steps, MetricsBounds(1_000, 0), Seen(wanted=False))
        for trace in traces:
            reading.add(trace)
        found[one] = series_of(one, reading.state, steps, 0)
    return answer(query, found, steps)


def series_difference(found: Sequence[Series], wanted: Sequence[Series]) -> str | None:
    """Returns where two answers differ, None where they do not."""
    if [one.labels for one in found] != [one.labels for one in wanted]:
        labels, meant = [one.labels for one in found], [one.labels for one in wanted]
        missing = [one for one in meant if one not in labels]
        extra = [one for one in labels if one not in meant]
        return f"missing {missing[:3]} of {len(missing)}, too many {extra[:3]} of {len(extra)}, or order"
    for one, other in zip(found, wanted, strict=True):
        if one.points != pytest.approx(other.points, rel=10.0**-_DIGITS):
            return f"{other.labels}: points {one.points}, not {other.points}"
    return None


def series_digest(series: Sequence[Series]) -> str:
    """Returns what stands in metrics_answers.txt: series, points, and a digest of everything."""
    told = [(one.labels, [(at, f"{value:.{_DIGITS}g}") for at, value in sorted(one.points.items())]) for one in series]
    encoded = msgspec.json.encode(told)
    return f"{len(series)} {sum(len(one.points) for one in series)} {hashlib.sha256(encoded).hexdigest()[:16]}"


def metrics_answers() -> Mapping[str, str]:
    """Returns what direct evaluation on the corpus answers, by name."""
    return {
        asked.name: series_digest(measured_directly(asked.query, corpus(), steps_of(asked, corpus())))
        for asked in metrics_questions()
    }


def committed_metrics() -> Mapping[str, str]:
    """Returns what metrics_answers.txt says, by name."""
    lines = (FOLDER / "metrics_answers.txt").read_text().splitlines()
    return {name: told for name, _, told in (line.partition(": ") for line in lines)}


if __name__ == "__main__":
    rows = (f"{name}: {told}\n" for name, told in metrics_answers().items())
    (FOLDER / "metrics_answers.txt").write_text("".join(rows))
