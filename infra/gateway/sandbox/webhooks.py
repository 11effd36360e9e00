"""Events are sent, signed, to an address until it takes them: in order, but for what a test wants to go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from typing import Any, Final

import httpx

from infra.gateway import signature
from infra.gateway.faults import Fault
from infra.gateway.sandbox.misfortune import Misfortune, Rule
from infra.gateway.sandbox.refusals import JSON
from infra.gateway.sandbox.state import State, shown

FIRST_RETRY: Final = 0.5
LONGEST_RETRY: Final = 60.0
TIMEOUT: Final = 10.0

log: Final = logging.getLogger("chobo.sandbox")


class Webhooks:
    """What was not taken before a restart is sent after it."""

    def __init__(self, state: State, misfortune: Misfortune, url: str | None, secret: str) -> None:
        self.url = url
        self._state = state
        self._misfortune = misfortune
        self._secret = secret
        self._due: list[tuple[float, int, JSON, int]] = []  # when, in which order, what, how often tried
        self._planned: set[str] = set()
        self._number = 0
        self._held: list[tuple[float, int, JSON, int]] = []
        self._changed = asyncio.Event()

    def wake(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            while True:
                self._plan()
                await self._wait()
                while self.url and self._due and self._due[0][0] <= now():
                    await self._send(client, self.url, *heappop(self._due)[2:])

    def _plan(self) -> None:
        """Everything that is new, with what is to go wrong with it."""
        if not self.url:
            return
        for event in list(self._state.unsent.values()):
            if event["id"] not in self._planned:
                self._planned.add(event["id"])
                self._plan_one(event, self._misfortune.of(f"WEBHOOK {event['type']}"))

    def _plan_one(self, event: JSON, rule: Rule | None) -> None:
        match rule.fault if rule else None:
            case Fault.LOST:
                self._taken(event)
            case Fault.DUPLICATE:
                self._at(now(), event)
                self._at(now(), event)
            case Fault.LATE if rule:
                self._at(now() + rule.seconds, event)
            case Fault.REORDERED if rule:
                self._at(now() + rule.seconds, event, held=True)
            case _:
                self._at(now(), event)

    def _at(self, due: float, event: JSON, tried: int = 0, *, held: bool = False) -> None:
        self._number += 1
        entry = (due, self._number, event, tried)
        heappush(self._due, entry)
        if held:
            self._held.append(entry)

    async def _wait(self) -> None:
        """For something new, or until something is due."""
        seconds = max(0.0, self._due[0][0] - now()) if self._due and self.url else None
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def _send(self, client: httpx.AsyncClient, url: str, event: JSON, tried: int) -> None:
        body = json.dumps(shown(event), indent=2).encode()
        at = datetime.fromtimestamp(self._state.now(), UTC)
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature.sign(body, at, self._secret)}
        try:
            (await client.post(url, content=body, headers=headers)).raise_for_status()
        except httpx.HTTPError as error:
            log.warning("webhook %s %s was not taken: %s", event["id"], event["type"], error)
            self._at(now() + min(LONGEST_RETRY, FIRST_RETRY * 2**tried), event, tried + 1)
            return
        self._taken(event)
        self._release(event)

    def _taken(self, event: JSON) -> None:
        if event["_unsent"]:
            self._state.sent(event)
            self._state.write()
        self._planned.discard(event["id"])

    def _release(self, event: JSON) -> None:
        """What was to come after the next one comes now."""
        held: list[Any] = [entry for entry in self._held if entry[2] is not event]
        if not held:
            return
        self._held = []
        self._due = [entry for entry in self._due if entry not in held]
        heapify(self._due)
        for _, _, late, tried in held:
            self._at(now(), late, tried)


def now() -> float:
    return asyncio.get_running_loop().time()
