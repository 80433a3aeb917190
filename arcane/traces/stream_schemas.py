"""What a streamed answer takes and says, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue

from arcane.federation.events import Ending
from arcane.federation.question import StreamOrder
from arcane.traces.schemas import HitOut, Out, SearchIn, SourceOut, Timestamp

DatasourceId = Annotated[str, Field(examples=["0198b2c4-2f5e-7c3a-9d51-2f1b1f0a7c11"])]


class StreamIn(SearchIn):
    """A search whose answer leaves while it is made."""

    limit: Annotated[
        int | None,
        Field(ge=1, description="Most traces; null goes on to the end of the range.", examples=[50]),
    ] = None
    order: Annotated[
        StreamOrder,
        Field(description="`arrival`: rows leave when their datasource gives them. `newest`: newest first over all."),
    ] = StreamOrder.ARRIVAL


class AskedSourceOut(Out):
    """A datasource that is asked."""

    datasource_id: DatasourceId
    name: str
    kind: str


class BeginOut(Out):
    """The first event: who is asked, and for which range."""

    event: Literal["begin"]
    start: Timestamp
    end: Timestamp
    sources: list[AskedSourceOut]


class HitEventOut(Out):
    """A trace that matches. Descending by `at`, then by trace id, is the order newest first."""

    event: Literal["hit"]
    hit: HitOut
    at: Annotated[Timestamp, Field(description="Where it stands: the start of its newest part.")]
    again: Annotated[
        bool, Field(description="True when this takes the place of what was said of the same trace before.")
    ]


class ProgressOut(Out):
    """A datasource has answered once more; its numbers so far. May be left out when the reader is slow."""

    event: Literal["progress"]
    datasource_id: DatasourceId
    rows: int
    looked_at: int
    elapsed_ms: float


class SettledOut(Out):
    """A datasource has said everything it is going to say."""

    event: Literal["source"]
    source: SourceOut


class EndOut(Out):
    """The last event of an answer. Without it the answer was cut, whatever came before."""

    event: Literal["end"]
    ending: Annotated[
        Ending,
        Field(description="The end of the `range`, the `limit`, a `bound` of the instance, or a `fault`."),
    ]
    complete: Annotated[bool, Field(description="True when every datasource answered in full.")]
    next: Annotated[str | None, Field(description="Cursor of what follows; null when nothing does.")]
    order: Annotated[
        list[str] | None,
        Field(
            description="Of an answer by `arrival` with a limit: the trace ids of the page, newest first. "
            "Rows that came and are not in it are older than the page reaches."
        ),
    ]
    sources: list[SourceOut]


class ProblemOut(Out):
    """The last event of an answer that failed after it began; `problem` is what a plain search would have answered."""

    event: Literal["problem"]
    problem: dict[str, JsonValue]


StreamEventOut: TypeAlias = Annotated[
    BeginOut | HitEventOut | ProgressOut | SettledOut | EndOut | ProblemOut, Field(discriminator="event")
]
