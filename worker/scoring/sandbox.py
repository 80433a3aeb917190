"""Where Python of users runs: an interpreter of its own (monty, not CPython) in a process of its own.

It has no files, sockets, environment or imports but its own small standard library. Time counts twice: the
interpreter's own clock, which stops while it sleeps, and ours, after which the process is ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from worker.scoring.errors import CodeFailed
from worker.scoring.lazily import library

_GRACE_S = 2.0
_LINE_MAX = 200
_TELLING = frozenset(
    {"SyntaxError", "NameError", "AttributeError", "TypeError", "ZeroDivisionError", "ModuleNotFoundError"}
    | {"ImportError", "TimeoutError", "MemoryError", "RecursionError", "PermissionError", "NotImplementedError"}
)
"""Errors whose message is about the code. That of any other may repeat what the code read, and is left out."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Bounds of one call."""

    seconds: float = 2.0
    memory_bytes: int = 64 * 1024 * 1024
    output_bytes: int = 64 * 1024
    depth: int = 200

    async def call(self, function: str, code: str, arguments: Mapping[str, Any]) -> Any:
        """Returns what `function` of `code` returns; raises CodeFailed with the line where it went wrong."""
        monty = await library("pydantic_monty")
        limits = {
            "max_feed_duration_secs": self.seconds,
            "max_memory": self.memory_bytes,
            "max_recursion_depth": self.depth,
        }
        program = f"{code}\n{function}(**_arguments)"
        printed = monty.CollectString(max_bytes=self.output_bytes)
        last = code.count("\n") + 1
        try:
            with anyio.fail_after(self.seconds + _GRACE_S):
                async with (
                    monty.AsyncMonty(min_processes=0, max_processes=1) as pool,
                    pool.checkout(script_name="score.py", limits=limits) as session,
                ):
                    return await session.feed_run(
                        program, inputs={"_arguments": dict(arguments)}, print_callback=printed
                    )
        except monty.MontyConversionError as exc:
            raise CodeFailed("an input is not something that Python in the sandbox can read") from exc
        except monty.MontyError as exc:
            raise CodeFailed(self._told(exc, last)) from None
        except TimeoutError:
            raise CodeFailed(f"`{function}` took longer than {self.seconds:g} s") from None

    def _told(self, exc: Any, last: int) -> str:
        """The place, the kind of error, and its message where that is about the code."""
        kind, _, message = _shown(exc).partition(":")
        if kind == "TimeoutError":
            return f"the code took longer than {self.seconds:g} s"
        if kind == "MemoryError":
            return f"the code needed more than {self.memory_bytes // 1024**2} MiB, or printed too much"
        frames = [frame for frame in exc.traceback() if frame.line <= last] if hasattr(exc, "traceback") else []
        where = f"line {frames[-1].line}: " if frames else ""
        told = f"{kind}:{message}" if kind in _TELLING else kind
        return f"{where}{told.strip()[:_LINE_MAX]}"


def _shown(exc: Any) -> str:
    try:
        return str(exc.display("type-msg"))
    except (AttributeError, TypeError):
        return type(exc).__name__
