"""What reading conventions costs a span: plain spans, and spans of LLM libraries. `python -m bench.conventions`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from arcane.conventions import ListPrices, view_of
from arcane.demo.generate import write_demo
from arcane.model.span import Span
from arcane.spi import decode_json
from bench.table import print_table, verdict

PLAIN_BOUND_US = 1.0
_ROUNDS = 5


def _spans() -> list[Span]:
    with tempfile.TemporaryDirectory() as folder:
        write_demo(Path(folder))
        lines = [line for path in Path(folder).glob("*/*.jsonl") for line in path.read_bytes().splitlines()]
    return [span for line in lines for span in decode_json(line)]


def _microseconds(spans: list[Span], prices: ListPrices) -> float:
    """Returns the best of some rounds, a span."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for span in spans:
            view_of(span, prices)
        best = min(best, time.perf_counter() - began)
    return best / len(spans) * 1e6


def main() -> None:
    prices = ListPrices()
    spans = _spans()
    plain = [span for span in spans if view_of(span, prices) is None]
    speaking = [span for span in spans if view_of(span, prices) is not None]
    cost = _microseconds(plain, prices)
    rows: list[list[object]] = [
        ["plain", len(plain), cost, verdict(cost, PLAIN_BOUND_US)],
        ["LLM", len(speaking), _microseconds(speaking, prices), ""],
    ]
    print_table("view_of over the demo", ("spans", "count", "µs a span", "bound 1 µs"), rows)


if __name__ == "__main__":
    main()
