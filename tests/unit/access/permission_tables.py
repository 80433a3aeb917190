"""Writes the tables of docs/reference/permissions.md.

`python -m tests.unit.access.permission_tables` updates the file.
"""

from __future__ import annotations

from pathlib import Path

from arcane.access.permissions import LEVELS, SYSTEM_ROLES, KeyScope, Level

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "permissions.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def tables() -> str:
    """Returns the roles, and every permission with who holds it."""
    roles = list(SYSTEM_ROLES.values())
    lines = ["## System roles", "", "| Role | Level | What for |", "|---|---|---|"]
    lines += [f"| {role.name} | {role.level} | {role.description} |" for role in roles]
    lines += ["", "## Who holds what", "", "An API key counts as a role: " + _keys() + ".", ""]
    lines += ["| Permission | Level | " + " | ".join(role.name for role in roles) + " |", "|---|---|" + "---|" * 6]
    for permission, level in LEVELS.items():
        marks = ["✓" if permission in role.permissions or "*" in role.permissions else "" for role in roles]
        lines.append(f"| `{permission}` | {level} | " + " | ".join(marks) + " |")
    counts = {level: sum(1 for value in LEVELS.values() if value is level) for level in Level}
    lines += [
        "",
        f"{len(LEVELS)} permissions: " + ", ".join(f"{n} of the {level}" for level, n in counts.items()) + ".",
    ]
    return "\n".join(lines)


def _keys() -> str:
    return ", ".join(f"scope `{scope}` as {scope.role.name}" for scope in KeyScope)


def rewritten(page: str) -> str:
    """Returns the page with today's tables."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
