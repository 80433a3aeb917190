"""What is encoded is what the OpenAPI document says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from arcane.conventions import Exchange, LlmTotals, LlmView
from arcane.conventions.messages import Message
from arcane.conventions.view import Cost, Tokens
from arcane.model.hit import ServiceStats
from arcane.model.outcome import SourceError, SourceOutcome
from arcane.traces import bodies as b
from arcane.traces import metrics_bodies as mb
from arcane.traces import metrics_schemas as ms
from arcane.traces import schemas as s
from arcane.traces import stream_bodies as sb
from arcane.traces import stream_schemas as ss
from arcane.traces import trace_schemas as ts

PAIRS: list[tuple[Any, type[BaseModel]]] = [
    (b.SearchBody, s.SearchOut),
    (b.HitBody, s.HitOut),
    (b.MatchedSetBody, s.MatchedSetOut),
    (b.MatchedSpanBody, s.MatchedSpanOut),
    (ServiceStats, s.ServiceStatsOut),
    (SourceOutcome, s.SourceOut),
    (SourceError, s.SourceErrorOut),
    (mb.MetricsBody, ms.MetricsOut),
    (mb.SeriesBody, ms.SeriesOut),
    (mb.LabelBody, ms.LabelOut),
    (mb.ExemplarBody, ms.ExemplarOut),
    (mb.StepsBody, ms.StepsOut),
    (sb.AskedSourceBody, ss.AskedSourceOut),
    (b.SpanBody, ts.SpanOut),
    (b.EventBody, ts.EventOut),
    (b.LinkBody, ts.LinkOut),
    (b.ScopeBody, ts.ScopeOut),
    (b.ResourceBody, ts.ResourceOut),
    (b.RootBody, ts.RootOut),
    (LlmView, ts.LlmViewOut),
    (LlmTotals, ts.LlmTotalsOut),
    (Tokens, ts.TokensOut),
    (Cost, ts.CostOut),
    (Exchange, ts.ExchangeOut),
    (Message, ts.MessageOut),
]


@pytest.mark.parametrize(("struct", "schema"), PAIRS, ids=lambda one: one.__name__)
def test_the_struct_and_the_schema_have_the_same_fields(struct: Any, schema: type[BaseModel]) -> None:
    assert list(struct.__struct_encode_fields__) == list(schema.model_fields)


@pytest.mark.parametrize(("struct", "schema"), PAIRS, ids=lambda one: one.__name__)
def test_a_field_that_may_be_left_out_is_not_required(struct: Any, schema: type[BaseModel]) -> None:
    with_default = len(struct.__struct_defaults__) if struct.__struct_config__.omit_defaults else 0
    optional = set(struct.__struct_encode_fields__[len(struct.__struct_encode_fields__) - with_default :])
    required = {name for name, field in schema.model_fields.items() if field.is_required()}
    assert not optional & required


EVENTS: list[tuple[Any, type[BaseModel]]] = [
    (sb.BeginBody, ss.BeginOut),
    (sb.HitEventBody, ss.HitEventOut),
    (sb.ProgressBody, ss.ProgressOut),
    (sb.SettledBody, ss.SettledOut),
    (sb.EndBody, ss.EndOut),
    (sb.ProblemBody, ss.ProblemOut),
]


@pytest.mark.parametrize(("struct", "schema"), EVENTS, ids=lambda one: one.__name__)
def test_an_event_is_named_and_has_the_fields_of_its_schema(struct: Any, schema: type[BaseModel]) -> None:
    assert ["event", *struct.__struct_encode_fields__] == list(schema.model_fields)
    assert schema.model_json_schema()["properties"]["event"]["const"] == struct.__struct_config__.tag


def test_a_trace_is_its_head_and_its_spans() -> None:
    assert [*b.TraceHead.__struct_encode_fields__, "spans"] == list(ts.TraceOut.model_fields)
