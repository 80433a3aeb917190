"""Why a shell got no answer, in one line, and the exit code that says so."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `arcane query` and `arcane explain`; 2 is the command line's own (a wrong option)."""

    COMPLETE = 0
    UNREACHED = 1  # the instance, or the files, could not be asked
    PARTIAL = 3  # there is an answer, and datasources are missing from it
    REFUSED = 4  # the instance refused: a bad query, no permission, all datasources failed
    BELOW = 5  # an evaluation is over, and a score is below what it has to reach


_ROWS_SHOWN = 10


class ClientError(Exception):
    """There is no answer. The message is one line, or one and the place in a query."""

    def __init__(self, message: str, code: Exit = Exit.UNREACHED) -> None:
        super().__init__(message)
        self.code = code


def refused(problem: dict[str, object], query: str = "") -> ClientError:
    """Returns the error that a problem detail is; a place in the query is pointed at."""
    line = str(problem.get("detail") or problem.get("title") or "refused")
    hint = problem.get("hint")
    lines = [f"{line}; {hint}" if hint else line]
    lines += _pointer(problem.get("position"), query)
    lines += [_bad_row(row) for row in _list(problem.get("errors"))[:_ROWS_SHOWN] if "line" in row]
    lines += [_bad_part(row) for row in _list(problem.get("errors"))[:_ROWS_SHOWN] if "pointer" in row]
    for source in _list(problem.get("sources")):
        error = source.get("error")
        if isinstance(error, dict):
            lines.append(f"  {source.get('name')}: {error.get('message')}")
    return ClientError("\n".join(lines), Exit.REFUSED)


def _bad_part(part: dict[str, object]) -> str:
    """What is wrong with a part of what was sent, and which part that is."""
    place = str(part["pointer"]).removeprefix("#/").replace("/", ".")
    return f"  {place}: {part.get('detail')}" if place else f"  {part.get('detail')}"


def _pointer(position: object, query: str) -> list[str]:
    match position:
        case {"line": int(line), "column": int(column), "length": int(length)}:
            lines = query.split("\n")  # as the parser counts them: no other character ends a line of a query
            if 1 <= line <= len(lines):
                shown = lines[line - 1]
                ahead = "".join("\t" if character == "\t" else " " for character in shown[: column - 1])
                return [f"  {shown}", f"  {ahead:<{column - 1}}{'^' * max(1, length)}"]
    return []


def _bad_row(row: dict[str, object]) -> str:
    where = f"line {row['line']}" + (f", {row['column']}" if row.get("column") else "")
    return f"  {where}: {row.get('message')}"


def _list(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
