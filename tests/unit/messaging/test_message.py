"""Messages keep everything on their way through text headers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.messaging.broker import RetryPolicy
from arcane.messaging.envelope import UnreadableMessage
from arcane.messaging.message import Failure, Message, headers_of, message_of, unreadable

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

failures = st.builds(Failure, at=st.datetimes(timezones=st.just(UTC)), error=st.text(max_size=50))
messages = st.builds(
    Message,
    id=st.uuids(),
    queue=st.just("evaluations"),
    key=st.text(max_size=20),
    body=st.binary(max_size=200),
    version=st.integers(1, 9),
    correlation_id=st.text(max_size=20),
    traceparent=st.sampled_from(["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
    failures=st.lists(st.builds(Failure, at=st.datetimes(timezones=st.just(UTC)), error=st.text(max_size=50))).map(
        tuple
    ),
)


@given(messages)
def test_headers_and_body_make_the_same_message_again(message: Message) -> None:
    assert message_of(message.queue, headers_of(message), message.body) == message


@pytest.mark.parametrize("name", ["arcane-id", "arcane-key", "arcane-version", "content-type"])
def test_a_message_without_a_header_is_unreadable(name: str) -> None:
    headers = headers_of(Message(id=uuid4(), queue="q", key="k", body=b""))
    del headers[name]
    with pytest.raises(UnreadableMessage):
        message_of("q", headers, b"")


@pytest.mark.parametrize(
    "broken", [{"arcane-id": "7"}, {"arcane-version": "one"}, {"arcane-failures": "[1]"}, {"arcane-failures": "{"}]
)
def test_a_header_that_makes_no_sense_is_unreadable(broken: dict[str, str]) -> None:
    headers = headers_of(Message(id=uuid4(), queue="q", key="k", body=b"")) | broken
    with pytest.raises(UnreadableMessage):
        message_of("q", headers, b"")


def test_every_failure_is_remembered_and_counts_as_a_try() -> None:
    message = Message(id=uuid4(), queue="q", key="k", body=b"")
    for number in range(3):
        assert message.attempt == number + 1
        message = message.failed(f"fault {number}", NOW)
    assert [failure.error for failure in message.failures] == ["fault 0", "fault 1", "fault 2"]
    assert message.revived().attempt == 1


def test_history_and_errors_are_bounded() -> None:
    message = Message(id=uuid4(), queue="q", key="k", body=b"")
    for _ in range(50):
        message = message.failed("x" * 10_000, NOW)
    assert len(headers_of(message)["arcane-failures"]) < 20_000


def test_a_dead_letter_is_revived_in_the_queue_it_came_from() -> None:
    letter = Message(id=uuid4(), queue="evaluations.dead", key="k", body=b"", failures=(Failure(NOW, "fault"),))
    assert letter.revived() == Message(id=letter.id, queue="evaluations", key="k", body=b"")


def test_the_same_unreadable_message_is_the_same_dead_letter() -> None:
    one, other = unreadable("q", b"junk", "no headers", NOW), unreadable("q", b"junk", "no headers", NOW)
    assert one.id == other.id
    assert one.id != unreadable("q", b"other junk", "no headers", NOW).id


def test_a_message_is_tried_at_0_60_and_660_seconds() -> None:
    policy = RetryPolicy()
    assert policy.attempts == 3
    assert [policy.delay_after(1), policy.delay_after(2), policy.delay_after(3)] == [60.0, 600.0, None]
