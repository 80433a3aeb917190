"""Lines that leave: no spreadsheet takes them for formulas."""

from __future__ import annotations

import pytest

from arcane.experiments.sending import csv_line


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=x", "\uff1dx", "'=x"])
def test_what_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    assert csv_line([text]) == f'"\'{text}"\r\n'.encode()


def test_numbers_stay_numbers_and_documents_are_json() -> None:
    assert csv_line([-1.5, None, {"a": [1]}, 'say "hi"']) == b'"-1.5","","{""a"":[1]}","say ""hi"""\r\n'
