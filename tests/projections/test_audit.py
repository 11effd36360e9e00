"""The audit log lies in three read models and is listed as one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from domain.actor import Role
from domain.event import ERASED
from domain.ids import SagaId, UserId, new_id
from domain.operations.operation import Status
from domain.sagas.events import ActionKind, ActionTaken, SagaStarted
from domain.users.events import RoleGranted, RoleRevoked, UserActivated
from projections.audit import AUDIT
from projections.listing import Condition, Mark, Page
from projections.models import MODELS
from projections.operations.queries import LATEST_FIRST
from projections.operations.row import OperationRow
from projections.sagas.actions import saga_actions
from projections.schema import prepare
from projections.users.role_changes import role_changes
from tests.projections.fakes import AT, recorded
from tests.projections.plans import assert_indexed

SAGA, HANA, ANN = SagaId(UUID(int=1)), UserId(UUID(int=2)), UserId(UUID(int=3))
TABLES = ("operations_1.operations", "sagas_1.saga_actions", "users_1.role_changes")
FILL = """
INSERT INTO {} (id, version, updated_at, status, kind, target, parameters, actor, correlation_id, requested_at)
SELECT gen_random_uuid(), 1, now(), (ARRAY['REQUESTED', 'DONE', 'FAILED', 'DENIED'])[1 + n % 4],
    (ARRAY['parked.retry', 'saga.pause', 'user.grant-role'])[1 + n % 3], 'target ' || n % 500, '{{}}',
    'user:' || n % 70, '', timestamptz '2026-01-01' + n * interval '{}'
FROM generate_series(1, 6000) n
"""
MIDDLE = Mark(datetime(2026, 1, 3, tzinfo=UTC), UUID(int=7))
FILTERS: list[list[Condition]] = [
    [],
    [Condition("actor", "eq", "user:7")],
    [Condition("kind", "eq", "saga.pause")],
    [Condition("status", "eq", "DENIED")],
    [Condition("target", "eq", "target 7")],
    [Condition("requested_at", "gte", MIDDLE.value)],
]
PAGES = [Page(20), Page(20, backward=True), Page(20, after=MIDDLE), Page(20, backward=True, before=MIDDLE)]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Lines of all three at times of their own, and many at the same."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        for table, pace in zip(TABLES, ("60 s", "50 s", "75 s"), strict=True):
            connection.execute(FILL.format(table, pace))
            connection.execute(f"VACUUM ANALYZE {table}")
        yield connection


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_every_page_is_served_by_indexes(filled: psycopg.Connection[Any], where: list[Condition]) -> None:
    for page in PAGES:
        assert_indexed(filled, AUDIT.statement(where, LATEST_FIRST, page))


@pytest.mark.parametrize("backward", [False, True])
def test_pages_have_every_line_once_in_order(filled: psycopg.Connection[Any], backward: bool) -> None:
    where, size, seen = [Condition("target", "eq", "target 7")], 5, list[OperationRow]()
    while True:
        edge = None if not seen else Mark(seen[-1].requested_at, seen[-1].id)
        page = Page(size, backward=backward, **{"before" if backward else "after": edge})
        asked = AUDIT.statement(where, LATEST_FIRST, page)
        rows = AUDIT.table.decoded(filled.execute(asked.query, asked.values).fetchall())
        seen += rows[:size]
        if len(rows) <= size:
            break
    assert len(seen) == len({row.id for row in seen}) == 3 * 12
    assert seen == sorted(seen, key=lambda row: (row.requested_at, row.id), reverse=not backward)
    counted = AUDIT.counting(where, 30)
    assert filled.execute(counted.query, counted.values).fetchall() == [(30,)]


async def test_a_line_is_found_by_its_id_wherever_it_is(filled: psycopg.Connection[Any], module_database: str) -> None:
    async with AsyncConnectionPool(module_database, open=False) as pool:
        for table in TABLES:
            [(id,)] = filled.execute(f"SELECT id FROM {table} LIMIT 1").fetchall()
            found = await AUDIT.one(pool, id)
            assert found is not None
            assert found.id == id
        assert await AUDIT.one(pool, new_id()) is None


def acted(version: int, reason: Any = "the customer called") -> ActionTaken:
    return ActionTaken(
        originator_id=SAGA, originator_version=version, timestamp=AT, action_id=UUID(int=version),
        action=ActionKind.PAUSE, by=ANN, reason=reason,
    )  # fmt: skip


def test_what_a_saga_was_made_to_do_is_a_line_of_its_own() -> None:
    started = SagaStarted(
        originator_id=SAGA, originator_version=1, timestamp=AT, process="checkout", definition=1, key=SAGA
    )
    assert saga_actions.key_of(started) is None
    assert [saga_actions.key_of(acted(version)) for version in (2, 3)] == [UUID(int=2), UUID(int=3)]
    row = saga_actions.apply(None, recorded(acted(2), 1, f"user:{ANN}"))
    assert (row.kind, row.target, row.status, row.actor) == ("saga.pause", str(SAGA), Status.DONE, f"user:{ANN}")
    assert (row.by, row.sealed_for, row.reason, row.version) == (ANN, ANN, "the customer called", 2)
    assert saga_actions.apply(None, recorded(acted(2, ERASED), 1)).reason is None


@pytest.mark.parametrize("event, kind", [(RoleGranted, "user.grant-role"), (RoleRevoked, "user.revoke-role")])
def test_a_role_that_is_granted_or_revoked_is_a_line_of_its_own(event: Any, kind: str) -> None:
    def changed(version: int, reason: Any = "new in the team") -> Any:
        return event(
            originator_id=HANA,
            originator_version=version,
            timestamp=AT,
            role=Role.STAFF,
            by=f"user:{ANN}",
            reason=reason,
        )

    assert role_changes.key_of(UserActivated(originator_id=HANA, originator_version=2, timestamp=AT)) is None
    assert role_changes.key_of(changed(3)) != role_changes.key_of(changed(4))
    row = role_changes.apply(None, recorded(changed(3), 1, f"user:{ANN}"))
    assert (row.kind, row.target, row.parameters, row.by) == (kind, str(HANA), {"role": "staff"}, ANN)
    assert (row.reason, row.sealed_for) == ("new in the team", HANA)
    assert role_changes.apply(None, recorded(changed(3, ERASED), 1)).reason is None
