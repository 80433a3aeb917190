"""`arcane eval run --file eval.yaml`: an evaluation as people write it down, with names in place of ids.

A file whose top level has `scope` is what the API takes, as it is.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from arcane.client.errors import ClientError, Exit
from arcane.client.evaluating import Threshold, Wanted


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScoreLine(_Told):
    """A score of a file: its name or id, where its variables come from, and the mean that it has to reach."""

    name: str
    map: dict[str, str] = {}
    at_least: float | None = None
    at_most: float | None = None


class EvaluationFile(_Told):
    """An evaluation: exactly one of `dataset`, `experiments` and `query` says what is judged."""

    name: str = ""
    description: str = ""
    dataset: str = ""
    version: int | None = Field(None, ge=1)
    split: str | None = None
    experiments: list[str] = []
    query: str = ""
    since: str = ""
    until: str | None = None
    limit: int | None = Field(None, ge=1)
    scores: list[ScoreLine | str] = Field(min_length=1)
    budget_usd: float | None = Field(None, gt=0)
    metadata: dict[str, str | int | float | bool] = {}

    @model_validator(mode="after")
    def _one_thing_is_judged(self) -> EvaluationFile:
        if sum(bool(one) for one in (self.dataset, self.experiments, self.query)) > 1:
            raise ValueError("say one of dataset, experiments and query")
        return self

    @property
    def lines(self) -> list[ScoreLine]:
        """The scores, those that are only named among them."""
        return [ScoreLine(name=one) if isinstance(one, str) else one for one in self.scores]

    @property
    def mappings(self) -> dict[str, dict[str, str]]:
        """Score -> variable -> source, of the scores that say it."""
        return {one.name: one.map for one in self.lines if one.map}

    @property
    def thresholds(self) -> list[Threshold]:
        """The means that have to be reached."""
        least = [Threshold(one.name, ">=", one.at_least) for one in self.lines if one.at_least is not None]
        return least + [Threshold(one.name, "<=", one.at_most) for one in self.lines if one.at_most is not None]

    def under(self, wanted: Wanted) -> Wanted:
        """Returns what is wanted: the options of a command line, and what the file says where they are silent."""
        judged = {} if wanted.names_what_is_judged else self.model_dump(include={"dataset", "experiments", "query"})
        return replace(
            wanted,
            **judged,
            name=wanted.name or self.name,
            description=self.description,
            version=wanted.version or self.version,
            split=wanted.split or self.split,
            since=wanted.since or self.since,
            until=wanted.until or self.until,
            limit=wanted.limit or self.limit,
            scores=wanted.scores or [one.name for one in self.lines],
            mappings=wanted.mappings or self.mappings,
            budget=wanted.budget or self.budget_usd,
            metadata=self.metadata,
        )


def read(file: Path) -> EvaluationFile | dict[str, Any]:
    """Returns what the file says: an evaluation, or the body for the API. Raises ClientError, in one line."""
    found = _parsed(file)
    if not isinstance(found, dict):
        raise ClientError(f"{file} holds no evaluation: its top level has no names", Exit.REFUSED)
    if "scope" in found:
        return found
    try:
        return EvaluationFile.model_validate(found)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("ScoreLine", "str"))
        said = first["msg"].removeprefix("Value error, ")
        more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
        raise ClientError(f"{file}: {where + ': ' if where else ''}{said}{more}", Exit.REFUSED) from exc


def _parsed(file: Path) -> Any:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8"
        raise ClientError(f"cannot read {file}: {reason}", Exit.REFUSED) from exc
    try:
        if file.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ClientError(f"{file}: {_place(exc)}", Exit.REFUSED) from exc
    except ValueError as exc:
        raise ClientError(f"{file}: {exc}", Exit.REFUSED) from exc


def _place(exc: yaml.YAMLError) -> str:
    """Returns in one line what is wrong with a YAML file, and where."""
    if not isinstance(exc, yaml.MarkedYAMLError) or exc.problem_mark is None:
        return "this is no YAML"
    return f"line {exc.problem_mark.line + 1}, column {exc.problem_mark.column + 1}: {exc.problem}"
