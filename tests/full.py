"""Two sizes of one test: small in `make test`, full in `make test-full`.

A test of two sizes is marked `@pytest.mark.full("log")` with the suite it belongs to, asks `size(small, full)` for its
numbers and `seed()` for its randomness. `CHOBO_FULL=log:1234` runs suite `log` in full with seed 1234; `CHOBO_FULL=all`
runs every suite in full with a fresh seed.
"""

from __future__ import annotations

import os
import random
import secrets
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def chosen() -> tuple[str, int | None]:
    """The suite to run in full ('' for none, 'all') and its seed, if one was given."""
    suite, _, seed = os.environ.get("CHOBO_FULL", "").partition(":")
    return suite, int(seed) if seed else None


def is_full(suite: str) -> bool:
    return chosen()[0] in (suite, "all")


def size(small: T, full: T, *, suite: str | None = None) -> T:
    """`full` when this suite (by default the running test's) is run in full."""
    return full if is_full(suite or running_suite()) else small


@cache
def seed() -> int:
    """Fixed at small size, so that a run is repeatable; fresh and printed in full."""
    suite, given = chosen()
    if given is not None:
        return given
    return secrets.randbelow(2**31) if suite else 20260102


def randomness() -> random.Random:
    return random.Random(seed())


running: list[str] = []
"""The suite of the test that runs now; kept by tests/conftest.py."""


def running_suite() -> str:
    return running[-1] if running else ""
