"""The one step of every trigger: asks for the notifications of an event."""

from __future__ import annotations

from typing import Final

from domain.errors import DomainError
from domain.event import JSON
from projections.doing import Done, Failed, Kind, Outcome
from projections.retry import UNTIL_DONE
from projections.todo import Work
from sagas.notifications.port import Notifications, WriteSide
from sagas.notifications.recipients import Recipient
from sagas.notifications.triggers import BY_NAME, KIND

AT_ONCE: Final = 8


class UnknownTrigger(Exception):
    """A process of another release may know it, so this is tried again."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this release has no trigger {name}")


class Notify:
    """The act of the kind `notify`. The command is the outcome: what it made has ids that follow from the event, so
    that whoever does this again finds it done."""

    def __init__(self, states: WriteSide, notifications: Notifications) -> None:
        self._states = states
        self._notifications = notifications

    async def known(self, work: Work) -> Outcome | None:
        return None

    async def do(self, work: Work) -> Outcome:
        trigger = BY_NAME.get(work.data["trigger"])
        if trigger is None:
            raise UnknownTrigger(work.data["trigger"])
        try:
            recipient = await trigger.to(work.subject, self._states)
            first = await self._notifications.notify(body(work, recipient), work)
        except DomainError as refusal:
            return Failed(f"{refusal.code}: {refusal}")
        return Done({"notification": str(first)})

    async def record(self, work: Work, outcome: Outcome) -> None:
        """It is recorded: by the notifications, or, refused, by the row alone."""


def body(work: Work, recipient: Recipient) -> JSON:
    """Of `POST /v1/notifications`."""
    to: JSON = {"audience": recipient.audience} if recipient.audience else {"userId": str(recipient.user_id)}
    facts = {**work.data["facts"], **recipient.facts}
    return {"cause": str(work.causation_id), "trigger": work.data["trigger"], "facts": facts, **to}


def notify_kind(states: WriteSide, notifications: Notifications) -> Kind:
    return Kind(KIND, UNTIL_DONE, Notify(states, notifications), at_once=AT_ONCE)
