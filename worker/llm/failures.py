"""What went wrong, told from what pydantic-ai and its SDKs raise."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
from pydantic_ai import exceptions as raised

from arcane.messaging.generation import ModelSpec, Provider
from worker.llm.errors import Cause, ModelError
from worker.llm.http import AddressRefused, AnswerTooLarge

_DETAIL_MAX = 500
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}")
_KEY_LIKE = re.compile(r"\b(sk|pk|rk|key|AKIA|ASIA|AIza|ya29)[-_A-Za-z0-9*.]{8,}")
_NAMES = {
    Provider.OPENAI: "OpenAI",
    Provider.AZURE: "Azure OpenAI",
    Provider.ANTHROPIC: "Anthropic",
    Provider.BEDROCK: "Amazon Bedrock",
    Provider.VERTEX: "Google Vertex AI",
    Provider.AI_STUDIO: "Google AI Studio",
    Provider.OLLAMA: "Ollama",
    Provider.COMPATIBLE: "The model's server",
}
_SENTENCES = {
    Cause.AUTHENTICATION: "%(who)s does not take the key of this model configuration.",
    Cause.QUOTA: "%(who)s says that the account's quota or credit is used up.",
    Cause.RATE_LIMIT: "%(who)s takes no more calls with this key at the moment.",
    Cause.NOT_FOUND: "%(who)s does not know the model %(model)s, or there is nothing at that address.",
    Cause.TOO_LONG: "The prompt is longer than the model %(model)s can read.",
    Cause.REJECTED: "%(who)s does not take the request as it is.",
    Cause.FILTERED: "%(who)s did not answer: its content filter stepped in.",
    Cause.UNAVAILABLE: "%(who)s is overloaded or out of order.",
    Cause.CONNECTION: "%(who)s could not be reached, or the connection was lost.",
    Cause.TIMEOUT: "%(who)s did not answer in time.",
    Cause.UNREADABLE: "%(who)s gave an answer that cannot be read.",
    Cause.SETTINGS: "The model %(model)s cannot be called like this.",
}
_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    (raised.ContentFilterError, Cause.FILTERED),
    (raised.ModelAuthenticationError, Cause.AUTHENTICATION),
    (raised.ModelQuotaExceededError, Cause.QUOTA),
    (raised.ModelRateLimitError, Cause.RATE_LIMIT),
    (raised.ModelNotFoundError, Cause.NOT_FOUND),
    (raised.ModelContextWindowExceededError, Cause.TOO_LONG),
    (raised.ModelRequestRejectedError, Cause.REJECTED),
    (raised.ModelUnavailableError, Cause.UNAVAILABLE),
    (raised.ModelServerError, Cause.UNAVAILABLE),
    (raised.ModelTimeoutError, Cause.TIMEOUT),
    (raised.ModelRequestTimeout, Cause.TIMEOUT),
    (raised.ModelConnectionError, Cause.CONNECTION),
    (raised.UserError, Cause.SETTINGS),
    (httpx2.TimeoutException, Cause.TIMEOUT),
    (httpx2.TransportError, Cause.CONNECTION),
    (httpx2.InvalidURL, Cause.SETTINGS),
)


def model_error(exc: Exception, spec: ModelSpec) -> ModelError:
    """Returns the ModelError that `exc` is."""
    for inner in _chain(exc):
        if isinstance(inner, ModelError):
            return inner
        if isinstance(inner, AddressRefused):
            return ModelError(Cause.ADDRESS, f"The model's address cannot be called: {inner}.")
        if isinstance(inner, AnswerTooLarge):
            return ModelError(Cause.REJECTED, "The model's answer is larger than this instance takes.")
    cause = _cause(exc)
    status = getattr(exc, "status_code", None)
    code = getattr(exc, "provider_error_code", None) or getattr(exc, "provider_error_type", None)
    facts = [f"status {status}"] if status else []
    facts += [str(code)] if isinstance(code, str) and _CODE.fullmatch(code) else []
    sentence = _SENTENCES[cause] % {"who": _NAMES[spec.provider], "model": repr(spec.model)}
    message = f"{sentence[:-1]} ({', '.join(facts)})." if facts else sentence
    return ModelError(cause, message, detail=_detail(exc), retry_after_s=getattr(exc, "retry_after", None))


def _cause(exc: Exception) -> Cause:
    for kind, cause in _CAUSES:
        if isinstance(exc, kind):
            return cause
    status = getattr(exc, "status_code", None)
    if isinstance(status, int):
        if status in (408, 409, 425) or status >= 500:
            return Cause.UNAVAILABLE
        return Cause.RATE_LIMIT if status == 429 else Cause.REJECTED
    return Cause.UNREADABLE


def _detail(exc: Exception) -> str:
    """Returns the provider's own words, shortened, without what looks like a key."""
    body = getattr(exc, "body", None)
    found = body
    if isinstance(body, dict):
        inner = body.get("error", body)
        found = inner.get("message") if isinstance(inner, dict) else inner
    text = found if isinstance(found, str) else ""
    return _KEY_LIKE.sub("…", text)[:_DETAIL_MAX]


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or exc.__context__
