"""Channels that need nobody outside."""

from __future__ import annotations

import logging
from typing import Final

from infra.notify.channel import Letter

log: Final = logging.getLogger("chobo.notify")


class InApp:
    """The inbox: the request itself is the entry there, so nothing is left to do."""

    async def send(self, letter: Letter) -> str:
        return f"inbox:{letter.id}"


class Logged:
    """Where there is no mail server: a log line says that there was something to send, and nothing of what it said."""

    async def send(self, letter: Letter) -> str:
        log.warning("notification %s is not sent: no mail server is set (CHOBO_SMTP_HOST)", letter.id)
        return f"log:{letter.id}"
