"""How Python's cyclic garbage collector is set for long-lived processes of ours."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 100_000
"""Allocations between two looks at the youngest objects; the default, 700, costs the write loop a third."""


def settle() -> None:
    """Leaves what exists by now (modules, schemas) out of every later collection. Call once, when all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
