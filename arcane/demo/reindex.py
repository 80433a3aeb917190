"""The large trace: a nightly re-index of the knowledge base, exactly as many spans as asked for."""

from __future__ import annotations

from arcane.demo.cast import AGENTS
from arcane.demo.nodes import Failure, Node, NodeKind
from arcane.demo.play import MS, Player

_SERVICE = "ingest"
_SCOPE = ("kb.ingest", "0.14.2")
_SHARDS = 16
_FAILURE = Failure("UpsertConflict", "409: collection is being optimised")


def reindex(player: Player, start: int, spans: int) -> Node:
    """Returns the workflow's root with `spans` nodes in all."""
    agent = AGENTS["research-agent"]
    root = Node(NodeKind.WORKFLOW, "reindex knowledge base", _SERVICE, start, agent=agent)
    root.attributes = {"workflow.shards": _SHARDS, "workflow.trigger": "schedule", "collection": "kb"}
    clocks = [start + (20 + 5 * shard) * MS for shard in range(_SHARDS)]
    shards = [Node(NodeKind.WORKFLOW, f"shard {n:02}", _SERVICE, clocks[n], agent=agent) for n in range(_SHARDS)]
    root.children.extend(shards)
    left, number = spans - 1 - _SHARDS, 0
    while left > 0:
        shard = number % _SHARDS
        player.now = clocks[shard]
        document = _document(player, number, left)
        shards[shard].children.append(document)
        clocks[shard] = player.now + 2 * MS
        left -= sum(1 for _ in document.walk())
        number += 1
    for shard_node, clock in zip(shards, clocks, strict=True):
        shard_node.end = clock
        shard_node.attributes = {"documents": len(shard_node.children)}
    root.end = player.now = max(clocks) + 40 * MS
    return root


def _document(player: Player, number: int, most: int) -> Node:
    """Returns one document's node, at most `most` nodes: load, chunk, embed every chunk, write the points."""
    rng, agent = player.rng, AGENTS["research-agent"]
    node = Node(NodeKind.WORKFLOW, "index document", _SERVICE, player.now, agent=agent)
    node.attributes = {
        "document.path": f"kb/{rng.choice(('policies', 'guides', 'notes'))}/{number:04}.md",
        "document.index": number,
    }
    load = _plain(player, "GET", 3, (4, 60))
    load.attributes = {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "wiki.internal.example",
    }
    chunks = rng.randrange(2, 9)
    split = _plain(player, "split into chunks", 1, (1, 9))
    split.attributes = {"chunks": chunks, "chunk.bytes": [rng.randrange(300, 1200) for _ in range(chunks)]}
    embedded = [player.embed(agent, f"chunk {index} of document {number} " * 8) for index in range(chunks)]
    for call in embedded:
        call.service = _SERVICE
    write = _plain(player, "upsert kb", 3, (3, 30))
    write.attributes = {"db.system.name": "qdrant", "db.operation.name": "upsert", "db.operation.batch.size": chunks}
    if number % 61 == 60:
        write.failure = _FAILURE
    node.children = [load, split, *embedded, write][: most - 1]
    node.end = player.now
    return node


def _plain(player: Player, name: str, span_kind: int, milliseconds: tuple[int, int]) -> Node:
    start = player.now
    player.now += player.rng.randrange(*milliseconds) * MS
    return Node(NodeKind.PLAIN, name, _SERVICE, start, player.now, span_kind=span_kind, scope=_SCOPE)
