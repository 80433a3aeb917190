"""What a search costs through Arcane over asking a real backend directly. `python -m bench.backends`.

The backend is the Jaeger at ARCANE_TEST_JAEGER_URL, or one started from the `jaeger` on the PATH; without either,
there is nothing to measure, and that is said. It is given the corpus of the adapters' suite. The direct request
is the one that Arcane sends, and asking directly ends where Arcane ends: with the page. The program beside it makes
the same one, which is looked at before anything is measured, of the standard library (`bench.plain`): no work on
Arcane makes it quicker or slower. The download alone, and the answer read with the decoder that Arcane reads a trace
with, are printed to compare.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode, urlsplit

import uvloop

from arcane.catalog.editing import Draft
from arcane.kit.lasting import settle
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.spi import ScanRequest
from arcane.spi.testing import corpus
from bench.client import Address, Connection
from bench.instance import Instance, instance
from bench.plain import page_of, same_page
from bench.table import percentile, print_table, verdict
from datasources.jaeger.compile import branches_of, params_of_v3
from datasources.jaeger.decode import traces_of_v3
from datasources.jaeger.search import Bounds, Wanted, ask_of
from datasources.jaeger.stores import STORES, reach_of
from tests.support.jaeger_server import real_jaeger
from tests.support.not_run import missing

BOUND = 1.15
WARM_UP, ROUNDS = 20, 100
LIMIT = 50
ASKED = 100
"""How many traces the engine asks a backend for that answers in no order."""
QUERY = "{ }"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two ways to the same traces."""

    through: tuple[Address, bytes]
    direct: tuple[Address, bytes]


@asynccontextmanager
async def jaeger() -> AsyncIterator[tuple[Compared, Instance]]:
    """While the block runs, a Jaeger holds the corpus and an Arcane asks it."""
    base = (time.time_ns() // NANOS_PER_SECOND - 900) * NANOS_PER_SECOND
    traces = corpus(base)
    within = TimeRange(base - NANOS_PER_SECOND, max(trace.end for trace in traces) + NANOS_PER_SECOND)
    with TemporaryDirectory(prefix="arcane-bench-jaeger-") as folder, real_jaeger(Path(folder)) as found:
        found.push(traces)
        draft = Draft("jaeger", "Jaeger", {"url": found.url, "storage": "memory"})
        async with instance(delay_ms=0, beside=draft) as bench:
            parts = urlsplit(found.url)
            backend = Address(parts.port or 80, host=parts.hostname or "")
            direct = backend.get(f"/api/v3/traces?{urlencode(_asked(within))}")
            body = {"query": QUERY, "limit": LIMIT, "datasources": [bench.beside]}
            yield Compared((bench.arcane, bench.search_in(within, body)), (backend, direct)), bench


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


def _asked(within: TimeRange) -> list[tuple[str, str]]:
    """The parameters that the adapter sends."""
    request = ScanRequest(within, ASKED)
    reach = reach_of(STORES["memory"], proven=False, first_api=False, attributes=False)
    wanted = Wanted(branches_of(request.filter.condition, reach), within, ASKED)
    before, after = wanted.beside(Bounds().margin_ns)
    (branch,) = wanted.branches
    return params_of_v3(ask_of(branch, TimeRange(within.start - before, within.end + after), ASKED))


async def measure(compared: Compared, bench: Instance) -> None:
    """Prints p50 of each way, the ratios, and the backend's CPU a request."""
    through = await Connection.open(compared.through[0])
    names = ("through Arcane", "direct", "direct, the same page", "direct, read whole")
    took: tuple[list[float], ...] = ([], [], [], [])
    spent = 0.0
    await _check(compared, through)
    settle()  # as a program that serves does: a direct side that pays for the collector would be too dear
    for number in range(WARM_UP + ROUNDS):
        before = bench.backend.cpu_s()
        by_arcane = await through.timed(compared.through[1])
        used = bench.backend.cpu_s() - before
        took_now = (by_arcane, *await _directly(compared))
        if number >= WARM_UP:
            spent += used  # while it was asked: what it does beside that has no part in it
            for times, one in zip(took, took_now, strict=True):
                times.append(one)
    through.close()
    p50 = [percentile(times, 0.5) for times in took]
    rows: list[list[object]] = [[name, p50[at], percentile(took[at], 0.95)] for at, name in enumerate(names)]
    print_table(f"Jaeger: search, {LIMIT} traces", ("", "p50 ms", "p95 ms"), rows)
    ratio = p50[0] / p50[2]
    print(f"over {names[2]}: ratio {ratio:.2f} (bound {BOUND}: {verdict(ratio, BOUND)})")
    print(f"over {names[3]}: {p50[0] / p50[3]:.2f}; over the download alone: {p50[0] / p50[1]:.2f}")
    print(f"{spent * 1_000 / ROUNDS:.1f} ms of CPU a search")


async def _check(compared: Compared, through: Connection) -> None:
    direct = await Connection.open(compared.direct[0])
    rows = page_of(_joined(await direct.ask(compared.direct[1])), LIMIT)
    direct.close()
    if not same_page(rows, await through.ask(compared.through[1])):
        raise RuntimeError("the two ways do not lead to the same page")


async def _directly(compared: Compared) -> tuple[float, float, float]:
    """Returns the milliseconds of the download, and with each of the two ways to read it."""
    began = time.perf_counter()
    connection = await Connection.open(compared.direct[0])  # a Jaeger keeps none open unless it is told to
    answer = _joined(await connection.ask(compared.direct[1]))
    downloaded = time.perf_counter()
    connection.close()
    page_of(answer, LIMIT)
    listed = time.perf_counter()
    traces_of_v3(answer)
    read = time.perf_counter()
    return (downloaded - began) * 1_000, (listed - began) * 1_000, (downloaded - began + read - listed) * 1_000


async def run() -> None:
    reason = missing("jaeger")
    if reason:
        print(f"not measured: {reason}")
        return
    async with jaeger() as (compared, bench):
        await measure(compared, bench)


if __name__ == "__main__":
    uvloop.run(run())
