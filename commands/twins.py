"""Commands with the same idempotency key at the same time: the first is worked on, the others get its reply."""

from __future__ import annotations

import asyncio
from uuid import UUID

from commands.reply import Key, KeyReused, Reply
from commands.run import Waiting


class Twins:
    def __init__(self) -> None:
        self._first: dict[UUID, Waiting] = {}

    def add(self, key: Key, waiting: Waiting) -> None:
        """From now on until it is answered, others with this key wait for it."""
        self._first[key.id] = waiting
        waiting.answer.add_done_callback(lambda _: self._first.pop(key.id, None))

    async def reply(self, key: Key) -> Reply | None:
        """The reply of the command with this key that is being worked on; None if there is none, or it leaves none."""
        while (first := self._first.get(key.id)) is not None:
            await asyncio.wait({first.answer})
            if reply := _left_by(first, key):
                return reply
        return None


def _left_by(first: Waiting, key: Key) -> Reply | None:
    if first.answer.cancelled() or first.answer.exception() is not None:
        return None
    its_key, reply = first.envelope.key, first.answer.result()
    if reply.refusal is not None and not reply.refusal.final:
        return None  # before the digests: what left no reply says nothing about those that come after it
    if its_key is not None and its_key.digest != key.digest:
        return Reply(None, KeyReused())
    return reply.again()
