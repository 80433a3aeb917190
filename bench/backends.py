"""What a search costs through Arcane over asking a real backend directly. `python -m bench.backends`.

The backends are the Jaeger at ARCANE_TEST_JAEGER_URL and the Tempo at ARCANE_TEST_TEMPO_URL, or those started from the
`jaeger` and the `tempo` on the PATH. They are given the corpus of the adapters' suite. Where there is no Jaeger, there
is nothing to measure, and that is said; where there is no Tempo, that is said, and a stub in its place answers
after a fixed time with what a Tempo answered once.

The direct request is the one that Arcane says it sends (its explain), and asking directly ends where Arcane ends: with
the page. The program beside it makes the same one, which is looked at before anything is measured, of the standard
library (`bench.plain`): no work on Arcane makes it quicker or slower. The download alone, and the answer read with
the decoder that Arcane reads it with, are printed to compare.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import uvloop

from arcane.kit.lasting import settle
from arcane.model.time import TimeRange
from bench.asked import Backend, jaeger, tempo, tempo_stub
from bench.awake import awake
from bench.client import Connection
from bench.plain import same_page
from bench.table import percentile, print_table, verdict
from tests.support.not_run import missing

BOUND = 1.15
WARM_UP, ROUNDS = 20, 100
LIMIT = 50
"""The page of whoever names no size."""
QUERY = "{ }"
_WAYS = ("through Arcane", "direct", "direct, the same page", "direct, read whole")


class Ways:
    """The two ways to one page: through Arcane, and directly with each way to read the answer."""

    def __init__(self, backend: Backend, through: Connection, direct: bytes) -> None:
        self._backend = backend
        self._through = through
        self._direct = direct
        self._kept: Connection | None = None

    @classmethod
    async def of(cls, backend: Backend) -> Ways:
        """Returns the ways to the page, which is the same on both; raises RuntimeError where it is not."""
        through = await Connection.open(backend.arcane.arcane)
        answer = await through.ask(_asked(backend, backend.arcane.search_in))
        plan = json.loads(await through.ask(_asked(backend, backend.arcane.explain_in)))
        sent = plan["sources"][0]["requests"][-1]
        target = f"{sent['target']}?{urlencode([(one['name'], one['value']) for one in sent['parameters']])}"
        ways = cls(backend, through, backend.address.get(target))
        if not same_page(backend.page_of(await ways.download(), LIMIT), answer):
            raise RuntimeError("the two ways do not lead to the same page")
        return ways

    async def download(self) -> bytes:
        """Returns the backend's answer."""
        connection = self._kept or await Connection.open(self._backend.address)
        answer = _joined(await connection.ask(self._direct))
        if self._backend.stays_open:
            self._kept = connection
        else:
            connection.close()
        return answer

    async def through(self) -> float:
        """Returns the milliseconds through Arcane."""
        return await self._through.timed(_asked(self._backend, self._backend.arcane.search_in))

    async def directly(self) -> tuple[float, float, float]:
        """Returns the milliseconds of the download, and with each of the two ways to read it."""
        began = time.perf_counter()
        answer = await self.download()
        downloaded = time.perf_counter()
        self._backend.page_of(answer, LIMIT)
        listed = time.perf_counter()
        self._backend.read(answer)
        read = time.perf_counter()
        return (downloaded - began) * 1_000, (listed - began) * 1_000, (downloaded - began + read - listed) * 1_000

    def close(self) -> None:
        """Closes what is open."""
        self._through.close()
        if self._kept is not None:
            self._kept.close()


def _asked(backend: Backend, ask: Callable[[TimeRange, Mapping[str, object]], bytes]) -> bytes:
    beside = backend.arcane.beside
    return ask(backend.within, {"query": QUERY, "datasources": [beside] if beside else []})


def _joined(body: bytes) -> bytes:
    """Returns a chunked answer: the client leaves the sizes between the chunks, because it has no use for the body."""
    whole, at = bytearray(), 0
    while not body.startswith(b"{"):
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        if not size:
            break
        whole += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(whole) or body


async def measure(backend: Backend) -> None:
    """Prints p50 of each way, the ratios, and the CPU of Arcane's backend a request."""
    ways = await Ways.of(backend)
    took: tuple[list[float], ...] = ([], [], [], [])
    spent = 0.0
    settle()  # as a program that serves does: a direct side that pays for the collector would be too dear
    for number in range(WARM_UP + ROUNDS):
        before = backend.arcane.backend.cpu_s()
        by_arcane = await ways.through()
        used = backend.arcane.backend.cpu_s() - before
        took_now = (by_arcane, *await ways.directly())
        if number >= WARM_UP:
            spent += used  # while it was asked: what it does beside that has no part in it
            for times, one in zip(took, took_now, strict=True):
                times.append(one)
    ways.close()
    p50 = [percentile(times, 0.5) for times in took]
    rows: list[list[object]] = [[name, p50[at], percentile(took[at], 0.95)] for at, name in enumerate(_WAYS)]
    print_table(f"{backend.title}: search, {LIMIT} traces", ("", "p50 ms", "p95 ms"), rows)
    ratio = p50[0] / p50[2]
    print(f"over {_WAYS[2]}: ratio {ratio:.2f} (bound {BOUND}: {verdict(ratio, BOUND)})")
    print(f"over {_WAYS[3]}: {p50[0] / p50[3]:.2f}; over the download alone: {p50[0] / p50[1]:.2f}")
    print(f"{spent * 1_000 / ROUNDS:.1f} ms of CPU a search")


async def run() -> None:
    for need, held, instead in (("tempo", tempo, tempo_stub), ("jaeger", jaeger, None)):
        reason = missing(need)
        if reason:
            print(f"not measured: {reason}")
        chosen = instead if reason else held
        if chosen is not None:
            async with chosen() as backend:
                with awake():
                    await measure(backend)


if __name__ == "__main__":
    uvloop.run(run())
