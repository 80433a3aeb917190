"""What a query cannot do: reach beyond its values, write, read files, take too much; and how faults are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi import (
    AttributeQuery,
    BackendFailed,
    BadResponse,
    Binary,
    DatasourceError,
    Expr,
    Field,
    Literal,
    LiteralType,
    Misconfigured,
    Op,
    RateLimited,
    Rejected,
    ScanRequest,
    Scope,
    SpansetFilter,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from arcane.spi.testing import corpus, filter_of, scan_all
from arcane.spi.testing_corpus import BASE
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.columns import quoted, quoted_table
from datasources.clickhouse.settings import ClickHouseSettings, headers_of
from datasources.clickhouse.statements import Statement
from datasources.clickhouse.wire import Limits, Profile, Wire
from tests.support.backends import backend, reply
from tests.support.clickhouse import ClickHouse, Databases, Exporter
from tests.support.egress import session

pytestmark = pytest.mark.anyio

WITHIN = TimeRange(BASE - NANOS_PER_SECOND, BASE + 600 * NANOS_PER_SECOND)
HOSTILE = (
    "' OR 1=1 --",
    "\\' OR 1=1 --",
    "'); DROP TABLE otel_traces; --",
    "{p0:String}",
    "{p1:Array(String)}",
    "`, (SELECT 1)",
    "\\",
    "\\N",
    "a\tb\nc\x00d",
    "$1 %s %(name)s ? :name",
    "\x27\x22\x60",
    "/* */ -- #",
)


def patient() -> Deadline:
    return Deadline.after(60)


@pytest.fixture
def settings(clickhouse: ClickHouse, databases: Databases) -> ClickHouseSettings:
    def fill(database: str) -> None:
        Exporter().create(clickhouse, database)
        Exporter().fill(clickhouse, database, corpus()[:20])

    database = databases("safety", fill)
    return ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)


@pytest.fixture
async def adapter(settings: ClickHouseSettings) -> AsyncIterator[ClickHouseAdapter]:
    async with session(settings.url, headers=headers_of(settings)) as http:
        yield ClickHouseAdapter(http, settings)


@pytest.mark.parametrize("text", HOSTILE)
async def test_values_and_names_are_values_and_names(adapter: ClickHouseAdapter, text: str) -> None:
    literal = Literal(LiteralType.STRING, text)
    scopes = (Scope.SPAN, Scope.RESOURCE, Scope.NONE, Scope.EVENT, Scope.LINK)
    asked: Expr = Binary(Op.EQ, Field(Scope.SPAN, text), literal)
    for field in (Field(scope, name) for scope in scopes for name in (text, "user.id")):
        asked = Binary(Op.OR, asked, Binary(Op.EQ, field, literal))
    assert (await scan_all(adapter, ScanRequest(WITHIN, 10, SpansetFilter(asked)))).candidates == ()
    everything = Binary(Op.NE, Field(Scope.INTRINSIC, "name"), literal)
    assert len((await scan_all(adapter, ScanRequest(WITHIN, 100, SpansetFilter(everything)))).candidates) == 20
    query = AttributeQuery(WITHIN, prefix=text)
    assert await adapter.attribute_names(query, patient()) == []
    assert await adapter.attribute_values(Field(Scope.SPAN, text), AttributeQuery(WITHIN), patient()) == []
    assert await adapter.attribute_values(Field(Scope.SPAN, "user.id"), query, patient()) == []


@pytest.mark.parametrize("name", ["a`b", "a b", "a;b", "a'b", "", "1a", "a.b.c", "ä", "a--b", "a\n"])
def test_names_of_tables_and_columns_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="a name has letters"):
        quoted(name)
    with pytest.raises(ValueError, match="a name has letters"):
        quoted_table("otel", name)
    with pytest.raises(ValueError, match="a name has letters"):
        ClickHouseSettings(url="http://h", table=name)
    with pytest.raises(ValueError, match=r"line [12] is not"):
        ClickHouseSettings(url="http://h", layout="columns", columns=f"timestamp = {name}`")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {table} (SpanName) SELECT 'x'",
        "CREATE TABLE {table}_2 (a Int8) ENGINE = Memory",
        "DROP TABLE {table}",
        "ALTER TABLE {table} DELETE WHERE 1",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT 1 SETTINGS max_execution_time = 0",
    ],
)
async def test_statements_may_only_read_tables(clickhouse: ClickHouse, settings: ClickHouseSettings, sql: str) -> None:
    """Nothing of ours makes such statements: this is the second wall."""
    count = f"SELECT count() FROM {settings.database}.otel_traces"
    before = clickhouse.run(count)
    sql = sql.format(table=f"{settings.database}.otel_traces")
    async with session(settings.url, headers=headers_of(settings)) as http:
        with pytest.raises((Unauthorized, BackendFailed)) as caught:
            await Wire(http, Limits(10, 2**30)).select(Statement(sql, {}, 10), patient())
    assert "/etc/passwd" not in str(caught.value)
    assert clickhouse.run(count) == before


@pytest.mark.parametrize(("user", "profile"), [("careful", Profile.CAREFUL), ("reader", Profile.CLOSED)])
async def test_a_user_that_may_only_read_is_enough(
    clickhouse: ClickHouse, settings: ClickHouseSettings, user: str, profile: Profile
) -> None:
    if clickhouse.user:
        return  # a server that was given has users of its own
    own = settings.model_copy(update={"auth": "basic", "username": user, "password": SecretStr("secret")})
    async with session(own.url, headers=headers_of(own)) as http:
        adapter = ClickHouseAdapter(http, own)
        answer = await scan_all(adapter, ScanRequest(WITHIN, 100, filter_of("{ status = error }")))
        assert answer.candidates
        assert adapter._wire.profile is profile
        assert await adapter.get_trace(answer.candidates[0].trace_id, None, patient()) is not None
        findings = (await adapter.check(patient())).findings
        assert any("allows no settings" in finding for finding in findings) is (profile is Profile.CLOSED)


async def test_a_wrong_password_is_told(settings: ClickHouseSettings) -> None:
    own = settings.model_copy(update={"auth": "basic", "username": "reader", "password": SecretStr("wrong")})
    async with session(own.url, headers=headers_of(own)) as http:
        with pytest.raises(Unauthorized, match="refused the credentials"):
            await ClickHouseAdapter(http, own).check(patient())


@pytest.mark.parametrize(
    ("sql", "limits", "error"),
    [
        ("SELECT sleepEachRow(0.5) FROM numbers(100) SETTINGS max_block_size = 1", Limits(1, 2**30), TimedOut),
        ("SELECT groupArray(number) FROM numbers(100000000)", Limits(30, 2**24), TooLarge),
        ("SELECT number FROM numbers(1000)", Limits(30, 2**30), TooLarge),
    ],
)
async def test_a_query_takes_no_more_than_it_may(
    settings: ClickHouseSettings, sql: str, limits: Limits, error: type[DatasourceError]
) -> None:
    statement = Statement(sql.partition(" SETTINGS")[0], {}, 10)
    async with session(settings.url, headers=headers_of(settings)) as http:
        with pytest.raises(error):
            await Wire(http, limits).select(statement, patient())


async def test_a_long_trace_is_cut_and_says_so(settings: ClickHouseSettings) -> None:
    traces: Sequence[Trace] = corpus()[:20]
    own = settings.model_copy(update={"max_spans": 100})
    async with session(own.url, headers=headers_of(own)) as http:
        found = await ClickHouseAdapter(http, own).get_trace(traces[19].trace_id, None, patient())
    assert found is not None
    assert len(found.spans) == 100
    assert "more than 100 spans" in found.warnings[0]


def exception(code: int, text: str = "something about 'secret data'", status: str = "500 Oops") -> bytes:
    body = f"Code: {code}. DB::Exception: {text}. (SOME_ERROR) (version 25.8)".encode()
    return reply(body, status=status, headers={"X-ClickHouse-Exception-Code": str(code)})


FAULTS = [
    (exception(159, status="408 Late"), TimedOut),
    (exception(241), TooLarge),
    (exception(396), TooLarge),
    (exception(516, status="403 No"), Unauthorized),
    (exception(497, status="403 No"), Unauthorized),
    (exception(60, status="404 No"), Misconfigured),
    (exception(47, status="404 No"), Misconfigured),
    (exception(202, status="503 Busy"), RateLimited),
    (exception(452), Misconfigured),
    (exception(46), Rejected),
    (exception(999), BackendFailed),
    (reply(b"nope", status="401 Unauthorized"), Unauthorized),
    (reply(b"nope", status="404 Not Found"), Misconfigured),
    (reply(b"slow", status="429 Slow", headers={"Retry-After": "7"}), RateLimited),
    (reply(b"oops", status="502 Bad Gateway"), BackendFailed),
    (reply(b"late", status="504 Gateway Timeout"), TimedOut),
    (reply(b"<html>hello</html>"), BadResponse),
    (reply(b"{}"), BadResponse),
    (reply(b"\xff" * 64), BadResponse),
    (reply(b"\x01\x03\x01a\x06String"), BadResponse),
    (reply(b"\x01\x01\x01a\x05Strin\x00"), BadResponse),
    (reply(b"\x01\x02\x01a\x06String\x01xCode: 241. DB::Exception: secret. (MEMORY_LIMIT_EXCEEDED)"), TooLarge),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n\x01\x01", DatasourceError),
]


@pytest.mark.parametrize(("raw", "error"), FAULTS, ids=range(len(FAULTS)))
async def test_every_fault_is_one_of_ours(raw: bytes, error: type[DatasourceError]) -> None:
    async def answer(_seen: object, writer: object) -> None:
        writer.write(raw)  # type: ignore[attr-defined]
        if b"Content-Length: 50" in raw:
            writer.close()  # type: ignore[attr-defined]

    async with backend(answer) as server:
        settings = ClickHouseSettings(url=server.url)
        async with session(server.url) as http:
            with pytest.raises(error) as caught:
                await ClickHouseAdapter(http, settings).check(Deadline.after(5))
    assert "secret" not in str(caught.value)


async def test_a_server_that_is_away_is_unreachable() -> None:
    async with backend(None) as server:  # type: ignore[arg-type]
        url = server.url
    async with session(url) as http:
        with pytest.raises(Unreachable):
            await ClickHouseAdapter(http, ClickHouseSettings(url=url)).check(Deadline.after(5))


async def test_a_long_list_of_parameters_travels_in_the_body(settings: ClickHouseSettings) -> None:
    texts = [f"it's {number} \\ é" for number in range(2_000)]
    statement = Statement("SELECT arrayJoin({p0:Array(String)})", {"p0": texts}, 2_000)
    async with session(settings.url, headers=headers_of(settings)) as http:
        columns = await Wire(http, Limits(10, 2**30)).select(statement, patient())
    assert list(columns[0]) == texts
