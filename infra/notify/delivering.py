"""Delivers what was requested: puts it into words, hands it to its channel, records what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from commands.message import Command
from commands.notifications.messages import RecordFailed, RecordSent
from commands.reply import Envelope
from commands.services import Loop, utc_now
from domain.actor import service
from domain.errors import NotAllowedNow
from domain.notifications.events import Channel, NotificationRequested
from domain.notifications.notification import Notification, Status
from infra.mail.writing import Templates
from infra.notify.channel import Letter, Sender, Undeliverable
from infra.notify.reading import Reading
from projections.asking import Rule
from projections.doing import Done, Failed, Kind, Outcome
from projections.retry import RetryPolicy
from projections.todo import Work

KIND: Final = "deliver"
RULES: Final = (Rule(NotificationRequested, KIND),)
RETRY: Final = RetryPolicy(first=2, longest=900, within=86_400)
WORKER: Final = service("notifications")
AT_ONCE: Final = 16
GAVE_UP: Final = "GAVE_UP"
NO_CHANNEL: Final = "NO_CHANNEL"

log: Final = logging.getLogger("chobo.notify")


@dataclass(frozen=True, slots=True)
class NotSent(Failed):
    code: str = GAVE_UP


class Deliver:
    """The act of the kind `deliver`. A letter may be handed over twice only where this process ends between the
    channel's acceptance and our record, and then under the same id."""

    def __init__(
        self,
        notifications: Loop,
        reading: Reading,
        templates: Templates,
        senders: Mapping[Channel, Sender],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._loop = notifications
        self._reading = reading
        self._templates = templates
        self._senders = senders
        self._now = now

    async def known(self, work: Work) -> Outcome | None:
        return outcome_of(await self._notification(work))

    async def do(self, work: Work) -> Outcome:
        notification = await self._notification(work)
        sender = self._senders.get(notification.channel)
        if sender is None:
            return NotSent(f"this installation has no {notification.channel}", code=NO_CHANNEL)
        try:
            return Done({"reference": await sender.send(await self._letter(notification))})
        except Undeliverable as refusal:
            return NotSent(refusal.why, code=refusal.code)

    async def record(self, work: Work, outcome: Outcome) -> None:
        """Recorded twice it is one event; an outcome that another worker has recorded meanwhile stands."""
        command = command_for(outcome).bind(by=WORKER, target=work.subject)
        envelope = Envelope(command, work.correlation_id, causation_id=work.causation_id, traceparent=work.traceparent)
        reply = await self._loop.submit(envelope)
        if isinstance(reply.refusal, NotAllowedNow):
            log.warning("notification %s: %s stays out of the log: %s", work.subject, outcome, reply.refusal)
            return
        reply.result()

    async def _letter(self, notification: Notification) -> Letter:
        addressee = await self._reading.addressee(notification)
        words = await self._reading.words(notification, addressee, self._now())
        written = self._templates.write(notification.trigger, notification.locale, words)
        return Letter(
            id=notification.id,
            user_id=notification.user_id,
            to=addressee,
            locale=written.locale,
            subject=written.subject,
            text=written.text,
            html=written.html,
        )

    async def _notification(self, work: Work) -> Notification:
        """Raises NotFound where the log, as this process sees it, has it not: that is tried again."""
        return (await self._loop.states([work.subject]))[work.subject, Notification]


def deliver_kind(
    notifications: Loop, reading: Reading, templates: Templates, senders: Mapping[Channel, Sender]
) -> Kind:
    return Kind(KIND, RETRY, Deliver(notifications, reading, templates, senders), at_once=AT_ONCE)


def outcome_of(notification: Notification) -> Outcome | None:
    match notification.status:
        case Status.SENT:
            return Done({"reference": notification.reference})
        case Status.FAILED:
            return NotSent(notification.why, code=notification.code)
        case _:
            return None


def command_for(outcome: Outcome) -> Command:
    """Why an attempt failed in the end stays with the row, which goes one day; what is in the log stays for ever."""
    match outcome:
        case Done():
            return RecordSent(reference=outcome.result["reference"])
        case NotSent():
            return RecordFailed(code=outcome.code, why=outcome.error)
        case Failed():
            return RecordFailed(code=GAVE_UP, why="it was tried for a day in vain")
