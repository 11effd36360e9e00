from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.listing import Mark
from read_api.cursor import Cursors
from read_api.errors import InvalidCursor

cursors = Cursors("a secret of the tests")
marks = st.builds(Mark, st.text() | st.integers(-(2**63), 2**63 - 1), st.uuids())


@given(st.text(), marks)
def test_a_cursor_opens_to_what_was_signed(of: str, mark: Mark) -> None:
    assert cursors.open(of, cursors.sign(of, mark), "after") == mark


@given(marks, st.data())
def test_a_changed_cursor_is_refused(mark: Mark, data: Any) -> None:
    signed = cursors.sign("orders", mark)
    at = data.draw(st.integers(0, len(signed) - 2))  # the last character may hold bits that mean nothing
    other = data.draw(st.sampled_from("abcXYZ019_-").filter(lambda c: c != signed[at]))
    with pytest.raises(InvalidCursor):
        cursors.open("orders", signed[:at] + other + signed[at + 1 :], "after")


@given(marks)
def test_a_cursor_of_another_list_or_secret_is_refused(mark: Mark) -> None:
    with pytest.raises(InvalidCursor):
        cursors.open("users", cursors.sign("orders", mark), "after")
    with pytest.raises(InvalidCursor):
        Cursors("another").open("orders", cursors.sign("orders", mark), "after")


def test_a_time_keeps_its_microseconds() -> None:
    at = datetime.fromisoformat("2026-01-02T03:04:05.000001+00:00")
    opened = cursors.open("orders", cursors.sign("orders", Mark(at, UUID(int=next(count(1))))), "after")
    assert datetime.fromisoformat(opened.value) == at
