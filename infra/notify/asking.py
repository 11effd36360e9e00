"""Asks for notifications in this process: the route's `prepare` and the write loop, without HTTP."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from pydantic_core import to_json

from commands.notifications.messages import Notify
from commands.notifications.prepare import request_of
from commands.reply import Envelope
from commands.services import Loop, WriteSide
from domain.actor import service
from domain.event import JSON
from domain.notifications.events import Channel
from projections.todo import Work

WORKER: Final = service("notifications")


class LocalNotifications:
    """No key is stored: the notifications' ids follow from the cause, and are key enough."""

    def __init__(self, notifications: Loop, states: WriteSide, channels: Collection[Channel]) -> None:
        self._loop = notifications
        self._states = states
        self._channels = channels

    async def notify(self, body: JSON, work: Work) -> UUID:
        message = Notify.model_validate_json(to_json(body))
        command = (await request_of(message, self._states, self._channels)).bind(by=WORKER)
        envelope = Envelope(command, work.correlation_id, causation_id=message.cause, traceparent=work.traceparent)
        return (await self._loop.submit(envelope)).result().id
