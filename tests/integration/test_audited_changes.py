"""No transaction of a person changes a table without an audit entry: the database itself looks when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import asyncpg
import pytest

from tests.support.postgres import Server
from tests.support.premises import Premises, premises, served_over_corpus
from tests.support.served import Served

pytestmark = pytest.mark.postgres

LEDGERS = {("prompt_runs", "INSERT"), ("prompt_runs", "UPDATE")}
"""They say themselves who did it, when and for how much."""
BY_PERSON = "coalesce(current_setting('arcane.user_id', true), '') <> ''"
WATCH = f"""
CREATE SCHEMA watch;
CREATE TABLE watch.unaudited (changed text, how text);
CREATE FUNCTION watch.audited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('watch.audited', txid_current()::text, true);
  RETURN NULL;
END $$;
CREATE FUNCTION watch.changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF coalesce(current_setting('watch.audited', true), '') <> txid_current()::text THEN
    INSERT INTO watch.unaudited VALUES (TG_TABLE_NAME, TG_OP);
  END IF;
  RETURN NULL;
END $$;
GRANT USAGE ON SCHEMA watch TO PUBLIC;
CREATE TRIGGER watched AFTER INSERT ON public.audit_entries FOR EACH ROW EXECUTE FUNCTION watch.audited();
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('audit_entries', 'alembic_version')
  LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON public.%I '
      'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({BY_PERSON.replace("'", "''")}) '
      'EXECUTE FUNCTION watch.changed()', name);
  END LOOP;
END $$;
"""


def _changes(place: Premises) -> Iterator[tuple[str, str, Any]]:
    """Yields what people change once everything is there."""
    at, inside = place.at, place.in_project
    dataset, prompt = f"{inside}/datasets/{place.dataset_id}", f"{inside}/prompts/{place.prompt}"
    evaluation, experiment = (
        f"{inside}/evaluations/{place.evaluation_id}",
        f"{inside}/experiments/{place.experiment_id}",
    )
    named = {"name": "Another name"}
    for thing in (
        at,
        inside,
        f"{at}/roles/{place.role_id}",
        f"{inside}/roles/{place.project_role_id}",
        f"{at}/datasources/{place.datasource_id}",
        f"{at}/model-configurations/{place.configuration_id}",
        dataset,
        prompt,
        experiment,
        evaluation,
        "/api/v1/accounts/me",
    ):
        yield "PATCH", thing, named
    said = {"messages": [{"role": "user", "text": "Bye {{name}}"}], "model_configuration_id": place.configuration_id}
    yield "POST", f"{prompt}/versions", said
    yield "POST", f"{prompt}/versions/v1/promote", None
    yield "PUT", f"{prompt}/labels/staging", {"version": "v0"}
    yield "DELETE", f"{prompt}/labels/staging", None
    yield "POST", f"{dataset}/rows", {"rows": [{"values": {"question": "2+2"}}]}
    yield "PATCH", f"{dataset}/rows", {"rows": [{"row_id": place.row_id, "values": {"question": "3+3"}}]}
    yield "POST", f"{dataset}/splits", {"split": "test", "row_ids": [place.row_id]}
    yield "POST", f"{dataset}/versions/1/restore", None
    yield "PUT", f"{inside}/scores/{place.score_id}", named
    yield "PUT", f"{inside}/score-models", {"model_id": place.configuration_id}
    yield "PUT", f"{evaluation}/subjects/{place.subject_id}/scores/{place.score_id}", {"value": 1.0}
    yield "PUT", f"{inside}/attribute-visibility-rules/{place.rule_id}", {"hidden_role_ids": []}
    yield "PUT", f"{inside}/members/{place.user_id}/roles/{place.project_role_id}", None
    yield "DELETE", f"{inside}/members/{place.user_id}/roles/{place.project_role_id}", None
    yield "POST", f"/api/v1/users/{place.user_id}/password-link", None
    yield "PUT", f"/api/v1/users/{place.user_id}/owner", None
    yield "DELETE", f"/api/v1/users/{place.user_id}/owner", None


def _removals(place: Premises) -> Iterator[tuple[str, str, Any]]:
    """Yields what people take away, the innermost first."""
    at, inside = place.at, place.in_project
    for thing in (
        f"{inside}/evaluations/{place.evaluation_id}",
        f"{inside}/experiments/{place.experiment_id}",
        f"{inside}/scores/{place.score_id}",
        f"{inside}/prompts/{place.prompt}",
        f"{inside}/datasets/{place.dataset_id}",
        f"{inside}/attribute-visibility-rules/{place.rule_id}",
        f"{inside}/api-keys/{place.key_id}",
        f"{inside}/roles/{place.project_role_id}",
        f"{inside}/members/{place.user_id}",
        f"{at}/datasources/{place.datasource_id}",
        f"{at}/invitations/{place.invitation_id}",
        f"{at}/members/{place.user_id}",
        f"{at}/roles/{place.role_id}",
        inside,
        at,
        f"/api/v1/users/{place.user_id}",
        "/api/v1/sessions/others",
    ):
        yield "DELETE", thing, None


@pytest.fixture
def watched(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A backend whose database writes down each change that is committed without an audit entry."""
    with served_over_corpus(postgres_server, template_database, tmp_path_factory.mktemp("watched")) as served:
        anyio.run(served.stored.server.execute, WATCH, served.stored.name)
        yield served


def test_every_change_of_a_person_is_committed_with_its_audit_entry(watched: Served) -> None:
    owner = watched.owner()
    place = premises(watched, owner)
    refused = []
    for method, path, body in (*_changes(place), *_removals(place)):
        answer = owner.call(method, path, body)
        refused += [] if answer.is_success else [f"{method} {path}: {answer.status_code} {answer.text[:300]}"]
    assert refused == []

    async def unaudited() -> set[tuple[str, str]]:
        connection = await asyncpg.connect(watched.stored.superuser_dsn)
        rows = await connection.fetch("SELECT DISTINCT changed, how FROM watch.unaudited")
        await connection.close()
        return {(row["changed"], row["how"]) for row in rows}

    assert anyio.run(unaudited) - LEDGERS == set()
    assert anyio.run(unaudited) & LEDGERS, "what is not audited is seen"
