"""Decides the commands about notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.notifications import messages as m
from domain.actor import Role
from domain.aggregate import States
from domain.errors import Forbidden, NotFound
from domain.event import Event
from domain.ids import NotificationId
from domain.notifications import notification as notifications
from domain.notifications.events import Channel
from domain.notifications.notification import Notification, evolve, notification_of

C = TypeVar("C", bound=Command)

WHY: Final = {
    "RECIPIENT_SUSPENDED": "a suspended user is told nothing",
    "RECIPIENT_ERASED": "an erased user is told nothing",
}


class Request(Handler[m.RequestNotifications]):
    """What was decided when the event came first stands, even if the recipient has changed their mind since."""

    of = Notification

    def needs(self, command: m.RequestNotifications, states: States) -> Iterable[UUID]:
        return [id_of(command, channel) for channel in Channel]

    def decide(self, command: m.RequestNotifications, states: States, at: datetime, ids: Ids) -> Decision:
        if any(states.get(id) is not None for id in self.needs(command, states)):
            return None
        return [event for channel in command.channels for event in self._of(command, channel, at)]

    def answer(self, command: m.RequestNotifications, states: States) -> Answer:
        """About the first of them."""
        first = next(found for id in self.needs(command, states) if (found := states.get(id, Notification)))
        return Answer(first.id, first.version, first.status)

    def _of(self, command: m.RequestNotifications, channel: Channel, at: datetime) -> Iterator[Event]:
        requested = notifications.request(None, id_of(command, channel), asked(command), channel, at=at)
        yield requested
        if command.refused is not None:
            failed = notifications.fail(evolve(None, requested), command.refused, WHY[command.refused], at=at)
            assert failed is not None
            yield failed


class Read(Handler[m.ReadNotification]):
    """One's own; what is for the staff, whoever works in the shop. For others there is none."""

    of = Notification

    def decide(self, command: m.ReadNotification, states: States, at: datetime, ids: Ids) -> Decision:
        found = states[command.target, Notification]
        mine = command.by.in_charge if found.user_id is None else command.by.id == found.user_id
        if not mine:
            raise NotFound("notification", found.id)
        return notifications.read(found, at=at)


class Ends(Handler[C]):
    """An outcome is recorded by the process that tried to send it, and by nobody else."""

    of = Notification

    def decide(self, command: C, states: States, at: datetime, ids: Ids) -> Decision:
        if not command.by.has(Role.SERVICE):
            raise Forbidden("what came of a notification is recorded by the process that sends it")
        return self.on(states[command.target, Notification], command, at)

    def on(self, notification: Notification, command: C, at: datetime) -> Decision:
        raise NotImplementedError


class Sent(Ends[m.RecordSent]):
    def on(self, notification: Notification, command: m.RecordSent, at: datetime) -> Decision:
        return notifications.send(notification, command.reference, at=at)


class Failed(Ends[m.RecordFailed]):
    def on(self, notification: Notification, command: m.RecordFailed, at: datetime) -> Decision:
        return notifications.fail(notification, command.code, command.why, at=at)


HANDLERS: Handlers = {
    m.RequestNotifications: Request(),
    m.ReadNotification: Read(),
    m.RecordSent: Sent(),
    m.RecordFailed: Failed(),
}


def id_of(command: m.RequestNotifications, channel: Channel) -> NotificationId:
    to = command.user_id or command.audience
    assert to is not None, "prepare has seen to it that somebody is told"
    return notification_of(command.cause, command.trigger, channel, to)


def asked(command: m.RequestNotifications) -> notifications.Request:
    return notifications.Request(
        command.cause, command.trigger, command.user_id, command.audience, command.locale, command.facts
    )
