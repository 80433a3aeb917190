"""Which scorers this worker has: every module of `worker.scorers` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import worker.scorers
from arcane.messaging.scoring import ScorerDescription
from worker.scoring.errors import UnknownScorer
from worker.scoring.scorer import AnyScorer


@dataclass(frozen=True, slots=True)
class Registry:
    """The scorers by key."""

    scorers: Mapping[str, AnyScorer]

    @classmethod
    def load(cls) -> Registry:
        """Returns all scorers there are; raises ValueError when two have the same key."""
        found: dict[str, AnyScorer] = {}
        for name, scorer in modules():
            key = scorer.description.key
            if key in found:
                raise ValueError(f"{name}: there is another scorer with the key {key}")
            found[key] = scorer
        return cls(found)

    def find(self, key: str) -> AnyScorer:
        """Returns the scorer with `key`; raises UnknownScorer."""
        scorer = self.scorers.get(key)
        if scorer is None:
            raise UnknownScorer("this worker has no such scorer: is it of another release than the backend?")
        return scorer

    def announced(self) -> tuple[ScorerDescription, ...]:
        """Returns what the backend is told, by group and name."""
        told = (scorer.announced() for scorer in self.scorers.values())
        return tuple(sorted(told, key=lambda one: (one.group, one.name)))


def modules() -> Iterator[tuple[str, AnyScorer]]:
    """Yields the modules of `worker.scorers`, as `ragas/faithfulness`, and their scorers."""
    prefix = f"{worker.scorers.__name__}."
    for module in pkgutil.walk_packages(worker.scorers.__path__, prefix):
        if not module.ispkg:
            name = module.name.removeprefix(prefix).replace(".", "/")
            scorer: AnyScorer = importlib.import_module(module.name).SCORER
            yield name, scorer
