"""Why something about a notification was refused."""

from __future__ import annotations

from uuid import UUID

from domain.errors import DomainError, Kind


class NotInTheInbox(DomainError):
    code = "NOT_IN_THE_INBOX"
    title = "Only what is in the inbox can be marked as read"

    def __init__(self, id: UUID, channel: str) -> None:
        super().__init__(
            f"notification {id} went by {channel}: only those IN_APP can be marked as read", channel=channel
        )


class WrongRecipient(DomainError):
    code = "WRONG_RECIPIENT"
    title = "This is not told to such a recipient"
    kind = Kind.INVALID

    def __init__(self, trigger: str, recipient: str) -> None:
        super().__init__(f"{trigger} is told to {recipient}: give exactly that", trigger=trigger, recipient=recipient)
