"""Why an operator's action on a saga is refused."""

from __future__ import annotations

from uuid import UUID

from domain.errors import DomainError


class ActionNotPossible(DomainError):
    """The saga is not in a state in which this would do anything; the text says what it would take."""

    code = "ACTION_NOT_POSSIBLE"
    title = "This saga cannot do that now"

    def __init__(self, id: UUID, action: str, why: str) -> None:
        super().__init__(f"saga {id}: {action} is not possible: {why}", id=str(id), action=action)
