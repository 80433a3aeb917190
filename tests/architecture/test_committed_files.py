"""What is committed works on any machine, behind any package mirror."""

from __future__ import annotations

import re

from tests.support.repository_files import ROOT, files, sources

# In pieces, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("registry", "yarnpkg", "com"),
            ("crates", "io"),
            ("proxy", "golang", "org"),
            ("repo1", "maven", "org"),
            ("deb", "debian", "org"),
        )
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:work|farm|home/\w+|Users/\w+|root)/[\w.-]+")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".lock",
    ".ts",
    ".mjs",
    ".js",
    ".css",
    ".html",
    ".ini",
    ".cfg",
    ".txt",
    "",
}


def found(pattern: re.Pattern[str]) -> set[str]:
    places = set()
    for path in files():
        if path.suffix in TEXT and path.name != ".gitignore":
            for match in pattern.finditer((ROOT / path).read_text(errors="ignore")):
                places.add(f"{path}: {match.group()}")
    return places


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRY_HOSTS) == set()


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert found(MACHINE_PATHS) == set()


def test_the_lock_files_hold_hashes_and_no_addresses() -> None:
    locks = [path for path in files() if path.name.endswith(".lock") or path.name == "package-lock.json"]
    assert {path.name for path in locks} == {
        "requirements.lock",
        "requirements-local.lock",
        "requirements-dev.lock",
        "package-lock.json",
    }
    for path in locks:
        text = (ROOT / path).read_text()
        assert '"resolved"' not in text, path
        assert not re.search(r"^--|\burl\s*=", text, re.MULTILINE), path
        assert "sha256:" in text or '"integrity": "sha512-' in text, path


def test_no_file_of_somebody_else_is_committed() -> None:
    bundles = [path for path in sources(".js", ".css") if "dist" in path.parts or path.name.endswith(".min.js")]
    assert bundles == []
