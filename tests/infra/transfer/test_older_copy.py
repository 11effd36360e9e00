"""After a log was replaced by an older copy, consumers stop and say so: nothing is skipped, nothing is mixed."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from infra.transfer.incoming import take_in
from infra.transfer.outgoing import export
from infra.verify.finding import Code
from projections.consumer import Stopped
from projections.orders.projector import ORDERS
from tests.conftest import fresh_database
from tests.domain.orders.samples import confirmed, placed
from tests.full import size
from tests.infra.stored import append, execute, some_orders
from tests.infra.transfer.test_move import Elsewhere, quiet
from tests.infra.verify.standing import standing
from tests.projections.stories import told

ROWS = "SELECT to_jsonb(t) FROM orders_1.orders t ORDER BY id"


@pytest.mark.full("log")
async def test_consumers_of_an_older_copy_stop_and_say_so(database: str, postgres: EmbeddedPostgres, tmp_path: Path):
    file = tmp_path / "monday.jsonl.zst"
    async with standing(database) as shop:
        append(database, "orders", later(some_orders(size(100, 10_000), seed=5)))
        export(database, "orders", file, quiet)
        append(database, "orders", told((placed, confirmed), UUID(int=8)))
        await shop.follow([ORDERS])
        before = execute(database, ROWS)

        with fresh_database(postgres) as copy:
            await migrate(copy, ["orders"])
            take_in(copy, file, quiet)
            append(
                copy, "orders", told((placed, confirmed, confirmed), UUID(int=9))
            )  # the same positions, other events
            async with AsyncConnectionPool(copy, min_size=1, max_size=4, open=False) as pool:
                there = Elsewhere(database, shop.pool, log=pool)
                with pytest.raises(Stopped, match="incarnation"):
                    await there.follow([ORDERS])
                assert execute(database, ROWS) == before
                check = await there.check(ORDERS, log=copy)
                assert [finding.code async for finding in check.findings()] == [Code.INCARNATION]


def later(events: list[Event]) -> list[Event]:
    """The same stories of other orders."""
    return [e.model_copy(update={"originator_id": UUID(int=e.originator_id.int ^ 2)}) for e in events]
