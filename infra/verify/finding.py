"""What verify found: one line for each thing that is not as it must be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class Code(StrEnum):
    """What is wrong. A code never changes its meaning; docs/runbooks/verify.md says what to do about each."""

    POSITION_GAP = "POSITION_GAP"
    VERSION_GAP = "VERSION_GAP"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    EVENT_ID_TWICE = "EVENT_ID_TWICE"
    UNREADABLE = "UNREADABLE"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    WRONG_SLICE = "WRONG_SLICE"
    CUT = "CUT"
    REPLY_WITHOUT_EVENT = "REPLY_WITHOUT_EVENT"
    SNAPSHOT_AHEAD = "SNAPSHOT_AHEAD"
    CLOCK_WENT_BACK = "CLOCK_WENT_BACK"

    INCARNATION = "INCARNATION"
    NOT_FED = "NOT_FED"
    ROW_MISSING = "ROW_MISSING"
    ROW_SURPLUS = "ROW_SURPLUS"
    ROW_BEHIND = "ROW_BEHIND"
    ROW_AHEAD = "ROW_AHEAD"
    ROW_DIFFERS = "ROW_DIFFERS"
    SUM_DIFFERS = "SUM_DIFFERS"
    CANNOT_FOLD = "CANNOT_FOLD"
    PARKED = "PARKED"
    DISCARDED = "DISCARDED"

    NOT_IN_TOPIC = "NOT_IN_TOPIC"
    NOT_IN_LOG = "NOT_IN_LOG"
    BYTES_DIFFER = "BYTES_DIFFER"
    CHAIN_BROKEN = "CHAIN_BROKEN"
    WRONG_PARTITION = "WRONG_PARTITION"
    SENT_AGAIN = "SENT_AGAIN"

    NOT_COMPARED = "NOT_COMPARED"
    NOT_AT_GATEWAY = "NOT_AT_GATEWAY"
    NOT_IN_PAYMENTS = "NOT_IN_PAYMENTS"
    STATUS_DIFFERS = "STATUS_DIFFERS"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    CAPTURED_DIFFERS = "CAPTURED_DIFFERS"
    REFUNDED_DIFFERS = "REFUNDED_DIFFERS"
    CHARGED_BACK_DIFFERS = "CHARGED_BACK_DIFFERS"
    CHARGED_TWICE = "CHARGED_TWICE"
    ORDER_WITHOUT_MONEY = "ORDER_WITHOUT_MONEY"
    MONEY_WITHOUT_ORDER = "MONEY_WITHOUT_ORDER"


HARMLESS = frozenset({Code.CLOCK_WENT_BACK, Code.PARKED, Code.DISCARDED, Code.NOT_FED, Code.SENT_AGAIN})
"""Worth telling, and yet nothing is wrong with what is stored."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` is a log (`orders`), a table of a generation (`orders@1/orders`), a topic (`chobo.orders`) or `payments`.

    Of payments `stream` is the payment, `row` the attempt or the order.
    """

    code: Code
    place: str
    detail: str
    stream: UUID | None = None
    position: int | None = None
    row: UUID | None = None
    repaired: bool = False

    @property
    def wrong(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.code not in HARMLESS and not self.repaired

    def told(self) -> dict[str, Any]:
        return {
            "finding": str(self.code),
            "place": self.place,
            "stream": None if self.stream is None else str(self.stream),
            "position": self.position,
            "row": None if self.row is None else str(self.row),
            "detail": self.detail,
            "repaired": self.repaired,
        }


@dataclass(slots=True)
class Tally:
    """What one place came to."""

    place: str
    checked: int = 0
    found: Counter[Code] = field(default_factory=Counter)
    wrong: int = 0
    repaired: int = 0

    def add(self, finding: Finding) -> None:
        self.found[finding.code] += 1
        self.wrong += finding.wrong
        self.repaired += finding.repaired

    def told(self) -> dict[str, Any]:
        found = {str(code): count for code, count in sorted(self.found.items())}
        return {
            "place": self.place,
            "checked": self.checked,
            "wrong": self.wrong,
            "repaired": self.repaired,
            "found": found,
        }
