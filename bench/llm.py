"""How much of the ideal throughput is left when 200 calls to a model are out at once, each answered after a second.

    python -m bench.llm

The stub (`bench.model_stub`) is a process of its own; the caller is what a worker process has
(`worker.llm.models.Models`). What counts is the share of the ideal, and the CPU a call costs the worker. All 200 begin
at one moment: getting them out takes a quarter of a second once, which is why this lasts as long as a small run does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

import anyio

from arcane.messaging.generation import ChatMessage, ModelSpec, Provider, Role
from arcane.model.deadline import Deadline
from bench.process import Watched
from worker.llm.asking import Ask, Caller
from worker.llm.models import Models
from worker.settings import EgressSettings, LlmSettings

AT_ONCE = 200
ROUNDS = 20
LATENCY_S = 1.0
CLAIM = 0.95
_ASK = Ask(messages=(ChatMessage(role=Role.USER, text="Is the sky blue? Answer with yes or no."),))


async def _secrets(_: ModelSpec) -> Mapping[str, str]:
    return {"api_key": "sk-bench"}


async def measure(url: str) -> tuple[float, float]:
    """Returns the seconds that all calls took, and the CPU seconds of this process; a first call has loaded the SDK."""
    spec = ModelSpec(configuration=UUID(int=1), provider=Provider.COMPATIBLE, model="stub", settings={"base_url": url})
    egress = EgressSettings(allow_networks=["127.0.0.0/8"])
    async with Models.opened(LlmSettings(), egress) as models:
        caller = Caller(UUID(int=2), _secrets, Deadline.after(600))

        async def calls(count: int) -> None:
            for _ in range(count):
                await models.generate(caller, spec, _ASK)

        async def at_once(rounds: int) -> None:
            async with anyio.create_task_group() as group:
                for _ in range(AT_ONCE):
                    group.start_soon(calls, rounds)

        await at_once(1)
        began, spent = time.perf_counter(), time.process_time()
        await at_once(ROUNDS)
        return time.perf_counter() - began, time.process_time() - spent


def main() -> None:
    stub = Watched.start(["-m", "bench.model_stub", "--latency-s", str(LATENCY_S)], {"PATH": ""})
    try:
        took_s, cpu_s = anyio.run(measure, stub.line(), backend_options={"use_uvloop": True})
    finally:
        stub.process.terminate()
        stub.process.wait()
    calls = AT_ONCE * ROUNDS
    share = ROUNDS * LATENCY_S / took_s
    print(f"{calls} calls, {AT_ONCE} at once, {LATENCY_S:g} s each: {took_s:.2f} s, {share:.1%} of the ideal")
    print(f"{calls / took_s:.0f} calls/s; {cpu_s / calls * 1000:.2f} ms of CPU a call")
    if share < CLAIM:
        raise SystemExit(f"less than {CLAIM:.0%} of the ideal")


if __name__ == "__main__":
    main()
