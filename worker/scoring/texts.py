"""How like one another two texts are, by the measures that several scorers share: 1 is the same, 0 nothing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.scoring.lazily import aside, library


class Distance(StrEnum):
    """What counts as an edit."""

    LEVENSHTEIN = "levenshtein"
    HAMMING = "hamming"
    JARO = "jaro"
    JARO_WINKLER = "jaro_winkler"


class Rouge(StrEnum):
    """What two texts have in common: words, pairs of words, or the longest sequence of words."""

    ROUGE_1 = "rouge1"
    ROUGE_2 = "rouge2"
    ROUGE_L = "rougeL"


@dataclass(frozen=True, slots=True)
class Overlap:
    """What part of the answer is in the reference (precision), and the other way round (recall)."""

    precision: float
    recall: float

    @property
    def fmeasure(self) -> float:
        """Their harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


_DISTANCES = {
    Distance.LEVENSHTEIN: "Levenshtein",
    Distance.HAMMING: "Hamming",
    Distance.JARO: "Jaro",
    Distance.JARO_WINKLER: "JaroWinkler",
}


async def likeness(one: str, other: str, distance: Distance) -> float:
    """Returns 1 less the normalised distance. The same whichever text comes first, but for Jaro-Winkler's rounding."""
    measure = getattr(await library("rapidfuzz.distance"), _DISTANCES[distance])
    return float(await aside(len(one) + len(other), lambda: 1.0 - measure.normalized_distance(one, other)))


async def bleu(response: str, reference: str, *, lowercase: bool = False) -> float:
    """Returns BLEU of two texts, each taken as one segment, with sacrebleu's usual tokens and smoothing."""
    sacrebleu: Any = await library("sacrebleu")
    work = lambda: sacrebleu.corpus_bleu([response], [[reference]], lowercase=lowercase).score  # noqa: E731
    return min(1.0, max(0.0, float(await aside(len(response) + len(reference), work)) / 100))


async def chrf(response: str, reference: str, *, word_order: int = 0) -> float:
    """Returns chrF of two texts; with `word_order` 2 that is chrF++."""
    if not response.strip() or not reference.strip():
        return 0.0
    sacrebleu: Any = await library("sacrebleu")
    work = lambda: sacrebleu.corpus_chrf([response], [[reference]], word_order=word_order).score  # noqa: E731
    return min(1.0, max(0.0, float(await aside(len(response) + len(reference), work)) / 100))


async def rouge(response: str, reference: str, kind: Rouge, *, stems: bool = True) -> Overlap:
    """Returns ROUGE over words as rouge-score finds them; the longest sequence is rapidfuzz's, which is fast."""
    tokenizers: Any = await library("rouge_score.tokenizers")
    sequences: Any = await library("rapidfuzz.distance.LCSseq")
    tokenizer = tokenizers.DefaultTokenizer(use_stemmer=stems)

    def work() -> Overlap:
        found, wanted = tokenizer.tokenize(response), tokenizer.tokenize(reference)
        if kind is Rouge.ROUGE_L:
            return _overlap(sequences.similarity(found, wanted), len(found), len(wanted))
        size = 1 if kind is Rouge.ROUGE_1 else 2
        ours, theirs = _grams(found, size), _grams(wanted, size)
        return _overlap((ours & theirs).total(), ours.total(), theirs.total())

    return await aside(len(response) + len(reference), work)


def _grams(words: Sequence[str], size: int) -> Counter[Hashable]:
    return Counter(tuple(words[place : place + size]) for place in range(len(words) - size + 1))


def _overlap(common: int, found: int, wanted: int) -> Overlap:
    return Overlap(common / found if found else 0.0, common / wanted if wanted else 0.0)
