"""Before the loop: by which channels somebody is to be told, from who they are and what they want."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from commands.notifications.messages import Notify, RequestNotifications
from commands.services import Services, WriteSide
from domain.errors import NotFound
from domain.notifications.errors import WrongRecipient
from domain.notifications.events import Channel
from domain.notifications.triggers import SORTS, Sort, Trigger
from domain.users.user import Status, User
from domain.users.values import Notice

STAFF_LOCALE: Final = "en"
BY_SMS: Final = frozenset({Trigger.ORDER_SHIPPED, Trigger.PAYMENT_FAILED})
"""What is worth a message that costs money."""

REFUSED: Final = {Status.SUSPENDED: "RECIPIENT_SUSPENDED", Status.ERASED: "RECIPIENT_ERASED"}


async def addressed(message: Notify, services: Services) -> RequestNotifications:
    return await request_of(message, services.states, services.channels)


async def request_of(message: Notify, states: WriteSide, there_are: Collection[Channel]) -> RequestNotifications:
    """`there_are`: the channels of this installation. Raises WrongRecipient, NotFound."""
    require_recipient(message)
    if message.user_id is None:
        return made(message, (Channel.EMAIL, Channel.IN_APP), STAFF_LOCALE)
    user = await states.get("users", message.user_id)
    if not isinstance(user, User):
        raise NotFound("user", message.user_id)
    channels = tuple(channel for channel in wanted(message.trigger, user) if channel in there_are)
    if refused := REFUSED.get(user.status):
        return made(message, channels[:1], user.settings.locale, refused)
    return made(message, channels, user.settings.locale)


def wanted(trigger: Trigger, user: User) -> Iterator[Channel]:
    """The inbox takes every update of an order: nobody is disturbed by it."""
    if SORTS[trigger] is Sort.SECURITY:
        yield Channel.EMAIL
        return
    yield Channel.IN_APP
    if Notice.ORDER_UPDATES in user.settings.notices:
        yield Channel.EMAIL
        yield Channel.PUSH
        if trigger in BY_SMS:
            yield Channel.SMS


def require_recipient(message: Notify) -> None:
    to_staff = SORTS[message.trigger] is Sort.STAFF
    if (message.audience is not None) != to_staff or (message.user_id is None) != to_staff:
        raise WrongRecipient(message.trigger, 'the audience "staff"' if to_staff else "a user, by userId")


def made(
    message: Notify, channels: tuple[Channel, ...], locale: str, refused: str | None = None
) -> RequestNotifications:
    return RequestNotifications(
        cause=message.cause,
        trigger=message.trigger,
        user_id=message.user_id,
        audience=message.audience,
        facts=message.facts,
        channels=channels,
        locale=locale,
        refused=refused,
    )
