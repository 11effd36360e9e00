"""argon2id on threads of its own: one hash takes 20 ms, which the event loop must not wait for."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Passwords:
    """19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet."""

    def __init__(self, threads: int = 2, *, memory_kib: int = 19_456, passes: int = 2) -> None:
        """Cheaper parameters are for tests."""
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._decoy = self._pool.submit(self._hasher.hash, "no password")
        """The hash of a password that nobody has: it costs an unknown user what a known one costs."""

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._hasher.hash, password)

    async def verify(self, hash: str | None, password: str) -> bool:
        """Takes the same time without a hash (an unknown user), and says no."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._matches, hash, password)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _matches(self, hash: str | None, password: str) -> bool:
        try:
            self._hasher.verify(hash or self._decoy.result(), password)
        except (VerificationError, InvalidHashError):
            return False
        return hash is not None
