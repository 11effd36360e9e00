from __future__ import annotations

from projections.grouping import grouped

NUMBERS = range(10)


def test_each_owner_gets_their_rows_in_order() -> None:
    assert grouped([2, 0], NUMBERS, lambda n: n % 3) == [[2, 5, 8], [0, 3, 6, 9]]


def test_who_has_none_gets_none() -> None:
    assert grouped(["x", "y"], NUMBERS, lambda n: "y" if n == 4 else None) == [[], [4]]


def test_each_row_is_looked_at_once_however_many_owners_there_are() -> None:
    looked_at = []

    def owner_of(n: int) -> int:
        looked_at.append(n)
        return n

    assert grouped(NUMBERS, NUMBERS, owner_of) == [[n] for n in NUMBERS]
    assert looked_at == list(NUMBERS)
