"""A model that says what a golden case lets it say, and embeddings out of a table. No network, no chance.

Replies are kept by the title of the schema that is asked for, first come, first served: so what several questions at
once are answered with does not depend on which of them is put first.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from arcane.messaging.generation import ChatMessage, Generated, Usage
from worker.llm.asking import Embedded

COST_USD = 0.001


class ScriptedModels:
    """Implements `worker.scoring.toolbox.ModelCalls`. `asked` holds the messages of every call."""

    def __init__(
        self, replies: Mapping[str, Sequence[Any]] | None = None, vectors: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        self._replies = {title: deque(said) for title, said in (replies or {}).items()}
        self._vectors = vectors or {}
        self.asked: list[tuple[ChatMessage, ...]] = []

    @property
    def unsaid(self) -> int:
        """How many replies nobody asked for."""
        return sum(map(len, self._replies.values()))

    async def generate(self, messages: Sequence[ChatMessage]) -> Generated:
        return self._generated(messages, "")

    async def structured(self, messages: Sequence[ChatMessage], schema: Mapping[str, Any]) -> Generated:
        return self._generated(messages, schema.get("title", ""))

    async def embed(self, texts: Sequence[str]) -> Embedded:
        vectors = tuple(tuple(map(float, self._vectors[text])) for text in texts)
        return Embedded(vectors=vectors, usage=Usage(calls=1, cost_usd=COST_USD))

    def _generated(self, messages: Sequence[ChatMessage], title: str) -> Generated:
        self.asked.append(tuple(messages))
        said = self._replies[title].popleft()
        usage = Usage(input_tokens=10, output_tokens=5, calls=1, cost_usd=COST_USD)
        return Generated(text=json.dumps(said), structured=said, usage=usage)
