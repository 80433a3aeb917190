"""From a dataset over an experiment to what a model judges of it, through a real backend, a real worker, a scripted
model and a broker, each in its turn of days; how soon a run stops; and what of all that is found in messages, in the
broker's own files, in logs and in the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from pydantic import SecretStr

from arcane.model.trace import Trace
from arcane.spi.otlp import encode_json
from tests.support.brokers import Server as BrokerServer
from tests.support.brokers import broker_of, needs_of, of_today
from tests.support.canaries import AROUND, MARK, marked, marked_traces
from tests.support.model_stub import Answer, Asked, ModelStub, Stall, serving_model
from tests.support.postgres import MigratedDatabase, Server
from tests.support.premises import Premises, corpus_below, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.worker_process import WORKER_KEY, working

BROKER = of_today(after=1)
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240), *needs_of(BROKER)]

KEY = "sk-zq7provider-key"
SAID = "zq7prompt"
GIVEN = "zq7input"
ROWS, MANY = 12, 100
AT_ONCE = 8
_WORKER = {"ARCANE_LOG__JSON_LINES": "true", "ARCANE_WORKER__CONCURRENCY": str(AT_ONCE)}
_RECORDING = """
    CREATE SCHEMA recorded;
    CREATE TABLE recorded.messages (message text);
    CREATE FUNCTION recorded.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO recorded.messages VALUES (NEW.headers::text || convert_from(NEW.body, 'UTF8')); RETURN NULL;
    END $$;
    CREATE TRIGGER record AFTER INSERT ON outbox_messages FOR EACH ROW EXECUTE FUNCTION recorded.record();
    CREATE TRIGGER record AFTER INSERT OR UPDATE ON queued_messages FOR EACH ROW EXECUTE FUNCTION recorded.record();
"""
"""What any broker gets is what lies in the outbox, header by header; the embedded one's own rows besides."""


@dataclass(frozen=True, slots=True)
class House:
    """A backend with a worker, a project, a model, and everything that is said between them written down."""

    served: Served
    owner: Visitor
    place: Premises
    stub: ModelStub
    model: str
    worker_log: Path
    broker: BrokerServer

    def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.owner.made(f"{self.place.in_project}{path}", body)

    def get(self, path: str) -> dict[str, Any]:
        answer = self.owner.get(f"{self.place.in_project}{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tell(self, path: str) -> None:
        answer = self.owner.call("POST", f"{self.place.in_project}{path}")
        assert answer.is_success, answer.text

    def until(self, path: str, is_there: Callable[[dict[str, Any]], bool], within_s: float = 60.0) -> dict[str, Any]:
        """Returns what is at `path` once it is as it should be."""
        begun = time.monotonic()
        while not is_there(found := self.get(path)):
            assert time.monotonic() - begun < within_s, f"{found}\n{self.worker_log.read_text()[-3_000:]}"
            time.sleep(0.05)
        return found

    def asked(self, word: str) -> int:
        """How often the model was asked by experiments of that word."""
        return sum(f"{SAID} {word}" in one.text for one in self.stub.asked)

    def dataset(self, rows: int) -> str:
        name = f"Set {rows} {time.monotonic_ns()}"
        made: str = self.made("/datasets", {"name": name, "columns": [{"name": "question"}]})["id"]
        values = [{"values": {"question": f"{GIVEN} {number}"}} for number in range(rows)]
        self.made(f"/datasets/{made}/rows", {"rows": values})
        return made

    def experiment(self, rows: int, word: str = "tells") -> str:
        version = {
            "messages": [{"role": "user", "text": f"{SAID} {word} {{{{question}}}}"}],
            "model_configuration_id": self.model,
        }
        prompt = self.made("/prompts", {"name": f"Prompt {time.monotonic_ns()}", "version": version})
        body = {"name": "Way", "dataset_id": self.dataset(rows), "prompt_version_id": prompt["version"]["id"]}
        return str(self.made("/experiments", body)["id"])

    def judge(self) -> str:
        labels = [{"label": "bad", "value": 0.0}, {"label": "good", "value": 1.0}]
        score = {"name": f"Judge {time.monotonic_ns()}", "scale": "ordinal", "labels": labels, "scorer": "llm-judge"}
        settings = {"rubric": "Is this a good answer? {{response}}"}
        return str(self.made("/scores", {**score, "settings": settings, "model_id": self.model})["id"])


@pytest.fixture(scope="module")
def house(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("way")
    files = corpus_below(folder)
    lines = [b"".join(encode_json(trace.spans)) for trace in _traces()]
    (files / "marked.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with (
        cloned_database(postgres_server, template_database) as stored,
        serving_model() as stub,
        broker_of(BROKER, folder) as broker,
    ):
        anyio.run(stored.server.execute, _RECORDING, stored.name)
        groups: dict[str, Any] = {"worker": {"key": SecretStr(WORKER_KEY)}, "log": {"json_lines": True}}
        groups |= {"broker": {"url": SecretStr(broker.url)}} if broker.url else {}
        settings = served_settings(stored, files, **groups)
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            told_worker = _WORKER | ({"ARCANE_BROKER__URL": broker.url} if broker.url else {})
            with working(served, owner, folder / "w1.log", **told_worker):
                place = premises(served, owner)
                told = {"base_url": stub.url, "api_key": KEY}
                price = {"input_usd": 100.0, "output_usd": 200.0}
                model = {"name": "Stub", "provider": "openai-compatible", "model": "stub", "settings": told}
                made = owner.made(f"{place.at}/model-configurations", {**model, "price": price})["id"]
                yield House(served, owner, place, stub, made, folder / "w1.log", broker)


def _traces() -> list[Trace]:
    return marked_traces()[1:]


def _judges(asked: Asked) -> Answer:
    """The model's opinion; it quotes what it was shown, as models do."""
    structured = {"reasoning": f"It says: {asked.last}", "label": "bad" if " 3" in asked.last else "good"}
    return Answer(structured=structured, input_tokens=50, output_tokens=10)


def _is_done(found: dict[str, Any]) -> bool:
    return bool(found["state"] == "done")


def test_from_a_dataset_to_what_a_model_judges_of_each_answer(house: House) -> None:
    house.stub.when("Is this a good answer?", _judges)
    house.stub.when(f"{SAID} tells", lambda asked: Answer(f"About {asked.last}", input_tokens=20, output_tokens=5))
    experiment = house.experiment(ROWS)
    tally = house.until(f"/experiments/{experiment}", _is_done)["tally"]
    assert (tally["done"], tally["failed"], tally["input_tokens"], tally["output_tokens"]) == (
        ROWS,
        0,
        20 * ROWS,
        5 * ROWS,
    )
    for result in house.get(f"/experiments/{experiment}/results")["items"]:
        assert result["output"] == f"About {SAID} tells {result['values']['question']}"
        assert (result["model"], result["input_tokens"], result["output_tokens"]) == ("stub", 20, 5)
        assert result["cost_usd"] == pytest.approx((20 * 100 + 5 * 200) / 1e6)
        assert result["latency_ms"] > 0
    judge = house.judge()
    body = {"name": "Judged", "scope": "experiments", "experiment_ids": [experiment], "score_ids": [judge]}
    evaluation = house.made("/evaluations", body)["id"]
    assert house.until(f"/evaluations/{evaluation}", _is_done)["tally"]["done"] == ROWS
    for subject in house.get(f"/evaluations/{evaluation}/subjects")["items"]:
        (verdict,) = subject["results"]
        asked_for_three = subject["values"]["question"] == f"{GIVEN} 3"
        assert (verdict["label"], verdict["value"]) == (("bad", 0.0) if asked_for_three else ("good", 1.0))
        assert subject["values"]["question"] in verdict["reasoning"]
        assert verdict["cost_usd"] == pytest.approx((50 * 100 + 10 * 200) / 1e6)


@pytest.mark.parametrize("order", ["cancel", "pause"])
def test_a_run_stops_within_two_seconds(house: House, order: str) -> None:
    """Cancelling ends the calls that are out; pausing lets them end, and begins none."""
    house.stub.when(f"{SAID} {order}", Stall() if order == "cancel" else Answer("late", delay_s=0.3))
    abandoned = house.stub.abandoned
    experiment = house.experiment(MANY, order)
    house.until(f"/experiments/{experiment}", lambda _: house.asked(order) > 0)
    began = time.monotonic()
    house.tell(f"/experiments/{experiment}/{order}")
    if order == "cancel":
        anyio.run(house.stub.until_abandoned, abandoned + 1, began + 2.0 - time.monotonic())
        house.until(f"/experiments/{experiment}", lambda found: found["state"] == "cancelled")
        return
    time.sleep(max(0.0, began + 2.0 - time.monotonic()))
    stood = house.asked(order)
    time.sleep(0.5)
    assert house.asked(order) == stood < MANY / 2
    assert house.get(f"/experiments/{experiment}")["state"] == "paused"
    house.tell(f"/experiments/{experiment}/resume")
    assert house.until(f"/experiments/{experiment}", _is_done)["tally"]["done"] == MANY


def test_nothing_of_it_is_in_messages_and_logs_and_no_trace_is_at_rest(house: House) -> None:
    house.stub.when("Is this a good answer?", _judges)
    place, judge, experiment = house.place, house.judge(), house.experiment(3)
    house.until(f"/experiments/{experiment}", _is_done)
    files = {"name": "Marked", "kind": "otlp_file", "settings": {"path": "marked.jsonl"}}
    source = house.owner.made(f"{place.at}/datasources", files)["id"]
    search = {"query": "{ }", "datasource_ids": [source], "start": AROUND["start"], "end": AROUND["end"], "limit": 20}
    body = {"name": "Traces", "scope": "traces", "search": search, "score_ids": [judge]}
    mapping = {judge: {"response": "trace:output"}}
    evaluation = house.made("/evaluations", {**body, "mappings": mapping})["id"]
    tally = house.until(f"/evaluations/{evaluation}", _is_done)["tally"]
    assert tally["open"] == 0 < tally["done"]
    judged = [one for one in house.stub.chats if MARK in one.text]
    assert judged, house.get(f"/evaluations/{evaluation}/subjects")
    assert {one.key for one in house.stub.chats} == {KEY}
    messages, dump = anyio.run(_at_rest, house.served.stored)
    logs = house.served.log + house.worker_log.read_text()
    kept = _kept_by(house.broker)
    assert messages.count('"type"') >= 2, "the experiment and the evaluation were each promised"
    assert '"event"' in logs
    assert "key_handed_out" in logs
    for secret in (KEY, WORKER_KEY, SAID, GIVEN, MARK, marked("service"), "It says:"):
        assert secret not in messages, secret
        assert secret not in logs, secret
        assert secret.encode() not in kept, secret
    if house.broker.folder is not None:
        assert b"arcane-key" in kept, "the messages are in the broker's files: the search does find what is there"
    for secret in (KEY, WORKER_KEY, MARK):
        assert secret not in dump, secret
        assert secret.encode().hex() not in dump, secret
    assert GIVEN in dump, "datasets are kept: the search does find what is there"


def _kept_by(broker: BrokerServer) -> bytes:
    """Returns all that the broker has written: its log, queues, dead letters, and what was acknowledged long ago."""
    if broker.folder is None:
        return b""
    positions = {".index", ".timeindex"}  # Kafka's, of numbers only, and large before anything is in them
    files = [path for path in broker.folder.rglob("*") if path.is_file() and path.suffix not in positions]
    return b"".join(path.read_bytes() for path in files)


async def _at_rest(stored: MigratedDatabase) -> tuple[str, str]:
    """Returns every message that was ever promised or queued, and every row of every table."""
    connection = await asyncpg.connect(stored.superuser_dsn)
    try:
        messages = await connection.fetch("SELECT message FROM recorded.messages")
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for (name,) in tables for row in await connection.fetch(f'SELECT t::text FROM "{name}" t')]
    finally:
        await connection.close()
    return "\n".join(row[0] for row in messages), "\n".join(row[0] for row in rows)
