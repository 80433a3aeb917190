"""The models of one score as its scorer sees them: bound to the spec, the caller and the deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arcane.messaging.generation import ChatMessage, Generated, ModelSpec, Usage
from arcane.messaging.scoring import ScorerSpec
from worker.llm.asking import Ask, Caller, Embedded
from worker.llm.errors import Cause, ModelError
from worker.llm.models import Models
from worker.scoring.errors import ModelNeeded


@dataclass(slots=True)
class BoundModels:
    """Implements `worker.scoring.toolbox.ModelCalls` with the worker's models. Raises ModelError.

    `usage` is what was asked so far, whatever comes of the scoring.
    """

    models: Models
    caller: Caller
    spec: ScorerSpec
    usage: Usage = field(default_factory=Usage)

    async def generate(self, messages: Sequence[ChatMessage]) -> Generated:
        """Returns the model's answer as text."""
        generated = await self.models.generate(self.caller, self._model(), Ask(messages=messages))
        self.usage += generated.usage
        return generated

    async def structured(self, messages: Sequence[ChatMessage], schema: Mapping[str, Any]) -> Generated:
        """Returns the model's answer as JSON; what cannot be read is None, for whoever asks to ask again."""
        try:
            generated = await self.models.structured(self.caller, self._model(), messages, schema)
        except ModelError as exc:
            if exc.cause is not Cause.UNREADABLE:
                raise
            generated = Generated(text="", usage=exc.usage)
        self.usage += generated.usage
        return generated

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Returns the vectors of `texts`."""
        if self.spec.embedding is None:
            raise ModelNeeded("the score names no embedding model")
        embedded = await self.models.embed(self.caller, self.spec.embedding, texts)
        self.usage += embedded.usage
        return embedded

    def _model(self) -> ModelSpec:
        if self.spec.model is None:
            raise ModelNeeded("the score names no model to ask")
        return self.spec.model
