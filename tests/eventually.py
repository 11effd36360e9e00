"""Waiting for a condition with a deadline, instead of for some time."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], within: float = 20.0) -> None:
    """Looks until the condition holds; fails after `within` seconds."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"it did not happen within {within} s"
        time.sleep(0.02)
