"""Evaluations from a shell: what is asked, waiting for it, and whether it is good enough."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from arcane.client.asked import moment
from arcane.client.errors import ClientError, Exit
from arcane.client.instance import Instance

OVER = ("done", "cancelled", "stopped")
_POLL_S = (0.2, 2.0)
_SINCE, _LIMIT_OF_TRACES = "1h", 100
_LIMIT = re.compile(r"(?P<score>.+?)(?P<way>>=|<=|=)(?P<value>[-+.0-9eE]+)")


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a score has to reach on average. `<=` is for scores that are better when they are lower."""

    score: str
    way: str
    value: float

    @classmethod
    def of(cls, text: str) -> Threshold:
        """Returns `faithfulness=0.8` as it is meant; raises ClientError."""
        found = _LIMIT.fullmatch(text)
        try:
            if found is not None:
                return cls(found["score"], "<=" if found["way"] == "<=" else ">=", float(found["value"]))
        except ValueError:
            pass
        raise ClientError(f"{text} is no threshold; write score=0.8, or score<=0.2", Exit.REFUSED)

    def holds(self, mean: float | None) -> bool:
        """True when the mean reaches it; a score without a value reaches nothing."""
        if mean is None:
            return False
        return mean <= self.value if self.way == "<=" else mean >= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An evaluation as a command line says it; names or ids."""

    name: str = ""
    description: str = ""
    dataset: str = ""
    version: int | None = None
    split: str | None = None
    experiments: Sequence[str] = ()
    query: str = ""
    since: str = ""
    until: str | None = None
    limit: int | None = None
    scores: Sequence[str] = ()
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    budget: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names_what_is_judged(self) -> bool:
        """True when it says what is judged."""
        return bool(self.dataset or self.experiments or self.query)


def mappings_of(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Returns `score.variable=source` by score and variable; raises ClientError."""
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        target, equals, source = text.partition("=")
        score, dot, variable = target.rpartition(".")
        if not (equals and dot and score and variable):
            raise ClientError(f"{text} is no mapping; write score.variable=column:answer", Exit.REFUSED)
        found.setdefault(score, {})[variable] = source
    return found


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of the project that an API key opens."""

    instance: Instance
    sleep: Callable[[float], None] = field(default=time.sleep)

    def body(self, wanted: Wanted, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns what the API takes: `given`, with what is wanted in place of it; raises ClientError."""
        body = dict(given or {}) | self._judged(wanted)
        if wanted.scores:
            body["score_ids"] = [self._id("scores", one) for one in wanted.scores]
        if wanted.mappings:
            body["mappings"] = {self._id("scores", one): dict(found) for one, found in wanted.mappings.items()}
        if wanted.budget is not None:
            body["budget_usd"] = wanted.budget
        if wanted.description:
            body["description"] = wanted.description
        if wanted.metadata:
            body["metadata"] = dict(wanted.metadata)
        body["name"] = wanted.name or body.get("name") or f"arcane eval run {datetime.now(UTC):%Y-%m-%d %H:%M}"
        if "scope" not in body or "score_ids" not in body:
            raise ClientError(
                "say what is judged (--dataset, --experiment, --query or --file) and --score", Exit.REFUSED
            )
        return body

    def _judged(self, wanted: Wanted) -> dict[str, Any]:
        if wanted.dataset:
            pinned = {"dataset_version": wanted.version, "split": wanted.split}
            return {"scope": "dataset", "dataset_id": self._id("datasets", wanted.dataset), **pinned}
        if wanted.experiments:
            return {
                "scope": "experiments",
                "experiment_ids": [self._id("experiments", one) for one in wanted.experiments],
            }
        if not wanted.query:
            return {}
        present = datetime.now(UTC)
        end = present.isoformat() if wanted.until is None else moment(wanted.until, present)
        start, limit = moment(wanted.since or _SINCE, present), wanted.limit or _LIMIT_OF_TRACES
        return {"scope": "traces", "search": {"query": wanted.query, "start": start, "end": end, "limit": limit}}

    def start(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the new evaluation; raises ClientError."""
        return self.instance.ask("POST", "/evaluations", dict(body))

    def get(self, evaluation_id: str) -> dict[str, Any]:
        """Returns an evaluation; raises ClientError."""
        return self.instance.ask("GET", f"/evaluations/{evaluation_id}")

    def summary(self, evaluation_id: str) -> list[dict[str, Any]]:
        """Returns how each score turned out; raises ClientError."""
        found: list[dict[str, Any]] = self.instance.ask("GET", f"/evaluations/{evaluation_id}/summary")["items"]
        return found

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """Returns the newest evaluations; raises ClientError."""
        found: list[dict[str, Any]] = self.instance.ask("GET", f"/evaluations?limit={limit}")["items"]
        return found

    def until_over(self, evaluation: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yields the evaluation now and again until nothing more happens to it; raises ClientError."""
        wait = _POLL_S[0]
        yield evaluation
        while evaluation["state"] not in OVER:
            self.sleep(wait)
            wait = min(wait * 1.5, _POLL_S[1])
            evaluation = self.get(evaluation["id"])
            yield evaluation

    def _id(self, kind: str, named: str) -> str:
        """Returns the id of what a person names, by its id or by its name."""
        try:
            return str(UUID(named))
        except ValueError:
            pass
        cursor = ""
        while True:
            page = self.instance.ask("GET", f"/{kind}?limit=200{cursor}")
            for one in page["items"]:
                if one["name"].casefold() == named.casefold():
                    return str(one["id"])
            if page["next"] is None:
                raise ClientError(f"there is nothing called {named} among the {kind} of the project", Exit.REFUSED)
            cursor = f"&cursor={page['next']}"


def failures(
    thresholds: Sequence[Threshold], evaluation: Mapping[str, Any], summary: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Returns a sentence for each threshold that is not reached; with experiments, each has to reach it."""
    ids = {one["name"].casefold(): one["score_id"] for one in evaluation["scores"]}
    said: list[str] = []
    for one in thresholds:
        score_id = ids.get(one.score.casefold(), one.score)
        means = [row["mean"] for row in summary if row["score_id"] == score_id]
        if not means and score_id in ids.values():
            said.append(f"nothing was judged by {one.score}, so it is not {one.way} {one.value:g}")
        elif not means:
            said.append(f"the evaluation has no score {one.score}")
        said += [
            f"{one.score} is {'nothing' if mean is None else format(mean, '.4g')}, not {one.way} {one.value:g}"
            for mean in means
            if not one.holds(mean)
        ]
    return said
