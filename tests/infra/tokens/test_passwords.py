"""Passwords: argon2id, off the loop, and an unknown user costs what a known one costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from infra.tokens import Argon2Passwords

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def passwords() -> Iterator[Argon2Passwords]:
    made = Argon2Passwords()
    yield made
    made.close()


async def test_the_right_password_and_no_other_matches(passwords: Argon2Passwords):
    hashed = await passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(hashed, "correct horse")
    assert not await passwords.verify(hashed, "correct hors")
    assert not await passwords.verify("no hash at all", "correct horse")


async def test_nobody_has_the_decoy_password(passwords: Argon2Passwords):
    assert not await passwords.verify(None, "no password")


async def test_an_unknown_user_costs_what_a_known_one_costs(passwords: Argon2Passwords):
    hashed = await passwords.hash("correct horse")
    known, unknown = [min([await seconds(passwords, hash) for _ in range(5)]) for hash in (hashed, None)]
    assert known / 3 < unknown < known * 3


async def seconds(passwords: Argon2Passwords, hash: str | None) -> float:
    began = time.perf_counter()
    await passwords.verify(hash, "wrong")
    return time.perf_counter() - began


async def test_the_loop_goes_on_meanwhile(passwords: Argon2Passwords):
    hashing = asyncio.gather(*(passwords.hash("correct horse") for _ in range(4)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
