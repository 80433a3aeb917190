"""What an evaluation would cost, before it is started: a range, because nobody knows how long answers will be."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.conventions import Prices, Tokens
from arcane.datasets.sources import Place, read_source
from arcane.evaluations.repository.sampling import SampleRepository
from arcane.evaluations.service.pinning import Pinned
from arcane.evaluations.words import Draft, Estimate
from arcane.messaging.generation import ModelSpec
from arcane.scores.views import PinnedScore

_PER_TOKEN: Final = 4.0
"""Characters of a token: about right for English; others have fewer."""
_CALLS: Final = (1, 5)
"""Calls of a scorer for one subject: one for a judge; metrics that take answers apart ask several times."""
_AROUND: Final = (150, 900)
"""Tokens of the question around the inputs, for each call."""
_ANSWER: Final = (30, 600)
"""Tokens of an answer."""
_TRACE_TOKENS: Final = (200.0, 4_000.0)
"""Tokens of what is read of a trace: nobody reads them for an estimate."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """Estimates from a sample of the rows, and from the prices that calls are counted with."""

    prices: Prices
    sample: int

    def unpriced(self, scores: Iterable[PinnedScore]) -> tuple[str, ...]:
        """Returns the models of `scores` without a known price."""
        models = [model for score in scores for model in _models(score)]
        return tuple(dict.fromkeys(one.model for one in models if self._price(one, 1_000, 1_000) is None))

    async def estimate(self, session: AsyncSession, draft: Draft, pinned: Pinned) -> Estimate:
        """Returns what `draft` would take."""
        samples = SampleRepository(session)
        if draft.search is not None:
            subjects, found = draft.search.limit, []
        elif pinned.experiments:
            ids = [one.id for one in pinned.experiments]
            subjects, found = await samples.answers(ids), await samples.some_answers(pinned.dataset, ids, self.sample)
        elif pinned.dataset is not None:
            rows = pinned.dataset.rows(split=draft.split)
            subjects, found = await samples.rows(rows), await samples.some_rows(pinned.dataset, rows, self.sample)
        else:
            subjects, found = 0, []
        automatic = pinned.automatic(draft.mode)
        asking = [one for one in automatic if one.spec is not None and one.spec.model is not None]
        low = high = 0.0
        tokens_low = tokens_high = 0
        for score in asking:
            smallest, largest = _range(score, pinned, draft, found)
            tokens_low += int(subjects * smallest)
            tokens_high += int(subjects * largest)
            for model in _models(score)[:1]:
                low += subjects * (self._price(model, smallest, _ANSWER[0] * _CALLS[0]) or 0.0)
                high += subjects * (self._price(model, largest, _ANSWER[1] * _CALLS[1]) or 0.0)
        calls = subjects * len(asking)
        return Estimate(
            subjects=subjects,
            results=subjects * len(pinned.scores),
            calls_low=calls * _CALLS[0],
            calls_high=calls * _CALLS[1],
            input_tokens_low=tokens_low,
            input_tokens_high=tokens_high,
            cost_usd_low=low,
            cost_usd_high=high,
            unpriced=self.unpriced(automatic),
            sampled=len(found),
        )

    def _price(self, model: ModelSpec, read: float, written: float) -> float | None:
        if model.price is not None:
            return (read * model.price.input_usd + written * model.price.output_usd) / 1_000_000
        tokens = Tokens(int(read), int(written), int(read + written))
        return self.prices.price(model.model, model.provider.value, tokens, time.time_ns())


def _models(score: PinnedScore) -> list[ModelSpec]:
    spec = score.spec
    return [] if spec is None else [one for one in (spec.model, spec.embedding) if one is not None]


def _range(score: PinnedScore, pinned: Pinned, draft: Draft, found: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Returns the fewest and most tokens that one subject's judge reads."""
    read = _TRACE_TOKENS
    if draft.search is None:
        sources = [read_source(one, draft.scope, pinned.columns) for one in pinned.mappings[score.id].values()]
        sizes = [
            sum(_size(values.get(source.name)) for source in sources if source.place is not Place.TEXT)
            for values in found
        ]
        mean = fmean(sizes) / _PER_TOKEN if sizes else 0.0
        read = (mean, mean * 1.3)
    return (read[0] + _AROUND[0]) * _CALLS[0], (read[1] + _AROUND[1]) * _CALLS[1]


def _size(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str) else len(msgspec.json.encode(value))
