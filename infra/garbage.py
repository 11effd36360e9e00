"""How Python's cyclic garbage collector is set for long-lived processes of ours."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 50_000
"""Allocations between two looks at the youngest objects; the default, 700, costs the write loop a third. With 100,000
nothing is gained any more, and whoever is served meanwhile waits up to 130 ms for one look instead of 30."""


BATCHES: Final = 2_000_000
"""The same where events are read and folded by the ten thousand: a batch makes half a million objects that all live
until it is written, and all were looked through again and again. Few of ours are garbage in cycles."""


def settle(young: int = YOUNG) -> None:
    """Leaves what exists by now (modules, schemas) out of every later collection. Call once, when all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, 20, 100)
