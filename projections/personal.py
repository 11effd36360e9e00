"""What each read model says about the people in it: which rows are about whom, and what is personal in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from projections.table import R, Table


@dataclass(frozen=True)
class Personal(Generic[R]):
    """A table with something personal in it. `owner` is the column with the user's id.

    `cleared` gives the row as it is once the user was erased: the very row that folding the erased events gives.
    """

    table: Table[R]
    owner: str
    cleared: Callable[[R], R]
