"""`arcane tail`: traces as they appear, a line each, over the instance's event stream."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from arcane.client.asked import Asked
from arcane.client.errors import ClientError, Exit
from arcane.client.instance import Instance
from arcane.client.show import clean, tail_line

_TRIES = 5
_LONGEST_WAIT_S = 15.0
_REMEMBERED = 1_000
_COME_BACK = "changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    body: dict[str, Any]


@dataclass(slots=True)
class Stream:
    """Events of a tail, also over connections that break: it comes back and goes on where it was."""

    instance: Instance
    asked: Asked
    sleep: Callable[[float], None] = time.sleep
    _mark: str = ""

    def events(self) -> Iterator[Event]:
        """Yields events until the tail is over; raises ClientError."""
        failures = 0
        while failures < _TRIES:
            try:
                with self.instance.tail(self.asked, self._mark) as answer:
                    for event in self._read(answer):
                        failures = 0
                        if event.name == "end" and event.body["reason"] != _COME_BACK:
                            raise ClientError(str(event.body["message"]), Exit.REFUSED)
                        yield event
            except httpx.HTTPError:
                failures += 1
                self.sleep(min(_LONGEST_WAIT_S, 2.0**failures / 2))
        raise ClientError(f"{self.instance.http.base_url} does not answer any more")

    def _read(self, answer: httpx.Response) -> Iterator[Event]:
        name, lines = "", list[str]()
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                lines.append(value)
            elif key == "id":
                self._mark = value
            elif not line and lines:
                yield Event(name, json.loads("\n".join(lines)))
                name, lines = "", []


@dataclass(slots=True)
class Printer:
    """Prints events: traces on `console`, what goes wrong on `aside`."""

    console: Console
    aside: Console
    as_json: bool
    _names: dict[str, str] = field(default_factory=dict)
    _faults: dict[str, str] = field(default_factory=dict)
    _told: OrderedDict[str, tuple[Any, ...]] = field(default_factory=OrderedDict)

    def show(self, event: Event) -> bool:
        """Returns True when the event was a trace that was printed."""
        match event.name:
            case "open":
                self._names = {source["id"]: source["name"] for source in event.body["sources"]}
                whole = [source["name"] for source in event.body["sources"] if source["whole"]]
                if whole:
                    self._say(f"conditions on whole traces are judged by what each of {', '.join(whole)} has of them")
            case "trace":
                return self._trace(event.body["trace"])
            case "poll":
                self._poll(event.body["source"])
            case "dropped":
                self._say(f"{event.body['count']} traces came faster than they were read, and are not shown")
        return False

    def _trace(self, item: dict[str, Any]) -> bool:
        said = (item["matched"], item["span_count"], item["error_count"], item["duration_ns"], len(item["datasources"]))
        before = self._told.pop(item["trace_id"], None)
        self._told[item["trace_id"]] = said
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        if before == said:  # told again after a connection broke
            return False
        if self.as_json:
            self.console.file.write(json.dumps(item, ensure_ascii=False) + "\n")
            self.console.file.flush()
        else:
            self.console.print(tail_line(item, self._names, grown=before is not None), soft_wrap=True)
        return True

    def _poll(self, source: dict[str, Any]) -> None:
        """A fault is told once, and that it is over."""
        error = source["error"]
        message = "" if error is None else str(error["kind"])
        if message == self._faults.get(source["name"], ""):
            return
        self._faults[source["name"]] = message
        self._say(f"{source['name']}: {error['message'] if error else 'answers again'}")

    def _say(self, sentence: str) -> None:
        self.aside.print(Text(clean(f"arcane: {sentence}"), style="yellow"), soft_wrap=True)


def print_tail(stream: Stream, printer: Printer, limit: int | None) -> None:
    """Returns after `limit` traces were printed, None: when somebody ends it; raises ClientError."""
    printed = 0
    for event in stream.events():
        printed += printer.show(event)
        if limit is not None and printed >= limit:
            return
