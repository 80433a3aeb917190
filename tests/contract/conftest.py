"""Failures inside the public suite show their values, as those of a test module do."""

import pytest

pytest.register_assert_rewrite("arcane.spi.testing")
