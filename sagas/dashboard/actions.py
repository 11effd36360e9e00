"""What an operator can have a saga do: which actions are possible, and of each that is not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.sagas.events import ActionKind
from domain.sagas.saga import Saga
from sagas.dashboard.visit import Visit
from sagas.definition import Definition
from sagas.engine import refusal

ACT: Final = "sagas:act"
MEANINGS: Final = {
    ActionKind.RETRY: "Send the failed step's command again, now.",
    ActionKind.PAUSE: "Take in what comes, and do nothing until it is resumed.",
    ActionKind.RESUME: "Go on.",
    ActionKind.CANCEL: "Undo what was done, and reject the order.",
    ActionKind.RESOLVE: "The step was seen to by hand: go on behind it.",
    ActionKind.REDELIVER: "Look again at what waits in the inbox.",
}
IRREVERSIBLE: Final = frozenset({ActionKind.CANCEL, ActionKind.RESOLVE})
"""What cannot be taken back: its name has to be typed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`why_not` says what it would take; None if it can be done."""

    kind: ActionKind
    meaning: str
    irreversible: bool
    why_not: str | None
    advised: bool = False

    @property
    def name(self) -> str:
        return self.kind.lower()


def choices(visit: Visit, saga: Saga, definition: Definition, advised: ActionKind | None = None) -> list[Choice]:
    """What is advised first, then what is possible."""
    may = visit.may(ACT)
    found = [
        Choice(kind, meaning, kind in IRREVERSIBLE, refusal(definition, saga, kind) if may else "it takes an operator",
               advised=kind is advised)
        for kind, meaning in MEANINGS.items()
    ]  # fmt: skip
    return sorted(found, key=lambda choice: (choice.why_not is not None, not choice.advised))
