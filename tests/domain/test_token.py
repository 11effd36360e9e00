from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import SLICES
from domain.token import MAX_LENGTH, ConsistencyToken, InvalidToken, Seen

positions = st.dictionaries(st.integers(0, SLICES - 1), st.integers(0, 2**63 - 1))
tokens = st.dictionaries(st.text("abcdef", min_size=1, max_size=20), st.builds(Seen, st.uuids(), positions)).map(
    ConsistencyToken
)


@given(tokens)
def test_a_token_survives_its_text(token: ConsistencyToken) -> None:
    assert ConsistencyToken.parse(str(token)) == token


@given(st.text(max_size=200))
def test_any_other_text_is_refused_in_its_own_words(text: str) -> None:
    with suppress(InvalidToken):
        ConsistencyToken.parse(text)


@pytest.mark.parametrize("text", ["", "e30x", "[]", "bnVsbA", "x" * (MAX_LENGTH + 1), "é", "\ud800"])
def test_what_no_command_gave_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        ConsistencyToken.parse(text)


def test_the_longest_token_can_be_read() -> None:
    contexts = ("users", "products", "orders", "payments", "notifications", "sagas", "operations")
    full = ConsistencyToken({c: Seen(uuid4(), dict.fromkeys(range(SLICES), 2**63 - 1)) for c in contexts})
    assert ConsistencyToken.parse(str(full)) == full
