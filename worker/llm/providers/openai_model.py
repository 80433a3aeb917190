"""OpenAI's chat model without reading an answer twice: the lean client has validated it (`openai_chat`)."""

from __future__ import annotations

from functools import cached_property

from openai.types.chat import ChatCompletion
from openai.types.completion_usage import CompletionUsage
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.openai._chat_completions import LenientChatCompletion
from pydantic_ai.usage import RequestUsage

_COUNTS = CompletionUsage.model_validate(
    {
        "prompt_tokens": 1009,
        "completion_tokens": 503,
        "total_tokens": 1512,
        "prompt_tokens_details": {"cached_tokens": 101, "audio_tokens": 11},
        "completion_tokens_details": {
            "reasoning_tokens": 53,
            "audio_tokens": 7,
            "accepted_prediction_tokens": 5,
            "rejected_prediction_tokens": 3,
        },
    }
)
_PROBE = ChatCompletion(id="probe", object="chat.completion", created=1, model="probe", choices=[], usage=_COUNTS)


class LeanChatModel(OpenAIChatModel):
    """Makes of an answer what the library does, for less; of its counts, those that `worker.llm.calling` keeps."""

    def _validate_completion(self, response: ChatCompletion) -> LenientChatCompletion:
        if type(response) is LenientChatCompletion:
            return response
        return super()._validate_completion(response)

    def _map_usage(self, response: ChatCompletion) -> RequestUsage:
        used = response.usage
        if used is None or not _as_declared(used) or not self._counts_plainly:
            return super()._map_usage(response)
        return _plain(used)

    @cached_property
    def _counts_plainly(self) -> bool:
        """True when the library, asked about a made-up answer, takes the counts as they stand: providers differ."""
        return _kept(super()._map_usage(_PROBE)) == _kept(_plain(_COUNTS))


def _as_declared(used: CompletionUsage) -> bool:
    """Returns True when there is nothing in `used` but what OpenAI declares: others' counts have names of their own."""
    parts = (used, used.prompt_tokens_details, used.completion_tokens_details)
    return not any(part is not None and part.model_extra for part in parts)


def _plain(used: CompletionUsage) -> RequestUsage:
    details = used.prompt_tokens_details
    return RequestUsage(
        input_tokens=used.prompt_tokens,
        output_tokens=used.completion_tokens,
        cache_read_tokens=(details.cached_tokens or 0) if details is not None else 0,
    )


def _kept(usage: RequestUsage) -> tuple[int, int, int]:
    return usage.input_tokens, usage.output_tokens, usage.cache_read_tokens
