"""python -m tests.crash.teller CONNINFO PORT DEATHS: does the to-dos of a shop until it is killed, or kills itself.

Mails go to the server at PORT. DEATHS is a step and how likely the process dies there, such as `sent=1`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from domain.event import JSON
from infra.assembly import doing
from infra.bootstrap import running
from infra.duties import Duty
from infra.mail.smtp import SmtpSender
from infra.notify.asking import LocalNotifications
from infra.notify.channel import Letter
from infra.notify.delivering import Deliver
from infra.settings import Settings
from projections import todo
from projections.doing import Outcome, Worker
from projections.pool import Connection
from projections.todo import Ended, Work
from tests.crash.doer import Fate, parsed

STEPS = ("asking", "asked", "sending", "sent", "recorded", "closed")
TWICE = "sent"
"""The one step after which a mail may come twice: the server has it, and the log does not know."""


def mortal(fate: Fate) -> None:
    notify, send, record, close = LocalNotifications.notify, SmtpSender.send, Deliver.record, todo.close

    async def notifies(self: LocalNotifications, body: JSON, work: Work) -> UUID:
        fate.at("asking")
        id = await notify(self, body, work)
        fate.at("asked")
        return id

    async def sends(self: SmtpSender, letter: Letter) -> str:
        fate.at("sending")
        reference = await send(self, letter)
        fate.at("sent")
        return reference

    async def records(self: Deliver, work: Work, outcome: Outcome) -> None:
        await record(self, work, outcome)
        fate.at("recorded")

    async def closes(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
        closed = await close(connection, ended)
        fate.at("closed")  # before the commit: nothing of it happened
        return closed

    LocalNotifications.notify = notifies  # type: ignore[method-assign]
    SmtpSender.send = sends  # type: ignore[method-assign]
    Deliver.record = records  # type: ignore[method-assign]
    todo.close = closes
    doing.Worker = partial(Worker, lease=1.0)  # type: ignore[assignment,attr-defined]


async def main(conninfo: str, port: int, deaths: str) -> None:
    mortal(Fate(parsed(deaths)))
    settings = Settings.read(
        {},
        profile="development",
        database_url=conninfo,
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        todo_at_once=1,  # at the step at which it dies, no other mail is at another
    )
    async with running(settings, {Duty.TODO}):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
