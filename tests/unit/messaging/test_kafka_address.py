"""One URL says where a Kafka is and how to come in."""

from __future__ import annotations

import pytest

from arcane.messaging.kafka_address import BadAddress, KafkaAddress


def test_a_plain_address_names_its_servers() -> None:
    address = KafkaAddress.of("kafka://one:9093,two/?partitions=6&replication=3")
    assert address.servers == ("one:9093", "two:9092")
    assert (address.partitions, address.replication) == (6, 3)
    assert address.client_options() == {
        "bootstrap_servers": ["one:9093", "two:9092"],
        "security_protocol": "PLAINTEXT",
    }


def test_credentials_and_tls_are_for_every_client() -> None:
    options = KafkaAddress.of("kafka+ssl://me:p%40ss@host/?sasl=scram-sha-512").client_options()
    assert options.pop("ssl_context") is not None
    assert options == {
        "bootstrap_servers": ["host:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": "p@ss",
    }


@pytest.mark.parametrize(
    "url",
    [
        "amqp://host",
        "host:9092",
        "kafka://",
        "kafka://host/?sasl=GSSAPI",
        "kafka://host/?partitions=0",
        "kafka://host/?partitions=many",
        "kafka://host/?acks=0",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadAddress) as caught:
        KafkaAddress.of(url.replace("//host", "//me:secret@host"))
    assert "secret" not in str(caught.value)
