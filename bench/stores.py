"""Several stubs in place of Tempo, and the engine over them with the real adapter and the real way out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from anyio import to_thread

from arcane.federation.question import Question
from arcane.federation.source import Source
from arcane.kit.egress import Egress
from arcane.local.environment import child_environment
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.settings import EgressSettings, LimitSettings, Settings
from arcane.spi.adapter import AdapterContext
from arcane.traceql.parse import parse
from bench.answers import WINDOW
from bench.client import Address
from bench.process import Watched
from datasources.tempo.plugin import PLUGIN

HITS = 50


@dataclass(frozen=True, slots=True)
class Store:
    """A stub, as the engine asks it and directly."""

    source: Source
    address: Address

    def direct(self) -> bytes:
        """Returns the request that Arcane sends for a search of everything."""
        start, end = WINDOW
        query = "%7B%7D+%7C+select%28name%2C+resource.service.name%2C+status%29+with+%28most_recent%3Dtrue%29"
        return self.address.get(f"/api/search?q={query}&limit={HITS}&spss=3&start={start}&end={end}")


def everything() -> Question:
    """Returns the question for the hour that the stubs have."""
    start, end = (second * NANOS_PER_SECOND for second in WINDOW)
    return Question(parse("{}"), TimeRange(start, end), HITS)


@asynccontextmanager
async def stores(delays_ms: Sequence[float]) -> AsyncIterator[list[Store]]:
    """While the block runs, a stub answers after each of the delays."""
    egress = Egress(EgressSettings(allow_networks=["127.0.0.0/8"]), LimitSettings())
    async with AsyncExitStack() as stack:
        made = []
        for number, delay_ms in enumerate(delays_ms):
            stub = Watched.start(
                ["-m", "bench.stub", "--delay-ms", str(delay_ms)], child_environment(Settings(_env_file=None))
            )
            stack.callback(stub.stop)
            address = Address(int(await to_thread.run_sync(stub.line)))
            settings = PLUGIN.settings.model_validate({"url": f"http://{address.host}:{address.port}"})
            http = egress.session(f"http://{address.host}:{address.port}", PLUGIN.headers(settings))
            stack.push_async_callback(http.aclose)
            adapter = PLUGIN.connect(settings, AdapterContext(http=http, max_response_bytes=2**28))
            stack.push_async_callback(adapter.aclose)
            made.append(Store(Source(f"stub-{number}", f"Stub {number}", "tempo", adapter), address))
        yield made
