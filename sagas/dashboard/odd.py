"""What stands in the place of a row that cannot be read or shown, and hides none of the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

log: Final = logging.getLogger("chobo.dashboard")

LONGEST_WHY: Final = 300


@dataclass(frozen=True, slots=True)
class Odd:
    """A row that this release cannot read or show: its id, if even that is there, why, and its columns as JSON."""

    id: str
    why: str
    found: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


def unshowable(row: Any, error: Exception) -> Odd:
    """What stands in the place of a row that was read, and cannot be shown."""
    log.warning("row %s cannot be shown", getattr(row, "id", ""), exc_info=error)
    return Odd(str(getattr(row, "id", "")), f"it cannot be shown: {type(error).__name__}: {error}"[:LONGEST_WHY])
