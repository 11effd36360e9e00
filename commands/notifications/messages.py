"""What can be asked for about notifications, and what is recorded of them."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from commands.message import Command
from domain.ids import UserId
from domain.notifications.events import Audience, Channel, Code, Facts
from domain.notifications.triggers import Trigger


class Told(Command):
    """Base of what says who is to be told what: `userId`, or everybody of `audience`, because of the event `cause`."""

    cause: UUID
    trigger: Trigger
    user_id: UserId | None = None
    audience: Audience | None = None
    facts: Facts = Field(default_factory=dict)


class Notify(Told):
    """By which channels is for us to find out, from what the user wants."""


class ReadNotification(Command):
    """Its recipient has seen it in the inbox."""


# --- prepared, or recorded by a process of ours -----------------------------------------------------------------------


class RequestNotifications(Told):
    """One for each of `channels`. `refused` says why this recipient is told nothing: then that is what is recorded."""

    channels: tuple[Channel, ...]
    locale: str
    refused: Code | None = None


class RecordSent(Command):
    reference: str


class RecordFailed(Command):
    code: Code
    why: str
