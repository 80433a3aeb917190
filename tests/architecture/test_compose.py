"""compose.yaml and the Dockerfile fit the settings and each other, as far as that shows without a Docker engine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic_settings import BaseSettings

import arcane.settings
import worker.settings
from tests.support.repository_files import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
NOT_SERVING = {"migrate", "demo"}


def variables(settings: type[BaseSettings]) -> Iterator[str]:
    for group, field in settings.model_fields.items():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel)
        for name in field.annotation.model_fields:
            yield f"ARCANE_{group}__{name}".upper()


BACKEND_VARIABLES = set(variables(arcane.settings.Settings))
WORKER_VARIABLES = set(variables(worker.settings.Settings))


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = service.get("environment", {})
    return {name: value for name, value in environment.items() if name.startswith("ARCANE_")}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_a_service_is_a_setting_of_its_process(name: str) -> None:
    known = WORKER_VARIABLES if OURS[name]["build"]["target"] == "worker" else BACKEND_VARIABLES
    assert set(settings_of(OURS[name])) - known == set()


def test_every_variable_that_a_person_has_to_set_is_explained() -> None:
    guide = (ROOT / "docs/how-to/run-with-compose.md").read_text()
    asked_for = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text()))
    assert asked_for
    assert {name for name in asked_for if name not in guide} == set()


def test_every_variable_in_the_dockerfile_is_a_setting() -> None:
    named = set(re.findall(r"\bARCANE_\w+__\w+", DOCKERFILE))
    assert named
    assert named - (BACKEND_VARIABLES | WORKER_VARIABLES) == set()


def test_the_worker_is_on_the_core_network_only() -> None:
    assert SERVICES["worker"]["networks"] == ["core"]
    assert set(SERVICES["backend"]["networks"]) == {"core", "backends"}
    for name in ("tempo", "jaeger", "clickhouse", "collector"):
        assert SERVICES[name]["networks"] == ["backends"], name
    for name in ("postgres", "rabbitmq", "kafka", "migrate"):
        assert SERVICES[name]["networks"] == ["core"], name


def test_the_worker_is_given_no_way_to_the_database_and_no_key_ring() -> None:
    assert [name for name in settings_of(SERVICES["worker"]) if "DATABASE" in name or "SECRETS" in name] == []


def test_the_backend_is_not_given_the_owner_of_the_tables() -> None:
    assert "ARCANE_DATABASE__URL" not in settings_of(SERVICES["backend"])
    assert "ARCANE_DATABASE__URL" in settings_of(SERVICES["migrate"])
    assert "arcane_app:" in settings_of(SERVICES["backend"])["ARCANE_DATABASE__APP_URL"]


def test_the_profiles_are_those_that_the_documentation_names() -> None:
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", ())}
    assert profiles == {"rabbitmq", "kafka", "lab"}
    assert {name for name, service in SERVICES.items() if "lab" in service.get("profiles", ())} == {
        "tempo",
        "jaeger",
        "clickhouse",
        "collector",
        "demo",
    }


def test_every_service_that_serves_is_checked_for_its_health() -> None:
    for name in ("postgres", "rabbitmq", "kafka", "clickhouse"):
        assert SERVICES[name]["healthcheck"]["test"], name
    for name in set(OURS) - NOT_SERVING:
        assert "HEALTHCHECK" in stage(OURS[name]["build"]["target"]), name
    for name in NOT_SERVING:
        assert SERVICES[name]["healthcheck"] == {"disable": True}, name


def test_what_depends_on_health_depends_on_something_that_has_one() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                checked = "healthcheck" in SERVICES[needed] or "HEALTHCHECK" in stage(OURS[needed]["build"]["target"])
                assert checked, f"{name} waits for the health of {needed}"
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[needed]["restart"] == "no", f"{name} waits for {needed}, which never ends"


def test_ports_are_the_defaults_of_the_settings() -> None:
    backend_port = arcane.settings.ServerSettings().port
    health_port = worker.settings.WorkerSettings.model_fields["health_port"].default
    assert SERVICES["backend"]["ports"] == [f"127.0.0.1:{backend_port}:{backend_port}"]
    assert f"EXPOSE {backend_port}" in stage("backend")
    assert f"127.0.0.1:{backend_port}/health/ready" in stage("backend")
    assert f"EXPOSE {health_port}" in stage("worker")
    assert f"127.0.0.1:{health_port}/health/ready" in stage("worker")
    assert SERVICES["worker"]["environment"]["ARCANE_WORKER__BACKEND_URL"] == f"http://backend:{backend_port}"


def test_the_guard_lets_the_backend_reach_the_network_of_the_lab() -> None:
    subnet = COMPOSE["networks"]["backends"]["ipam"]["config"][0]["subnet"]
    assert f'["{subnet}"]' in SERVICES["backend"]["environment"]["ARCANE_EGRESS__ALLOW_NETWORKS"]


@pytest.mark.parametrize("target", ["backend", "worker"])
def test_an_image_does_not_run_as_root(target: str) -> None:
    assert re.search(r"^USER arcane$", stage(target), re.MULTILINE)


def test_the_worker_image_holds_only_what_a_worker_may_import() -> None:
    copied = set(re.findall(r"COPY --from=packages /app/(\S+)", stage("worker")))
    packages = {"arcane/messaging", "arcane/model", "arcane/kit", "arcane/prompting"}
    assert copied == {"arcane/__init__.py", *packages, "worker"}


def test_the_worker_image_holds_all_that_a_worker_imports(tmp_path: Path) -> None:
    for name in re.findall(r"COPY --from=packages /app/(\S+)", stage("worker")):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(ROOT / name)
    program = (
        "import pkgutil, worker; "
        "[__import__(found.name) for found in pkgutil.walk_packages(worker.__path__, 'worker.')]; "
        "print(worker.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{tmp_path}/worker/__init__.py\n", "")


def test_an_image_copies_only_what_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == path or source.startswith(f"{path}/") for path in allowed), source


def test_a_configuration_written_here_is_valid_yaml() -> None:
    for name, config in COMPOSE["configs"].items():
        assert yaml.safe_load(re.sub(r"\$\{[^}]*\}", "x", config["content"])), name


def test_every_volume_and_config_that_is_used_is_declared() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"], name
        for config in service.get("configs", ()):
            assert config["source"] in COMPOSE["configs"], name


def stage(target: str) -> str:
    """Returns the part of the Dockerfile that makes `target`."""
    found = re.search(rf"^FROM \S+ AS {target}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"no target {target}"
    return found.group(1)
