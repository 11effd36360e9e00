"""Notifications: who asks for them, what they say, and the channels that this installation has."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Final

import httpx

from commands.services import Loops
from commands.users.mailed_links import MailedLinks
from domain import notifications, orders, users
from domain.notifications.events import Channel
from infra.assembly.ground import Ground
from infra.assembly.writing import WriteLoops, claims
from infra.mail.kept import MailDirectory
from infra.mail.smtp import Server, SmtpSender
from infra.mail.writing import Templates
from infra.notify.asking import LocalNotifications
from infra.notify.channel import Sender
from infra.notify.delivering import deliver_kind
from infra.notify.in_app import InApp, Logged
from infra.notify.provider import TIMEOUT, HttpProvider
from infra.notify.reading import Links, Reading
from infra.settings import Settings
from projections.doing import Kind
from sagas.notifications.notifying import notify_kind

log: Final = logging.getLogger("chobo.notify")


def kinds(ground: Ground, loops: WriteLoops) -> Iterator[Kind]:
    states, loop = Loops(loops), loops[notifications.CONTEXT.name]
    yield notify_kind(states, LocalNotifications(loop, states, ground.settings.channels))
    yield deliver_kind(loop, reading(ground, states), Templates(), senders(ground))


def reading(ground: Ground, states: Loops) -> Reading:
    settings = ground.settings
    logs = {name: ground.readers[name] for name in (users.CONTEXT.name, orders.CONTEXT.name)}
    links = Links(settings.public_url, MailedLinks(claims(settings)))
    shop = parseaddr(settings.mail_from)[0] or "Chobo"
    return Reading(states, logs, links, settings.staff_email or settings.operator_email, shop=shop)


def senders(ground: Ground) -> dict[Channel, Sender]:
    settings = ground.settings
    found: dict[Channel, Sender] = {Channel.EMAIL: mailer(settings), Channel.IN_APP: InApp()}
    if settings.sms_url or settings.push_url:
        client = httpx.AsyncClient(timeout=TIMEOUT)
        ground.stack.push_async_callback(client.aclose)
        if settings.sms_url:
            found[Channel.SMS] = HttpProvider(client, settings.sms_url, settings.sms_key, "sms")
        if settings.push_url:
            found[Channel.PUSH] = HttpProvider(client, settings.push_url, settings.push_key, "push")
    return found


def mailer(settings: Settings) -> Sender:
    if settings.smtp_host:
        server = Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
        )
        return SmtpSender(server, settings.mail_from)
    if settings.mail_directory:
        return MailDirectory(settings.mail_directory, settings.mail_from)
    log.warning("mails are not sent, only logged: set CHOBO_SMTP_HOST")
    return Logged()
