"""A trace that is followed while it grows."""

from __future__ import annotations

import math

import anyio
import pytest

from arcane.access.scope import TraceFilter
from arcane.model.outcome import SourceStatus
from arcane.redaction.visibility import REDACTED
from arcane.spi.errors import Unreachable
from arcane.traces.live.encoding import follow_frames
from arcane.traces.live.follow import FollowEvent, Grown, Looked, signature_of
from arcane.traces.live.watching import Ended
from arcane.traces.problems import BadTraceId
from datasources.memory.adapter import Faults
from tests.support.asking import numbered, part_of
from tests.support.live import Stage, on_stage, until

pytestmark = pytest.mark.anyio

ID = numbered(1).trace_id


class Eyes:
    """Somebody who follows a trace, an event at a time."""

    def __init__(self, stage: Stage, seen: str = "") -> None:
        self.stage = stage
        self.seen = seen
        self.told: list[FollowEvent] = []

    async def follow(self) -> None:
        """Returns when it is over."""
        following = await self.stage.live.follows.open(self.stage.actor, ID, self.seen)
        async for events in following.events(self.stage.again):
            self.told += events

    async def until(self, count: int) -> None:
        await until(lambda: len(self.grown) >= count)

    @property
    def grown(self) -> list[Grown]:
        return [event for event in self.told if isinstance(event, Grown)]

    @property
    def end(self) -> str:
        (end,) = [event for event in self.told if isinstance(event, Ended)]
        return end.reason


async def test_only_new_and_changed_spans_are_told() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        store.put(numbered(1, spans=2))
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            store.put(numbered(1, spans=4))
            await eyes.until(2)
            group.cancel_scope.cancel()
    first, second = eyes.grown
    assert (len(first.spans), len(first.answer.trace.spans)) == (2, 2)
    assert len(second.answer.trace.spans) == 4
    told = {span.name for span in second.spans}
    assert told == {"step 1", "step 2", "step 3"}  # the first step failed as long as it was the last


async def test_it_is_over_when_nothing_was_added_for_the_quiet_time() -> None:
    async with on_stage() as stage:
        stage.add("store").put(numbered(1))
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            stage.pass_time(59)
            await anyio.sleep(0.05)
            assert not any(isinstance(event, Ended) for event in eyes.told)
            stage.pass_time(2)
        looked = [event for event in eyes.told if isinstance(event, Looked)]
        assert (looked[0].quiet, looked[-1].quiet, eyes.end) == (False, True, "quiet")
        assert len(eyes.grown) == 1


async def test_it_is_not_called_quiet_while_no_datasource_answers() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        store.put(numbered(1))
        eyes = Eyes(stage)

        def failed() -> int:
            looks = [event for event in eyes.told if isinstance(event, Looked)]
            return sum(one.sources[0].error is not None for one in looks)

        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            store.fail(Faults(get_trace=Unreachable("nobody there")))
            await until(lambda: failed() > 0)
            stage.pass_time(61)
            seen = failed()
            await until(lambda: failed() >= seen + 3 or isinstance(eyes.told[-1], Ended))
            assert not isinstance(eyes.told[-1], Ended)
            store.fail(Faults())
        assert eyes.end == "quiet"


async def test_many_who_follow_one_trace_are_one_poller() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        store.put(numbered(1))
        crowd = [Eyes(stage) for _ in range(10)]
        async with anyio.create_task_group() as group:
            for eyes in crowd:
                group.start_soon(eyes.follow)
            for eyes in crowd:
                await eyes.until(1)
            assert len(stage.live.follows.hub) == 1
            group.cancel_scope.cancel()
        looked = max(len([event for event in eyes.told if isinstance(event, Looked)]) for eyes in crowd)
        assert len(store.asked.traces) <= looked + 2


async def test_spans_that_a_failing_datasource_told_before_stay() -> None:
    async with on_stage() as stage:
        whole = numbered(1, spans=3)
        stage.add("front").put(part_of(whole, root=True))
        back = stage.add("back")
        back.put(part_of(whole, root=False))
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            back.fail(Faults(get_trace=Unreachable("nobody there")))
            stage.sources["front"].put(numbered(1, spans=1, more=True))
            await eyes.until(2)
            group.cancel_scope.cancel()
    last = eyes.grown[-1]
    assert len(last.answer.trace.spans) == 3
    assert [span.name for span in last.spans] == ["GET /"]
    assert {source.name: source.error is not None for source in last.answer.sources} == {"front": False, "back": True}


async def test_a_value_that_differs_from_itself_is_no_growth() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        eyes = Eyes(stage)
        store.put(numbered(1, odd=math.nan))
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            store.put(numbered(1, odd=float("nan")))
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    assert len(eyes.grown) == 1


async def test_hidden_values_do_not_leave() -> None:
    async with on_stage() as stage:
        stage.add("store").put(numbered(1, secret="canary"))
        stage.scope.hidden = frozenset({"secret"})
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await eyes.until(1)
            group.cancel_scope.cancel()
    sent = b"".join(follow_frames(eyes.told))
    assert b"canary" not in sent
    assert REDACTED.encode() in sent


async def test_of_a_trace_of_another_project_is_told_what_is_told_of_none() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        stage.scope.trace_filter = TraceFilter("team", "other")
        told = []
        for there in (False, True):
            if there:
                store.put(numbered(1))
            told.append(await _told_to_a_stranger(stage))
        assert told[0] == told[1] == ("quiet", [], {(SourceStatus.OK, 0, ())})


async def _told_to_a_stranger(stage: Stage) -> tuple[str, list[Grown], set[tuple[SourceStatus, int, tuple[str, ...]]]]:
    stranger = Eyes(stage)
    async with anyio.create_task_group() as group:
        group.start_soon(stranger.follow)
        await until(lambda: bool(stranger.told))
        stage.pass_time(61)
    sources = [source for one in stranger.told if isinstance(one, Looked) for source in one.sources]
    return stranger.end, stranger.grown, {(one.status, one.rows, one.warnings) for one in sources}


async def test_a_trace_becomes_the_projects_with_a_span_that_comes_late() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        stage.scope.trace_filter = TraceFilter("team", "other")
        store.put(numbered(1))
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await until(lambda: bool(eyes.told))
            assert eyes.grown == []
            store.put(numbered(1, spans=2, team="other"))
            await eyes.until(1)
            group.cancel_scope.cancel()


async def test_a_caller_who_may_not_watch_any_more_sees_no_more() -> None:
    async with on_stage() as stage:
        stage.add("store").put(numbered(1))
        stage.revoked = True
        revoked = Eyes(stage)
        await revoked.follow()
        assert (revoked.end, revoked.grown) == ("not-signed-in", [])


async def test_a_trace_that_is_not_there_yet_is_waited_for() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        eyes = Eyes(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await anyio.sleep(0.05)
            store.put(numbered(1))
            await eyes.until(1)
            group.cancel_scope.cancel()


async def test_what_a_caller_has_already_is_not_told_again() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        store.put(numbered(1, spans=3))
        eyes = Eyes(stage, signature_of(numbered(1, spans=3)))
        async with anyio.create_task_group() as group:
            group.start_soon(eyes.follow)
            await until(lambda: len(eyes.told) > 2)
            assert eyes.grown == []
            store.put(numbered(1, spans=4))
            await eyes.until(1)
            group.cancel_scope.cancel()
        assert {span.name for span in eyes.grown[0].spans} == {"step 2", "step 3"}


async def test_what_is_no_trace_id_is_refused() -> None:
    async with on_stage() as stage:
        with pytest.raises(BadTraceId):
            await stage.live.follows.open(stage.actor, "xyz")
