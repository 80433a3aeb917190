"""Writes into the golden cases of the RAGAS metrics what ragas 0.4.3 makes of them. Run by hand; no part of the tests.

ragas is 600 MB with what it needs and does not import beside today's langchain, so it has an environment of its own:

    uv venv /tmp/ragas
    VIRTUAL_ENV=/tmp/ragas uv pip install ragas==0.4.3 'langchain<1' 'langchain-core<1' 'langchain-community<0.4' \
        'langchain-openai<1' rapidfuzz sacrebleu rouge-score
    /tmp/ragas/bin/python tests/support/ragas_golden.py

It imports nothing of ours. The replies of a case are in the form that our scorers ask for; `REPLIES` says what the same
answer looks like in ragas's form. A value that ragas does not have is kept as "nan", an error as its name.
"""

from __future__ import annotations

import asyncio
import json
import math
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ragas.dataset_schema import SingleTurnSample
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from ragas.metrics import DistanceMeasure as OldDistance
from ragas.metrics import IDBasedContextRecall, NonLLMContextRecall
from ragas.metrics import NonLLMStringSimilarity as OldStringSimilarity
from ragas.metrics import collections as metrics

FOLDER = Path(__file__).parents[1] / "data" / "scorers" / "ragas"
Said = Mapping[str, Any]


def _statements(said: Said) -> dict[str, Any]:
    return {
        "statements": [
            {"statement": f"statement {place}", "reason": one["reason"], "verdict": int(one["supported"])}
            for place, one in enumerate(said["verdicts"])
        ]
    }


def _classified(said: Said) -> dict[str, Any]:
    return {
        "classifications": [
            {"statement": one["sentence"], "reason": one["reason"], "attributed": int(one["attributed"])}
            for one in said["sentences"]
        ]
    }


def _same(said: Said) -> dict[str, Any]:
    return dict(said)


REPLIES: dict[str, tuple[str, Callable[[Said], dict[str, Any]]]] = {
    "ContextPrecisionOutput": ("Usefulness", lambda s: {"reason": s["reason"], "verdict": int(s["useful"])}),
    "ContextRecallOutput": ("Sentences", _classified),
    "EntitiesList": ("Entities", _same),
    "StatementGeneratorOutput": ("Statements", _same),
    "StatementFaithfulnessOutput": ("Checks", _statements),
    "NLIStatementOutput": ("Checks", _statements),
    "ClaimDecompositionOutput": ("Claims", _same),
    "AnswerRelevanceOutput": ("MadeUp", lambda s: {"question": s["question"], "noncommittal": int(s["noncommittal"])}),
    "AnswerAccuracyOutput": ("Rating", _same),
    "ContextRelevanceOutput": ("Rating", _same),
    "ResponseGroundednessOutput": ("Rating", _same),
    "TopicExtractionOutput": ("Topics", _same),
    "TopicRefusedOutput": ("Refusal", lambda s: {"refused_to_answer": s["refused"]}),
    "TopicClassificationOutput": ("Allowed", lambda s: {"classifications": s["allowed"]}),
    "WorkflowOutput": ("Workflow", _same),
    "CompareOutcomeOutput": ("Comparison", lambda s: {"reason": s["reason"], "verdict": str(int(s["same"]))}),
}
"""ragas's name of an answer -> our title of it, and how ours is written in ragas's form."""


class ScriptedLLM(InstructorBaseRagasLLM):
    """Says what the case lets it say."""

    def __init__(self, replies: Mapping[str, list[Said]]) -> None:
        self.replies = {title: deque(said) for title, said in replies.items()}

    def generate(self, prompt: str, response_model: Any) -> Any:
        title, translated = REPLIES[response_model.__name__]
        return response_model.model_validate(translated(self.replies[title].popleft()))

    async def agenerate(self, prompt: str, response_model: Any) -> Any:
        return self.generate(prompt, response_model)


class ScriptedEmbeddings(BaseRagasEmbedding):
    """Vectors out of a table."""

    def __init__(self, vectors: Mapping[str, list[float]]) -> None:
        super().__init__()
        self.vectors = vectors

    def embed_text(self, text: str, **_: Any) -> list[float]:
        return self.vectors[text]

    async def aembed_text(self, text: str, **_: Any) -> list[float]:
        return self.vectors[text]


def _renamed(**names: str) -> Callable[[Said], dict[str, Any]]:
    return lambda settings: {names.get(name, name): value for name, value in settings.items()}


LLM: dict[str, tuple[Any, Callable[[Said], dict[str, Any]]]] = {
    "context_precision": (metrics.ContextPrecision, _same),
    "context_utilisation": (metrics.ContextUtilization, _same),
    "context_recall": (metrics.ContextRecall, _same),
    "context_entity_recall": (metrics.ContextEntityRecall, _same),
    "noise_sensitivity": (metrics.NoiseSensitivity, _renamed(noise="mode")),
    "faithfulness": (metrics.Faithfulness, _same),
    "answer_accuracy": (metrics.AnswerAccuracy, _same),
    "context_relevance": (metrics.ContextRelevance, _same),
    "response_groundedness": (metrics.ResponseGroundedness, _same),
    "topic_adherence": (metrics.TopicAdherence, _renamed(measure="mode")),
    "agent_goal_accuracy": (metrics.AgentGoalAccuracyWithReference, _same),
    "factual_correctness": (metrics.FactualCorrectness, _renamed(measure="mode")),
}
PLAIN = {
    "tool_call_accuracy": metrics.ToolCallAccuracy,
    "tool_call_f1": metrics.ToolCallF1,
    "bleu_score": metrics.BleuScore,
    "chrf_score": metrics.CHRFScore,
    "rouge_score": metrics.RougeScore,
    "string_presence": metrics.StringPresence,
    "exact_match": metrics.ExactMatch,
}


async def value(name: str, case: Said) -> float:
    """Returns what ragas makes of a case."""
    inputs, settings = _inputs(case["inputs"]), case.get("settings", {})
    if name in LLM:
        kind, renamed = LLM[name]
        return float((await kind(llm=ScriptedLLM(case.get("replies", {})), **renamed(settings)).ascore(**inputs)).value)
    if name == "answer_relevancy":
        llm, embeddings = ScriptedLLM(case["replies"]), ScriptedEmbeddings(case["vectors"])
        metric = metrics.AnswerRelevancy(llm=llm, embeddings=embeddings, **settings)
        return float((await metric.ascore(**inputs)).value)
    if name == "non_llm_context_recall":
        old = NonLLMContextRecall(threshold=settings.get("threshold", 0.5))
        distance = OldDistance(settings.get("distance", "levenshtein"))
        old._distance_measure = OldStringSimilarity(distance_measure=distance)
        return float(await old.single_turn_ascore(SingleTurnSample(**inputs)))
    if name == "id_based_context_recall":
        return float(await IDBasedContextRecall().single_turn_ascore(SingleTurnSample(**inputs)))
    if name == "string_similarity":
        distance_ = metrics.DistanceMeasure(settings.get("distance", "levenshtein"))
        return float((await metrics.NonLLMStringSimilarity(distance_measure=distance_).ascore(**inputs)).value)
    return float((await PLAIN[name](**settings).ascore(**inputs)).value)


def _inputs(inputs: Said) -> dict[str, Any]:
    made = dict(inputs)
    if isinstance(made.get("user_input"), list):
        made["user_input"] = [_message(one) for one in made["user_input"]]
    if "reference_tool_calls" in made:
        made["reference_tool_calls"] = [ToolCall(**one) for one in made["reference_tool_calls"]]
    return made


def _message(one: Said) -> Any:
    if one["type"] == "human":
        return HumanMessage(content=one["content"])
    if one["type"] == "tool":
        return ToolMessage(content=one["content"])
    return AIMessage(content=one["content"], tool_calls=[ToolCall(**call) for call in one["tool_calls"]])


def told(name: str, case: Said) -> float | str:
    """Returns the value, "nan", or the name of the error."""
    try:
        found = asyncio.run(value(name, case))
    except Exception as exc:  # noqa: BLE001 - whatever ragas does is what is written down
        return type(exc).__name__
    return "nan" if math.isnan(found) else found


def main() -> None:
    """Every case of a RAGAS metric says what ragas makes of it."""
    warnings.simplefilter("ignore")
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text())
        for case in document["cases"]:
            case["ragas"] = told(path.stem, case)
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
