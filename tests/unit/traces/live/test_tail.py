"""Tails as a caller sees them: shared where they can be, told apart where they must."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from arcane.access.scope import TraceFilter
from arcane.model.outcome import SourceStatus
from arcane.redaction.visibility import REDACTED
from arcane.settings import LiveSettings
from arcane.spi.errors import Unreachable
from arcane.traces.live.tail import TailRequest
from arcane.traces.live.watching import Dropped, Ended, Opened, Polled, Traced
from arcane.traces.problems import BadQuery, HiddenAttribute, LimitTooLarge, TooManyDatasources, TooManyWatchers
from datasources.memory.adapter import Faults
from tests.support.asking import numbered, part_of
from tests.support.live import OFTEN, Stage, Viewer, on_stage, somebody, until

pytestmark = pytest.mark.anyio

ALL = TailRequest("{}")


def traces_of(viewer: Viewer) -> list[Traced]:
    return [event for event in viewer.told if isinstance(event, Traced)]


def end_of(viewer: Viewer) -> Ended:
    (end,) = [event for event in viewer.told if isinstance(event, Ended)]
    return end


async def until_nobody_polls(stage: Stage) -> None:
    await until(lambda: not len(stage.live.tails.hub) and not len(stage.live.follows.hub))


async def test_it_begins_with_what_is_watched_and_tells_what_appears() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        viewer = Viewer(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: viewer.watch(ALL, until=Traced))
            await anyio.sleep(0.03)
            store.put(numbered(1, seconds_ago=1))
        opened = viewer.told[0]
        assert isinstance(opened, Opened)
        assert (opened.canonical, [source.name for source in opened.sources]) == ("{}", ["store"])
        assert [traced.found.sources for traced in traces_of(viewer)] == [("store",)]
        assert viewer.of(Polled)


async def test_one_poller_serves_all_who_watch_the_same_and_ends_with_the_last() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        viewers = [Viewer(stage) for _ in range(10)]
        async with anyio.create_task_group() as group:
            for viewer in viewers:
                group.start_soon(lambda one=viewer: one.watch(ALL, until=Polled, count=5))
            await anyio.sleep(0.02)
            assert len(stage.live.tails.hub) == 1
        polls = max(len(viewer.of(Polled)) for viewer in viewers)
        assert len(store.asked.scans) <= polls + 2
        await until_nobody_polls(stage)
        asked = len(store.asked.scans)
        await anyio.sleep(0.05)
        assert len(store.asked.scans) == asked


async def test_other_queries_and_other_scopes_are_polled_for_themselves() -> None:
    async with on_stage() as stage:
        stage.add("store")
        async with anyio.create_task_group() as group:
            for text in ("{}", "{ }", "{ status = error }"):
                group.start_soon(lambda text=text: Viewer(stage).watch(TailRequest(text), until=Polled, count=20))
            await anyio.sleep(0.05)
            assert len(stage.live.tails.hub) == 2  # the first two are the same query
            group.cancel_scope.cancel()


async def test_what_is_hidden_is_taken_away_for_each_watcher_after_the_shared_poll() -> None:
    async with on_stage() as stage:
        stage.add("store").put(numbered(1, seconds_ago=1, secret="a"))
        plain = TailRequest("{ span.number = 1 }")
        open_eyes, blind = Viewer(stage), Viewer(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: open_eyes.watch(plain, until=Polled, count=30))
            await anyio.sleep(0.03)
            stage.scope.hidden = frozenset({"service.name"})
            group.start_soon(lambda: blind.watch(plain, until=Traced))
        assert traces_of(open_eyes)[0].found.hit.root_service == "service-1"
        assert traces_of(blind)[0].found.hit.root_service == REDACTED


async def test_a_query_about_hidden_values_is_refused_also_while_it_runs() -> None:
    async with on_stage() as stage:
        stage.add("store")
        asks = TailRequest("{ span.secret = 1 }")
        viewer = Viewer(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: viewer.watch(asks))
            await anyio.sleep(0.03)
            stage.scope.hidden = frozenset({"secret"})
        assert end_of(viewer).reason == "hidden-attribute"
        with pytest.raises(HiddenAttribute):
            await stage.live.tails.open(stage.actor, asks)


async def test_who_may_not_watch_any_more_is_told_nothing_more() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        viewer = Viewer(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: viewer.watch(ALL))
            await anyio.sleep(0.03)
            stage.revoked = True
            store.put(numbered(1, seconds_ago=1))
        assert (end_of(viewer).reason, traces_of(viewer)) == ("not-signed-in", [])
        await until_nobody_polls(stage)


async def test_a_changed_project_ends_the_view_so_that_it_begins_again() -> None:
    async with on_stage() as stage:
        stage.add("store")
        for change in (lambda: setattr(stage.scope, "trace_filter", TraceFilter("a", "b")), lambda: stage.add("more")):
            viewer = Viewer(stage)
            async with anyio.create_task_group() as group:
                group.start_soon(lambda viewer=viewer: viewer.watch(ALL))
                await anyio.sleep(0.03)
                change()
            assert end_of(viewer).reason == "changed"


async def test_a_slow_watcher_is_told_how_much_it_missed_and_costs_no_memory() -> None:
    settings = LiveSettings(poll_s=0.005, recheck_s=0.05, log_length=5)
    async with on_stage(settings) as stage:
        store = stage.add("store")
        tail = await stage.live.tails.open(stage.actor, ALL)
        slow = tail.events(stage.again)
        told = [event for _ in range(2) for event in (await anext(slow))[0]]
        store.put(*(numbered(number, seconds_ago=1) for number in range(100)))
        await Viewer(stage).watch(ALL, until=Polled, count=3)
        events, _ = await anext(slow)
        assert [event.count for event in events if isinstance(event, Dropped)] == [95]
        assert len([event for event in events if isinstance(event, Traced)]) == 5
        assert isinstance(told[0], Opened)
        await slow.aclose()


async def test_parts_of_one_trace_in_two_stores_are_told_as_one() -> None:
    async with on_stage() as stage:
        whole = numbered(1, seconds_ago=1, spans=3)
        stage.add("front").put(part_of(whole, root=True))
        stage.add("back").put(part_of(whole, root=False))
        viewer = Viewer(stage)
        await viewer.watch(ALL, until=Traced, count=2)
        first, second = traces_of(viewer)
        assert (first.again, second.again) == (False, True)
        assert set(second.found.sources) == {"front", "back"}
        assert second.found.hit.root_name == "GET /"


async def test_whoever_comes_back_is_told_what_appeared_meanwhile() -> None:
    settings = OFTEN.model_copy(update={"overlap_s": 1.0})
    async with on_stage(settings) as stage:
        store = stage.add("store")
        first = Viewer(stage)
        await first.watch(ALL, until=Polled)
        await until_nobody_polls(stage)
        store.put(numbered(1, seconds_ago=-20))
        stage.pass_time(60)
        lost, back = Viewer(stage), Viewer(stage)
        await lost.watch(ALL, until=Polled, count=2)
        assert traces_of(lost) == []
        await back.watch(replace(ALL, since=first.mark), until=Traced)
        assert len(traces_of(back)) == 1


async def test_a_datasource_that_fails_is_named_and_the_others_go_on() -> None:
    async with on_stage() as stage:
        stage.add("good").put(numbered(1, seconds_ago=1))
        stage.add("bad").fail(Faults(scan=Unreachable("nobody there")))
        viewer = Viewer(stage)
        await viewer.watch(ALL, until=Polled, count=4)
        polls = [event.outcome for event in viewer.told if isinstance(event, Polled)]
        assert {one.status for one in polls if one.name == "bad"} == {SourceStatus.FAILED}
        assert len(traces_of(viewer)) == 1


async def test_a_bug_in_an_adapter_ends_the_tail_and_nothing_else() -> None:
    async with on_stage() as stage:
        store = stage.add("store")
        viewer = Viewer(stage)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: viewer.watch(ALL))
            await anyio.sleep(0.03)
            store.fail(Faults(scan=ZeroDivisionError()))  # type: ignore[arg-type]
        assert end_of(viewer).reason == "internal-error"
        store.fail(Faults())
        await Viewer(stage).watch(ALL, until=Polled)


async def test_how_many_watch_is_bounded_for_all_and_for_each() -> None:
    settings = OFTEN.model_copy(update={"watchers_max": 3, "watchers_per_caller": 2})
    async with on_stage(settings) as stage:
        stage.add("store")
        other, third = somebody(), somebody()
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(lambda: Viewer(stage).watch(ALL))
            await anyio.sleep(0.02)
            with pytest.raises(TooManyWatchers, match="one caller has at most 2"):
                await stage.live.tails.open(stage.actor, ALL)
            group.start_soon(lambda: Viewer(stage, other).watch(ALL))
            await anyio.sleep(0.02)
            with pytest.raises(TooManyWatchers, match="this instance has at most 3"):
                await stage.live.tails.open(third, ALL)
            group.cancel_scope.cancel()
        await Viewer(stage, third).watch(ALL, until=Polled)


async def test_what_cannot_be_asked_is_refused_before_it_begins() -> None:
    async with on_stage() as stage:
        with pytest.raises(BadQuery):
            await stage.live.tails.open(stage.actor, TailRequest("{ span.a"))
        with pytest.raises(TooManyDatasources):
            await stage.live.tails.open(stage.actor, TailRequest("{}", tuple(map(str, range(50)))))
        with pytest.raises(LimitTooLarge):
            await stage.live.tails.open(stage.actor, TailRequest("{}", spans_per_trace=10_000))
