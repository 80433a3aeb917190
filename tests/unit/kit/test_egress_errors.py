import ssl
from types import ModuleType

import pytest
from aiohttp import client_exceptions, http_exceptions
from yarl import URL

from arcane.kit.egress_errors import TRANSLATIONS, AddressRefused, Translating, translate
from arcane.kit.egress_url import Origin
from arcane.model.deadline import Deadline
from arcane.spi.errors import BadResponse, DatasourceError, Forbidden, TimedOut, TooLarge, Unreachable

ORIGIN = Origin("https", "tempo.example", 443)


def exceptions_of(module: ModuleType) -> list[type[BaseException]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Exception)]
    return [kind for kind in found if kind.__module__ == module.__name__]


@pytest.mark.parametrize("kind", [*exceptions_of(client_exceptions), *exceptions_of(http_exceptions)])
def test_every_exception_of_aiohttp_is_translated(kind: type[BaseException]) -> None:
    assert kind in TRANSLATIONS, f"aiohttp has {kind.__name__}: say in egress_errors.py what it means"
    exc = kind.__new__(kind)
    error = translate(exc, ORIGIN)
    assert isinstance(error, DatasourceError)
    assert "tempo.example" in str(error)


def fails(exc: BaseException, deadline: Deadline | None = None) -> DatasourceError:
    with pytest.raises(DatasourceError) as failure, Translating(ORIGIN, deadline or Deadline.after(5)):
        raise exc
    return failure.value


def test_a_message_has_neither_query_nor_chain() -> None:
    error = fails(client_exceptions.InvalidUrlClientError(URL("https://tempo.example/?q=canary")))
    assert "canary" not in str(error)
    assert error.__suppress_context__
    assert error.__cause__ is None


def test_time_is_told_apart_by_the_deadline() -> None:
    slow = client_exceptions.ConnectionTimeoutError("Connection timeout to host https://tempo.example/?q=canary")
    assert isinstance(fails(slow), Unreachable)
    assert isinstance(fails(slow, Deadline.after(-1)), TimedOut)
    assert isinstance(fails(TimeoutError()), TimedOut)


def test_causes_decide_where_aiohttp_wraps() -> None:
    too_long = client_exceptions.ClientResponseError(None, ())  # type: ignore[arg-type]
    too_long.__cause__ = http_exceptions.LineTooLong("x", 1)
    assert isinstance(fails(too_long), TooLarge)
    garbled = client_exceptions.ClientPayloadError()
    garbled.__cause__ = http_exceptions.ContentEncodingError("gzip")
    assert "decompressed" in str(fails(garbled))
    assert isinstance(fails(client_exceptions.ClientPayloadError()), BadResponse)
    assert isinstance(fails(AddressRefused("10.0.0.1 is private")), Forbidden)


def test_a_certificate_problem_says_what_is_wrong_with_it() -> None:
    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "certificate has expired"
    error = fails(client_exceptions.ClientConnectorCertificateError(None, cause))  # type: ignore[arg-type]
    assert str(error) == "the certificate of tempo.example:443 is not trusted: certificate has expired"


def test_bugs_and_cancellation_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), Translating(ORIGIN, Deadline.after(5)):
        raise ZeroDivisionError
