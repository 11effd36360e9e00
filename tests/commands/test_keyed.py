"""Idempotency keys: the first stored reply wins, whatever a repeat would be told by itself."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from bench.counter import HANDLERS, CountUp
from bench.server import counter_loop
from commands.reply import KeyReused, OutcomeUnknown
from domain.errors import REFUSALS, Forbidden, InvalidValue
from tests.commands.test_loop import count, key, total


async def test_an_edit_repeated_with_its_key_and_its_if_match_gets_the_first_reply(database: str):
    async with counter_loop(database) as loop:
        id, same = uuid4(), key()
        await loop.submit(count(id))
        first = await loop.submit(count(id, key=same, expected_version=1))
        again = await loop.submit(count(id, key=same, expected_version=1))
        assert again.replayed
        assert (again.result(), again.positions) == (first.result(), first.positions)
        assert await total(loop, id) == 2


async def test_who_may_no_longer_ask_still_gets_the_first_reply(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        id, same = uuid4(), key()
        first = await loop.submit(count(id, key=same))
        monkeypatch.setattr(HANDLERS[CountUp], "decide", refusing(Forbidden("not any more")))
        assert (await loop.submit(count(id, key=same))).result() == first.result()
        assert isinstance((await loop.submit(count(id, key=key()))).refusal, Forbidden)
        assert isinstance((await loop.submit(count(id, key=key(b"other", same.id)))).refusal, KeyReused)


async def test_a_twin_with_the_right_body_is_not_refused_for_another_that_has_a_wrong_one(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, same = uuid4(), key()
        await other.submit(count(id, key=same))
        wrong, right = await asyncio.gather(
            one.submit(count(id, 7, key=key(b"other", same.id))), one.submit(count(id, key=same))
        )
        assert isinstance(wrong.refusal, KeyReused)
        assert right.result().version == 1


async def test_a_twin_with_another_body_is_worked_on_when_the_first_left_no_reply(database: str):
    async with counter_loop(database) as loop:
        id, same = uuid4(), key()
        await loop.submit(count(id))
        _, other = await asyncio.gather(
            loop.submit(count(id, key=same, expected_version=7)), loop.submit(count(id, 5, key=key(b"other", same.id)))
        )
        assert other.result().version == 2


async def test_a_reply_that_cannot_be_stored_fails_its_own_command_only(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        bad, good = uuid4(), [uuid4() for _ in range(4)]
        decide = HANDLERS[CountUp].decide
        broken = refusing(InvalidValue("no JSON", what=object()))
        monkeypatch.setattr(
            HANDLERS[CountUp],
            "decide",
            lambda command, *rest: (broken if command.target == bad else decide)(command, *rest),
        )
        failed, *fine = await asyncio.gather(
            loop.submit(count(bad, key=key())), *(loop.submit(count(id)) for id in good), return_exceptions=True
        )
        assert isinstance(failed, Exception)
        assert not isinstance(failed, OutcomeUnknown)
        assert not any(isinstance(reply, BaseException) for reply in fine)


async def test_a_stored_reply_that_cannot_be_read_leaves_nobody_waiting(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, same = uuid4(), key()
        await other.submit(count(id, -1, key=same))
        monkeypatch.delitem(REFUSALS, "COUNTER_BELOW_ZERO")  # a later release had stored it
        with pytest.raises(OutcomeUnknown):
            await one.submit(count(id, -1, key=same))


def refusing(refusal: Exception) -> Any:
    def decide(*_: object) -> None:
        raise refusal

    return decide
