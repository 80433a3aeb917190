"""How much a prompt may say, and how much work its templates may make."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from arcane.model.notice import Notice
from arcane.prompting.errors import TooMuch


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`max_template` holds for a message before it is filled, `max_characters` for the whole prompt after.

    `max_steps` counts what is repeated, `seconds` is for what counting does not see. Each of them ends in `TooMuch`.
    """

    max_template: int = 200_000
    max_characters: int = 2_000_000
    max_steps: int = 200_000
    seconds: float = 5.0


class Budget:
    """What is left of the bounds while one prompt is filled."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._ends = clock() + bounds.seconds
        self._steps = bounds.max_steps
        self._written = bounds.max_characters
        # what a template makes of its inputs on the way (a joined text, a copy) is not what it writes
        self._made = 4 * bounds.max_characters

    def step(self) -> None:
        """Counts one repetition, and looks at the clock."""
        self._steps -= 1
        if self._steps < 0 or self._clock() > self._ends:
            raise TooMuch(Notice("Filling this template takes too long; it repeats too much."))

    def write(self, characters: int) -> None:
        """Counts text of the filled prompt."""
        self._written -= characters
        if self._written < 0:
            raise TooMuch(
                Notice("The filled prompt is longer than %(limit)d characters.", limit=self._bounds.max_characters)
            )

    def make(self, characters: int) -> None:
        """Counts text that is made on the way."""
        self.step()
        self._made -= characters
        if self._made < 0:
            raise TooMuch(Notice("Filling this template makes too much text on the way."))
