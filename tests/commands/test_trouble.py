"""The write loop when the database, or what is in it, is not as it should be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from bench.counter import CountUp
from bench.server import counter_loop
from commands.log import RefusedByLog, Unavailable
from commands.reply import Envelope, OutcomeUnknown
from domain.actor import ANONYMOUS
from domain.event import UnknownEventType
from infra.event_log.migrations import LOCK_SPACE, lock_number
from infra.event_log.wire import ConnectionLost, StatementFailed, Wire
from tests.commands.test_loop import count, total

STATE = b'{"timestamp":"2026-01-01T00:00:00Z","by":1}'


def execute(database: str, query: str, *params: Any) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(query, params)


def write(connection: psycopg.Connection[Any], id: UUID, versions: range, topic: str = "counters.counted") -> None:
    """What another process could have written."""
    connection.execute(
        "INSERT INTO counters.stored_events (originator_id, originator_version, topic, state, notification_id)"
        " SELECT %s, n, %s, %s, (SELECT coalesce(max(notification_id), 0) FROM counters.stored_events) + n - %s + 1"
        " FROM unnest(%s::bigint[]) AS n",
        [id, topic, STATE, versions[0], list(versions)],
    )


@contextmanager
def stopped(database: str) -> Iterator[psycopg.Connection[Any]]:
    """No append gets on; the transaction that stops them is committed at the end."""
    with psycopg.connect(database) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, lock_number("counters")])
        yield connection


async def appending(connection: psycopg.Connection[Any]) -> None:
    """Returns when an append waits for the lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    while connection.execute(query).fetchone() is None:
        await asyncio.sleep(0.01)


async def test_a_log_that_was_cut_back_is_read_again(database: str):
    """A fail-over to a copy that had not got everything, while this process knows more than there is."""
    async with counter_loop(database) as loop:
        id = uuid4()
        for _ in range(3):
            await loop.submit(count(id))
        execute(database, "DELETE FROM counters.stored_events WHERE originator_version = 3")
        assert (await loop.submit(count(id, deadline=5))).result().version == 3


async def test_newer_events_are_not_folded_into_a_state_they_do_not_follow(database: str):
    """While an append flies, its aggregate may be forgotten and, for a command that creates it, taken as absent."""
    async with counter_loop(database) as loop:
        id = uuid4()
        await loop.submit(count(id, 5))
        with stopped(database) as connection:
            asked = asyncio.create_task(loop.submit(count(id, -6)))
            await asyncio.sleep(0.1)
            write(connection, id, range(2, 3))
            loop._known.forget([id])
            loop._known.put(id, None)
        assert (await asked).result().version == 3
        assert await total(loop, id) == 0


async def test_a_cancelled_append_is_sent_again(database: str):
    async with counter_loop(database) as loop:
        with stopped(database) as connection:
            asked = asyncio.create_task(loop.submit(count(uuid4())))
            await appending(connection)
            connection.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'")
            await asyncio.sleep(0.1)
        assert (await asked).result().version == 1


async def test_a_lost_answer_is_found_although_the_pool_is_broken_too(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        id = uuid4()
        await loop.submit(count(id))
        lose_next_answer(database, monkeypatch)
        reply = await loop.submit(count(id))
        assert (reply.result().version, [position for _, position in reply.positions]) == (2, [2])


def lose_next_answer(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next append commits, and then every connection breaks before its answer is heard."""
    real = Wire.call

    def call(wire: Wire, *args: Any) -> Any:
        monkeypatch.setattr(Wire, "call", real)
        lost = asyncio.get_running_loop().create_future()

        def lose(_: object) -> None:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            execute(database, f"{query} AND pid <> pg_backend_pid()")
            lost.set_exception(ConnectionLost())

        real(wire, *args).add_done_callback(lose)
        return lost

    monkeypatch.setattr(Wire, "call", call)


async def test_who_has_less_time_than_others_of_the_run_is_told_in_time(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        with stopped(database):
            short, long = (asyncio.create_task(loop.submit(count(id, deadline=n))) for n in (0.3, 30))
            done, _ = await asyncio.wait({short}, timeout=5)
        assert done
        assert isinstance(short.exception(), OutcomeUnknown)
        assert (await long).result().version == 2


async def test_a_command_that_must_load_again_is_given_up_at_its_deadline(
    database: str, monkeypatch: pytest.MonkeyPatch
):
    async with counter_loop(database) as loop:
        id = uuid4()
        await loop.submit(count(id))
        with stopped(database) as connection:
            asked = asyncio.create_task(loop.submit(count(id, deadline=1.5)))
            await asyncio.sleep(0.6)  # longer than between two looks for commands past their deadline
            write(connection, id, range(2, 300))  # too many to come with the answer
            monkeypatch.setattr(loop._log, "load", away)
        done, _ = await asyncio.wait({asked}, timeout=5)
        assert done
        assert isinstance(asked.exception(), Unavailable)


async def away(*_: object) -> None:
    raise Unavailable("the database is away")


async def test_a_stream_that_cannot_be_read_fails_its_own_commands_only(database: str):
    async with counter_loop(database) as loop:
        bad, good = uuid4(), uuid4()
        with psycopg.connect(database) as connection:
            write(connection, bad, range(1, 2), topic="counters.of-a-later-release")
        failed, fine = await asyncio.gather(loop.submit(count(bad)), loop.submit(count(good)), return_exceptions=True)
        assert isinstance(failed, UnknownEventType)
        assert not isinstance(fine, BaseException)


async def test_newer_events_that_cannot_be_read_fail_their_own_commands_only(database: str):
    async with counter_loop(database) as loop:
        bad, good = uuid4(), [uuid4() for _ in range(9)]
        await asyncio.gather(*(loop.submit(count(id)) for id in (bad, *good)))
        with psycopg.connect(database) as connection:
            write(connection, bad, range(2, 3), topic="counters.of-a-later-release")
        failed, *fine = await asyncio.gather(*(loop.submit(count(id)) for id in (bad, *good)), return_exceptions=True)
        assert isinstance(failed, UnknownEventType)
        assert not any(isinstance(reply, BaseException) for reply in fine)


async def test_text_that_is_not_utf_8_fails_its_own_command_only(database: str):
    async with counter_loop(database) as loop:
        broken = Envelope(CountUp().bind(by=ANONYMOUS, target=uuid4()), correlation_id="\ud800")
        failed, *fine = await asyncio.gather(
            loop.submit(broken), *(loop.submit(count(uuid4())) for _ in range(5)), return_exceptions=True
        )
        assert isinstance(failed, RefusedByLog)
        assert not any(isinstance(reply, BaseException) for reply in fine)


async def test_closing_the_log_tells_those_who_wait_and_connects_no_more(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        await loop.submit(count(id))
        with stopped(database) as connection:
            asked = asyncio.create_task(loop.submit(count(id)))
            await appending(connection)
            await loop._log.close()  # type: ignore[attr-defined]  # of the adapter, not of the port
            with pytest.raises(OutcomeUnknown):
                await asked
        await asyncio.sleep(0.1)
        assert loop._log._wire.lost  # type: ignore[attr-defined]
        assert await total(loop, id) in (1, 2)


async def test_reading_goes_on_over_connections_that_died_idle(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        await loop.submit(count(id))
        assert await total(loop, id) == 1
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await total(loop, id) == 1


async def test_a_connection_that_dies_while_it_is_made_is_made_again(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        id, opened, tries = uuid4(), Wire.open, iter([ConnectionLost("cut"), StatementFailed("42883", "no function")])
        await loop.submit(count(id))

        async def dying(*args: Any) -> Wire:
            for error in tries:
                raise error
            return await opened(*args)

        monkeypatch.setattr(Wire, "open", dying)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE '%counters.append%' AND pid <> pg_backend_pid()"
            )
        assert (await loop.submit(count(id))).result().version == 2
