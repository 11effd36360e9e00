"""python -m tests.crash.payer CONNINFO GATEWAY LEASE DEATHS: asks the gateway for what payments want, and may die.

DEATHS is as in `doer.py`. `known` is before the gateway is asked, `asked` after it has done it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from commands.loop import WriteLoop
from commands.payments.handlers import HANDLERS
from domain.payments import CONTEXT
from infra.event_log.log import EventLog
from infra.event_log.reader import LogReader
from infra.gateway.stripe import StripeGateway
from infra.keys import PersonalKeys
from infra.paying import KIND, AskGateway
from projections import todo
from projections.alarm import Alarm
from projections.doing import Kind, Later, Outcome, Worker
from projections.pool import Connection, Pool
from projections.retry import RetryPolicy
from projections.todo import CHANNEL, Ended, Work
from tests.contracts.gateways import SECRET
from tests.crash.doer import Fate, parsed

STEPS = ("leased", "known", "asked", "recorded", "closed")


class Dying(AskGateway):
    """Dies at some steps."""

    fate: Fate

    async def known(self, work: Work) -> Outcome | None:
        self.fate.at("leased")
        known = await super().known(work)
        self.fate.at("known")
        return known

    async def do(self, work: Work) -> Outcome | Later:
        said = await super().do(work)
        self.fate.at("asked")
        return said

    async def record(self, work: Work, outcome: Outcome) -> None:
        await super().record(work, outcome)
        self.fate.at("recorded")


async def main(conninfo: str, address: str, lease: float, deaths: Mapping[str, float]) -> None:
    fate, close = Fate(deaths), todo.close

    async def closes(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
        closed = await close(connection, ended)
        fate.at("closed")  # before the commit: nothing of it happened
        return closed

    todo.close = closes
    pool: Pool = AsyncConnectionPool(conninfo, min_size=2, max_size=10, timeout=2, open=False)
    async with pool:
        keys = PersonalKeys(pool, bytes(32))
        log = EventLog(conninfo, pool, CONTEXT, keys)
        await log.open()
        loop, gateway = WriteLoop(CONTEXT, HANDLERS, log), stripe(address)
        act = Dying(loop, LogReader(pool, CONTEXT.name, keys), gateway)
        act.fate = fate
        kind = Kind(KIND, RetryPolicy(first=0.05, longest=0.5), act)
        await Worker(pool, Alarm(conninfo, CHANNEL), [kind], lease=lease, at_once=8).run()


def stripe(address: str) -> StripeGateway:
    page = "https://shop.example/paid"
    return StripeGateway("sk_test_crash", webhook_secrets=[SECRET], return_url=page, url=address, timeout=5)


if __name__ == "__main__":
    conninfo, address, lease, deaths = sys.argv[1:]
    asyncio.run(main(conninfo, address, float(lease), parsed(deaths)))
