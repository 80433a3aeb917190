"""One attempt at a call through pydantic-ai: our words in, our words out. Loaded with the first call.

Everything that pydantic-ai, an SDK or the transport raises becomes a ModelError here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx2
from pydantic_ai import exceptions as raised
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from arcane.messaging.generation import ChatMessage, Generated, ModelSpec, Role, ToolCall, Usage
from worker.llm.asking import Ask, Embedded
from worker.llm.connection import Connection
from worker.llm.errors import Cause, ModelError
from worker.llm.failures import model_error
from worker.llm.parameters import name_of, settings_of
from worker.llm.prices import cost_usd
from worker.llm.structured import checked_schema, read

_ANSWER_TOOL = "answer"
_NAMED_CHOICES = ("auto", "none", "required")
_TOKENS_MAX = 10**12
"""Of one call: what a server says beyond that is not so, and no column could add it up."""


async def generate(connection: Connection, spec: ModelSpec, ask: Ask) -> Generated:
    """Returns the answer. Raises ModelError."""
    with failures_of(spec):
        model = connection.chat()
        settings, ignored = _settings(model, spec, ask)
        response = await model_request(
            model,
            _messages(ask.messages),
            model_settings=settings,
            model_request_parameters=_request_parameters(connection, model, ask),
        )
        return _generated(response, spec, ask, ignored)


async def stream(connection: Connection, spec: ModelSpec, ask: Ask) -> AsyncIterator[str | Generated]:
    """Yields the text as it comes, and the whole answer at the end. Raises ModelError."""
    with failures_of(spec):
        model = connection.chat()
        settings, ignored = _settings(model, spec, ask)
        parameters = _request_parameters(connection, model, ask)
        streamed = model_request_stream(
            model, _messages(ask.messages), model_settings=settings, model_request_parameters=parameters
        )
        async with streamed as response:
            async for event in response:
                text = _text_of(event)
                if text:
                    yield text
            whole = response.get()
        yield _generated(whole, spec, ask, ignored)


async def embed(connection: Connection, spec: ModelSpec, texts: Sequence[str]) -> Embedded:
    """Returns a vector for each text. Raises ModelError."""
    if connection.vectors is None:
        raise ModelError(Cause.SETTINGS, "This provider has no embeddings; choose a model of another one.")
    with failures_of(spec):
        result = await connection.vectors().embed(list(texts), input_type="document")
    tokens = _tokens(result.usage.input_tokens)
    if len(result.embeddings) != len(texts):
        raise ModelError(Cause.UNREADABLE, "The model gave another number of vectors than there were texts.")
    usage = Usage(input_tokens=tokens, cost_usd=cost_usd(spec, input_tokens=tokens, output_tokens=0), calls=1)
    vectors = tuple(tuple(vector) for vector in result.embeddings)
    return Embedded(vectors=vectors, model=result.model_name or spec.model, usage=usage)


@contextmanager
def failures_of(spec: ModelSpec) -> Iterator[None]:
    """Whatever is raised inside leaves as a ModelError."""
    try:
        yield
    except (raised.AgentRunError, raised.UserError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as exc:
        raise model_error(exc, spec) from exc


def _settings(model: Model[Any], spec: ModelSpec, ask: Ask) -> tuple[ModelSettings, tuple[str, ...]]:
    """Returns what goes out, and the names of the parameters that this provider does not have."""
    settings = settings_of({**spec.parameters, **ask.parameters})
    unknown = model.unsupported_settings & settings.keys()
    for setting in unknown:
        del settings[setting]
    if ask.tools and ask.schema is None:
        settings["tool_choice"] = _tool_choice(ask)
    return cast("ModelSettings", settings), tuple(sorted(name_of(setting) for setting in unknown))


def _tool_choice(ask: Ask) -> Any:
    if ask.tool_choice in _NAMED_CHOICES:
        return ask.tool_choice
    if ask.tool_choice not in {tool.name for tool in ask.tools}:
        raise ModelError(Cause.SETTINGS, f"The model has to call {ask.tool_choice[:100]!r}, which is not a tool of it.")
    return [ask.tool_choice]


def _request_parameters(connection: Connection, model: Model[Any], ask: Ask) -> ModelRequestParameters:
    tools = [
        ToolDefinition(
            name=tool.name,
            description=tool.description or None,
            parameters_json_schema=dict(tool.parameters) or {"type": "object", "properties": {}},
        )
        for tool in ask.tools
    ]
    if ask.schema is None:
        return ModelRequestParameters(function_tools=tools)
    schema = checked_schema(ask.schema)
    mode = connection.structured or ("native" if model.profile.get("supports_json_schema_output") else "tool")
    if mode == "native":
        wanted = OutputObjectDefinition(json_schema=schema, name=_ANSWER_TOOL)
        return ModelRequestParameters(
            function_tools=tools, output_mode="native", output_object=wanted, allow_text_output=True
        )
    answer = ToolDefinition(
        name=_ANSWER_TOOL,
        description="Gives the answer.",
        parameters_json_schema=schema,
        kind="output",
    )
    return ModelRequestParameters(
        function_tools=tools, output_mode="tool", output_tools=[answer], allow_text_output=False
    )


def _messages(messages: Sequence[ChatMessage]) -> list[ModelMessage]:
    """Returns the messages as pydantic-ai has them: what follows each other on one side is one message."""
    if not messages:
        raise ModelError(Cause.SETTINGS, "There is nothing to say to the model: the prompt has no messages.")
    made: list[ModelMessage] = []
    for message in messages:
        part = _part(message)
        if part is None:
            made.append(_response(message))
        elif made and isinstance(made[-1], ModelRequest):
            made[-1] = ModelRequest(parts=[*made[-1].parts, part])
        else:
            made.append(ModelRequest(parts=[part]))
    return made


def _part(message: ChatMessage) -> SystemPromptPart | UserPromptPart | ToolReturnPart | None:
    match message.role:
        case Role.SYSTEM:
            return SystemPromptPart(content=message.text)
        case Role.USER:
            return UserPromptPart(content=message.text)
        case Role.TOOL:
            return ToolReturnPart(
                tool_name=message.tool_name or "tool", content=message.text, tool_call_id=message.tool_call_id
            )
        case Role.ASSISTANT:
            return None


def _response(message: ChatMessage) -> ModelResponse:
    calls = [
        ToolCallPart(tool_name=call.name, args=call.arguments, tool_call_id=call.id) for call in message.tool_calls
    ]
    text = [TextPart(content=message.text)] if message.text or not calls else []
    return ModelResponse(parts=[*text, *calls])


def _text_of(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


def _generated(response: ModelResponse, spec: ModelSpec, ask: Ask, ignored: tuple[str, ...]) -> Generated:
    usage = _usage(response, spec)
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    answers = [part.args_as_json_str() for part in calls if part.tool_name == _ANSWER_TOOL]
    text = answers[0] if answers else "".join(part.content for part in response.parts if isinstance(part, TextPart))
    wants_json = ask.schema is not None and (text or len(answers) == len(calls))
    try:
        structured = read(text, ask.schema) if wants_json and ask.schema is not None else None
    except ModelError as exc:
        exc.usage = usage
        raise
    return Generated(
        text=text,
        structured=structured,
        tool_calls=tuple(
            ToolCall(id=part.tool_call_id, name=part.tool_name, arguments=part.args_as_json_str())
            for part in calls
            if part.tool_name != _ANSWER_TOOL
        ),
        finish_reason=response.finish_reason or "",
        model=response.model_name or spec.model,
        usage=usage,
        ignored=ignored,
    )


def _usage(response: ModelResponse, spec: ModelSpec) -> Usage:
    used = response.usage
    input_tokens, output_tokens = _tokens(used.input_tokens), _tokens(used.output_tokens)
    cached_tokens = _tokens(used.cache_read_tokens)
    cost = cost_usd(spec, input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        cost_usd=cost,
        calls=1,
    )


def _tokens(said: int) -> int:
    return min(max(0, said), _TOKENS_MAX)
