"""Evaluations from a shell: what is asked, waiting for it, and whether it is good enough."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from arcane.client.asked import moment
from arcane.client.errors import ClientError, Exit
from arcane.client.instance import Instance

OVER = ("done", "cancelled", "stopped")
_POLL_S = (0.2, 2.0)
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
    dataset: str = ""
    version: int | None = None
    split: str | None = None
    experiments: Sequence[str] = ()
    query: str = ""
    since: str = "1h"
    until: str | None = None
    limit: int = 100
    scores: Sequence[str] = ()
    mappings: Sequence[str] = ()
    budget: float | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of the project that an API key opens."""

    instance: Instance
    sleep: Callable[[float], None] = field(default=time.sleep)

    def body(self, wanted: Wanted) -> dict[str, Any]:
        """Returns what the API takes: the file's, with what the options say in place of it; raises ClientError."""
        body = {} if wanted.file is None else _read(wanted.file)
        if wanted.dataset:
            body |= {"scope": "dataset", "dataset_id": self._id("datasets", wanted.dataset)}
            body |= {"dataset_version": wanted.version, "split": wanted.split}
        elif wanted.experiments:
            body |= {"scope": "experiments"}
            body["experiment_ids"] = [self._id("experiments", one) for one in wanted.experiments]
        elif wanted.query:
            present = datetime.now(UTC)
            end = present.isoformat() if wanted.until is None else moment(wanted.until, present)
            start = moment(wanted.since, present)
            body |= {"scope": "traces"}
            body["search"] = {"query": wanted.query, "start": start, "end": end, "limit": wanted.limit}
        if wanted.scores:
            body["score_ids"] = [self._id("scores", one) for one in wanted.scores]
        if wanted.mappings:
            body["mappings"] = self._mappings(wanted.mappings)
        if wanted.budget is not None:
            body["budget_usd"] = wanted.budget
        body["name"] = wanted.name or body.get("name") or f"arcane eval run {datetime.now(UTC):%Y-%m-%d %H:%M}"
        if "scope" not in body or "score_ids" not in body:
            raise ClientError(
                "say what is judged (--dataset, --experiment, --query or --file) and --score", Exit.REFUSED
            )
        return body

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

    def _mappings(self, texts: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for text in texts:
            target, equals, source = text.partition("=")
            score, dot, variable = target.rpartition(".")
            if not (equals and dot and score and variable):
                raise ClientError(f"{text} is no mapping; write score.variable=column:answer", Exit.REFUSED)
            found.setdefault(self._id("scores", score), {})[variable] = source
        return found

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
        if not means:
            said.append(f"the evaluation has no score {one.score}")
        said += [
            f"{one.score} is {'nothing' if mean is None else format(mean, '.4g')}, not {one.way} {one.value:g}"
            for mean in means
            if not one.holds(mean)
        ]
    return said


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except OSError as exc:
        raise ClientError(f"cannot read {file}: {exc.strerror}", Exit.REFUSED) from exc
    except ValueError as exc:
        raise ClientError(f"{file} is no JSON (or TOML, by its name): {exc}", Exit.REFUSED) from exc
    if not isinstance(found, dict):
        raise ClientError(f"{file} holds no object", Exit.REFUSED)
    return found
