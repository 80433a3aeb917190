"""What Jaeger's storages do with a search. Pure data.

Jaeger has one API and many storages, and it does not say which one it has. They differ in what a search
may leave out, so what may be pushed down is decided here:

- Cassandra reads three index rows for each trace that is asked for, and a trace has a row a span: an answer
  below the limit may still be cut. It takes no duration beside tags, which tags it indexes is configured,
  and without a service it finds nothing.
- Elasticsearch, OpenSearch and Badger store lists as text, so what a tag equals is what Arcane compares.
- Memory and ClickHouse keep lists, and compare a list with a text as if it were one: `span.tags = "a"`,
  which holds for a list with "a" in it, finds none of them. Over the first API they come back as text.
- Kind and status are tags where spans are stored as Jaeger's own; memory and ClickHouse have no such tags.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Store:
    """One storage. `sure` says whether an answer below the limit is all there is; None says nobody knows."""

    sure: bool | None
    serviceless: bool | None
    """A search without a service finds all that match, over the third API."""
    tags: bool = False
    """Tags find a superset over the third API."""
    tags_of_v1: bool = False
    """Tags find a superset over the first API."""
    marks: bool = False
    """Kind and status can be asked for as tags."""


STORES = {
    "unknown": Store(sure=None, serviceless=None),
    "cassandra": Store(sure=False, serviceless=False),
    "elasticsearch": Store(sure=True, serviceless=True, tags=True, tags_of_v1=True, marks=True),
    "badger": Store(sure=True, serviceless=True, tags=True, tags_of_v1=True, marks=True),
    "clickhouse": Store(sure=True, serviceless=True),
    "memory": Store(sure=True, serviceless=True, tags_of_v1=True),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked of one Jaeger, as far as it is known."""

    sure: bool = False
    """An answer below the limit is all there is, and every condition on the list counts."""
    serviceless: bool = False
    tags: bool = False
    marks: bool = False


def reach_of(store: Store, *, proven: bool, first_api: bool, attributes: bool) -> Reach:
    """Returns what may be asked. `proven`: it answered without a service; `attributes`: its API takes them."""
    sure = proven if store.sure is None else store.sure
    if first_api:
        return Reach(sure, serviceless=False, tags=store.tags_of_v1, marks=store.tags_of_v1 and store.marks)
    serviceless = proven if store.serviceless is None else store.serviceless
    tags = store.tags and attributes
    return Reach(sure, serviceless, tags, marks=tags and store.marks)
