"""Evaluations over traces: what a query finds, once and live; references are kept, and no word of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import asyncpg
import msgspec
import pytest

from arcane.access.permissions import VIEWER
from arcane.datasets.sources import Scope
from arcane.evaluations.problems import BadEvaluation
from arcane.evaluations.service.listing import is_sampled
from arcane.evaluations.service.reading import NOT_THEIRS
from arcane.evaluations.words import Draft, EvaluationView, SearchDraft, State, SubjectsRequest, Unit
from arcane.federation.assemble import Assembled
from arcane.kit.ids import new_id
from arcane.kit.pagination import PageRequest
from arcane.messaging.jobs import Failed
from arcane.model.hit import MatchedSpan, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.model.outcome import QueryOutcome
from arcane.model.time import NANOS_PER_SECOND, TimeRange, nanos_of
from arcane.traces.questions import FoundTrace, SearchAnswer, TraceAnswer
from tests.support.canaries import MARK, marked, marked_traces
from tests.support.evaluating import JUDGE, MOOD, Desk, desk_on, failed, judged
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
SOURCE = new_id()
ALL = SubjectsRequest(PageRequest(200))
SECOND = NANOS_PER_SECOND


def _hit(number: int, start: int, duration: int = SECOND, spans: int = 1) -> FoundTrace:
    trace_id = TraceId(f"{number:032x}")
    matched = tuple(MatchedSpan(SpanId(f"{number:08x}{n:08x}"), start + n, 1, marked("name")) for n in range(spans))
    hit = TraceHit(trace_id, start, duration, marked("service"), marked("root"), spans, matched)
    return FoundTrace(hit, (str(SOURCE),), ("Tempo",))


def _answer(*hits: FoundTrace, following: str | None = None, complete: bool = True) -> SearchAnswer:
    return SearchAnswer(hits, following, (), complete=complete)


async def _evaluation(desk: Desk, scope: Scope = Scope.TRACES, search: Any = None, **more: Any) -> EvaluationView:
    draft = Draft(
        **{
            "name": "Traces",
            "scope": scope,
            "search": search or SearchDraft(query="{}", start=0, end=10 * SECOND),
            "scores": (JUDGE,),
            "mappings": {JUDGE: {"response": "trace:name"}},
            **more,
        }
    )
    return await desk.evaluations.evaluations.create(desk.actor, draft)


async def _get(desk: Desk, made: EvaluationView) -> EvaluationView:
    return await desk.evaluations.evaluations.get(desk.actor, made.id)


async def _subjects(desk: Desk, made: EvaluationView) -> list[tuple[str | None, str | None]]:
    page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)
    return [(one.trace_id, one.span_id) for one in page.items]


async def test_what_a_query_finds_is_listed_page_by_page_and_by_reference(desk: Desk) -> None:
    made = await _evaluation(desk)
    assert made.state is State.LISTING
    desk.traces.answers = [_answer(_hit(1, 5 * SECOND), following="c"), _answer(_hit(2, 4 * SECOND))]
    assert await desk.evaluations.lister.step()
    seen = await _get(desk, made)
    assert (seen.state, seen.tally.total, seen.note) == (State.RUNNING, 2, "")
    assert await _subjects(desk, made) == [(f"{2:032x}", ""), (f"{1:032x}", "")]
    assert [request.cursor for _, request in desk.traces.asked] == [None, "c"]
    assert {request.within for _, request in desk.traces.asked} == {TimeRange(0, 10 * SECOND)}
    assert not await desk.evaluations.lister.step()


async def test_traces_are_searched_with_the_eyes_of_whoever_made_it(desk: Desk) -> None:
    await _evaluation(desk)
    await desk.evaluations.lister.step()
    (asked,) = desk.traces.asked
    assert (asked[0].project_id, asked[0].role_ids, asked[0].permissions) == (
        desk.actor.project_id,
        desk.actor.role_ids,
        frozenset({"traces:read"}),
    )


async def test_traces_are_searched_with_the_roles_that_whoever_made_it_has_by_now(desk: Desk) -> None:
    await _evaluation(desk)
    desk.rights.changed[desk.actor.id] = replace(desk.actor, role_ids=frozenset({VIEWER.id}))
    await desk.evaluations.lister.step()
    assert [asked.role_ids for asked, _ in desk.traces.asked] == [{VIEWER.id}]


@pytest.mark.parametrize("left", [True, False])
async def test_nothing_is_searched_or_read_for_who_may_not_read_any_more(desk: Desk, left: bool) -> None:
    made = await _evaluation(desk)
    desk.traces.answers = [_answer(_hit(1, SECOND))]
    await desk.evaluations.lister.step()
    later = await _live(desk, SECOND)
    desk.rights.changed[desk.actor.id] = None if left else replace(desk.actor, permissions=frozenset())
    asked = len(desk.traces.asked)
    assert await desk.evaluations.lister.step()
    assert len(desk.traces.asked) == asked
    seen = await _get(desk, later)
    assert (seen.state, seen.note) == (State.RUNNING, NOT_THEIRS)
    assert made.run_id is not None
    assert list((await desk.work(made.run_id)).values()) == [Failed(error=NOT_THEIRS, retry=False)]


async def test_a_search_that_breaks_ends_neither_the_others_nor_the_process(desk: Desk) -> None:
    made = await _evaluation(desk, Scope.LIVE, SearchDraft(query="{}", start=SECOND))
    desk.traces.broken = RuntimeError("an adapter has a fault")
    assert await desk.evaluations.lister.step()
    assert (await _get(desk, made)).note == "the search failed: internal error"


async def test_nothing_found_is_an_evaluation_that_is_done(desk: Desk) -> None:
    made = await _evaluation(desk)
    await desk.evaluations.lister.step()
    assert (await _get(desk, made)).state is State.DONE


async def test_every_span_that_matches_can_be_a_subject(desk: Desk) -> None:
    search = SearchDraft(query="{}", start=0, end=10 * SECOND, unit=Unit.SPAN)
    made = await _evaluation(desk, search=search)
    desk.traces.answers = [_answer(_hit(1, SECOND, spans=3))]
    await desk.evaluations.lister.step()
    assert len(await _subjects(desk, made)) == 3


@pytest.mark.parametrize(
    ("answers", "note"),
    [
        ([_answer(_hit(1, SECOND), complete=False)], "not every datasource answered"),
        ([_answer(_hit(1, SECOND), following="c")], "the limit was reached"),
    ],
)
async def test_what_is_missing_is_said(desk: Desk, answers: list[SearchAnswer], note: str) -> None:
    made = await _evaluation(desk, search=SearchDraft(query="{}", start=0, end=SECOND * 9, limit=1))
    desk.traces.answers = answers
    await desk.evaluations.lister.step()
    assert note in (await _get(desk, made)).note


async def test_a_range_and_a_bounded_number_are_needed(desk: Desk) -> None:
    for search in (
        SearchDraft(query="{}", start=5, end=5),
        SearchDraft(query="{}"),
        SearchDraft(query="{}", start=1, end=2, limit=1_000_000),
    ):
        with pytest.raises(BadEvaluation):
            await _evaluation(desk, search=search)


async def test_one_process_lists_at_a_time_and_another_takes_over(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, lease_s=0.3) as desk:
        made = await _evaluation(desk)
        searches = _Stuck()
        stuck = replace(desk.evaluations.lister, searches=searches)
        async with anyio.create_task_group() as group:
            group.start_soon(stuck.step)
            await searches.asked.wait()
            desk.traces.answers = [_answer(_hit(1, SECOND))]
            await anyio.sleep(0.5)  # longer than the lease
            assert await desk.evaluations.lister.step()
            group.cancel_scope.cancel()
        assert await _subjects(desk, made) == [(f"{1:032x}", "")]


class _Stuck:
    def __init__(self) -> None:
        self.asked = anyio.Event()

    async def search(self, *_: Any) -> SearchAnswer:
        self.asked.set()
        await anyio.sleep_forever()
        raise AssertionError


async def _live(desk: Desk, at: int, **search: Any) -> EvaluationView:
    return await _evaluation(desk, Scope.LIVE, SearchDraft(**{"query": "{}", "start": at, **search}))


async def _looks(desk: Desk, *hits: FoundTrace, complete: bool = True) -> None:
    desk.traces.answers = [_answer(*hits, complete=complete)]
    assert await desk.evaluations.lister.step()


async def test_live_traces_are_judged_when_they_have_been_quiet(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, live_every_s=0.001) as desk:
        present = nanos_of(desk.clock.now())
        made = await _live(desk, present - 300 * SECOND)
        quiet, restless = _hit(1, present - 200 * SECOND), _hit(2, present - 100 * SECOND, 50 * SECOND)
        await _looks(desk, restless, quiet)
        assert await _subjects(desk, made) == [(f"{1:032x}", "")]
        assert (await _get(desk, made)).watermark == present - 100 * SECOND
        desk.clock.pass_time(timedelta(seconds=30))
        await _looks(desk, restless, quiet)
        assert await _subjects(desk, made) == [(f"{1:032x}", ""), (f"{2:032x}", "")]
        seen = await _get(desk, made)
        assert (seen.state, seen.tally.total, seen.watermark) == (State.RUNNING, 2, present - 30 * SECOND)


async def test_the_watermark_stays_while_a_datasource_does_not_answer(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, live_every_s=0.001) as desk:
        present = nanos_of(desk.clock.now())
        made = await _live(desk, present - 300 * SECOND)
        await _looks(desk, complete=False)
        seen = await _get(desk, made)
        assert (seen.watermark, "not every datasource" in seen.note) == (None, True)
        await _looks(desk)
        seen = await _get(desk, made)
        assert (seen.watermark, seen.note) == (present - 60 * SECOND, "")


async def test_catching_up_goes_window_by_window_and_looks_back(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, live_every_s=0.001, live_window_s=100, live_lookback_s=10) as desk:
        present = nanos_of(desk.clock.now())
        await _live(desk, present - 300 * SECOND)
        for _ in range(3):
            await _looks(desk)
        walked = [(request.within.start, request.within.end) for _, request in desk.traces.asked if request.within]
        assert [((start - present) // SECOND, (end - present) // SECOND) for start, end in walked] == [
            (-310, -200),
            (-210, -100),
            (-110, -60),
        ]


async def test_what_is_too_much_for_a_window_is_looked_at_in_a_smaller_one(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, live_every_s=0.001, live_lookback_s=0, hits_max=2) as desk:
        present = nanos_of(desk.clock.now())
        made = await _live(desk, present - 460 * SECOND, limit=2)
        many = [
            _answer(_hit(n, present - 90 * SECOND), _hit(n + 1, present - 99 * SECOND), following="c") for n in (1, 3)
        ]
        desk.traces.answers = [*many, _answer(_hit(5, present - 400 * SECOND))]
        assert await desk.evaluations.lister.step()
        walked = [request.within.end for _, request in desk.traces.asked if request.within]
        assert [(end - present) // SECOND for end in walked] == [-60, -260, -360]
        seen = await _get(desk, made)
        assert (seen.watermark, seen.note) == (present - 360 * SECOND, "")
        assert await _subjects(desk, made) == [(f"{5:032x}", "")]


async def test_a_moment_that_holds_too_much_is_said(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, live_every_s=0.001, live_lookback_s=0, hits_max=1) as desk:
        present = nanos_of(desk.clock.now())
        made = await _live(desk, present - 62 * SECOND, limit=1)
        desk.traces.answers = [_answer(_hit(n, present - 62 * SECOND), following="c") for n in range(9)]
        assert await desk.evaluations.lister.step()
        seen = await _get(desk, made)
        assert (seen.watermark, "limit" in seen.note, len(desk.traces.asked)) == (None, True, 2)


async def test_paused_live_evaluations_look_at_nothing(desk: Desk) -> None:
    made = await _live(desk, nanos_of(desk.clock.now()) - 300 * SECOND)
    await desk.evaluations.evaluations.pause(desk.actor, made.id)
    assert not await desk.evaluations.lister.step()


def test_a_sample_is_the_same_wherever_it_is_drawn() -> None:
    evaluation = new_id()
    drawn = [is_sampled(evaluation, f"{n:032x}", 0.25) for n in range(4_000)]
    assert 800 < sum(drawn) < 1_200
    assert drawn == [is_sampled(evaluation, f"{n:032x}", 0.25) for n in range(4_000)]
    assert all(is_sampled(evaluation, f"{n:032x}", 1.0) for n in range(100))


async def _listed(desk: Desk, **more: Any) -> tuple[EvaluationView, list[UUID]]:
    """Returns an evaluation over every trace that is full of marks, and its jobs, claimed."""
    traces = marked_traces()
    for trace in traces:
        desk.traces.traces[trace.trace_id] = TraceAnswer(trace, Assembled(trace, QueryOutcome(())))
    made = await _evaluation(desk, **more)
    hits = [_hit(int(trace.trace_id, 16), trace.start) for trace in traces]
    desk.traces.answers = [_answer(*hits)]
    await desk.evaluations.lister.step()
    assert made.run_id is not None
    work = await desk.work(made.run_id)
    assert MARK in str(work), "nothing of the traces was read, so nothing is proved"
    return made, list(work)


async def _at_rest(desk: Desk) -> str:
    connection = await asyncpg.connect(desk.ledger.stored.superuser_dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row[0] for (name,) in tables for row in await connection.fetch(f'SELECT t::text FROM "{name}" t')]
    finally:
        await connection.close()
    return "\n".join(rows)


def _quoting(jobs: Sequence[UUID]) -> list[Any]:
    """What a judge brings that quotes what it read, wherever it can."""
    first, second, *rest = jobs
    words: dict[str, Any] = {"reasoning": marked("reasoning"), "details": {marked("key"): marked("detail")}}
    return [
        judged(first, 1.0, "good", **words),
        judged(second, 1.0, marked("label"), **words),
        *(failed(job, marked("error")) for job in rest),
    ]


async def test_no_word_of_a_trace_is_kept(desk: Desk) -> None:
    made, jobs = await _listed(desk)
    assert made.run_id is not None
    await desk.take(made.run_id, _quoting(jobs))
    assert MARK not in await _at_rest(desk)
    said = [one.results[JUDGE] for one in (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items]
    assert sorted({(one.value, one.label, one.reasoning, one.error) for one in said}, key=str) == [
        (1.0, "", "", ""),
        (1.0, "good", "", ""),
        (None, "", "", "no-answer"),
    ]


@pytest.mark.parametrize("capture", [False, True])
async def test_the_ledger_keeps_no_words_of_a_try_that_failed_unless_they_are_captured(
    desk: Desk, capture: bool
) -> None:
    _, (first, second, *_) = await _listed(desk, capture=capture)
    worker = desk.ledger.worker()
    claimed = await worker.claim(first, second)
    assert MARK in str(claimed), "the worker has read nothing, so it can quote nothing"
    tries = [
        msgspec.structs.replace(failed(job, marked("error")), attempt=1, final=final)
        for job, final in ((first, True), (second, False))
    ]
    await worker.send(*tries)
    kept = await desk.ledger.rows("SELECT errors FROM jobs WHERE jsonb_array_length(errors) > 0")
    assert [[(one["kind"], one["message"]) for one in row.errors] for row in kept] == [
        [("no-answer", marked("error") if capture else "")]
    ] * 2
    assert (MARK in await _at_rest(desk)) is capture


async def test_reasoning_is_kept_where_somebody_asked_for_it(desk: Desk) -> None:
    made, jobs = await _listed(desk, capture=True)
    assert made.run_id is not None
    await desk.take(made.run_id, _quoting(jobs))
    said = [one.results[JUDGE] for one in (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items]
    assert marked("reasoning") in {one.reasoning for one in said}
    audited = await desk.ledger.rows("SELECT after FROM audit_entries WHERE action = 'evaluation.created'")
    assert audited[0].after["capture"] is True


async def test_what_cannot_be_read_says_why(desk: Desk) -> None:
    made = await _evaluation(desk, mappings={JUDGE: {"response": "trace:contexts"}})
    trace = marked_traces()[0]
    desk.traces.traces[trace.trace_id] = TraceAnswer(trace, Assembled(trace, QueryOutcome(())))
    desk.traces.answers = [_answer(_hit(int(trace.trace_id, 16), trace.start), _hit(7, SECOND))]
    await desk.evaluations.lister.step()
    assert made.run_id is not None
    work = await desk.work(made.run_id)
    assert sorted((one.error, one.retry) for one in work.values() if isinstance(one, Failed)) == [
        ("no datasource of the project has this trace", False),
        ("there is nothing where response (trace:contexts) should be", False),
    ]


async def test_people_judge_traces_too(desk: Desk) -> None:
    made = await _evaluation(desk, scores=(MOOD,), mappings={})
    desk.traces.answers = [_answer(_hit(1, SECOND))]
    await desk.evaluations.lister.step()
    seen = await _get(desk, made)
    assert (seen.state, seen.tally.total, made.run_id) == (State.RUNNING, 1, None)
