"""The life of one order of the sample shop, once it is placed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx

from domain.ids import OrderId, cancellation_of, checkout_of, new_id, payment_of
from infra.demo.bank import Bank, BankRefused, NotASandbox
from infra.demo.client import JSON, RefusedByServer, Session
from infra.demo.fates import Act, Fate
from infra.demo.tally import ENDS, OPEN, Tally, place_of

PATIENCE: Final = 60.0
"""Seconds that anybody waits for their turn."""

LOOK: Final = 0.3  # seconds between looks at an order, at first
LONGEST_LOOK: Final = 60.0
PATIENT_LOOK: Final = 3.0  # while somebody waits for their turn
WATCHED: Final = 3600.0  # seconds; by then what waits for a customer has expired
STUCK: Final = frozenset({"STUCK", "COMPENSATION_FAILED", "PARKED"})

PAYMENT: Final = """query ($id: ID!) { order(id: $id) { payment {
  nextAction { url } attempts { status reference }
} } }"""


@dataclass(slots=True)
class Party:
    """Who has to do with an order: its customer, the shop's staff, the bank."""

    customer: Session
    staff: Session
    bank: Bank


class Life:
    """`moments` are the pauses before each act, drawn beforehand so that they do not depend on who is faster."""

    def __init__(self, order: str, fate: Fate, party: Party, tally: Tally, chance: Random) -> None:
        self._order = order
        self._fate = fate
        self._party = party
        self._tally = tally
        self._moments = [chance.uniform(0.0, 3.0) for _ in fate.acts]
        self._where = tally.place()
        self._returned = False
        self._acts: Mapping[Act, Callable[[], Awaitable[bool]]] = {
            Act.PAYS: lambda: self._at_the_bank(pays=True),
            Act.FAILS: lambda: self._at_the_bank(pays=False),
            Act.TRANSFERS: self._transfer,
            Act.CANCELS: self._cancel,
            Act.GIVES_UP: self._give_up,
            Act.IS_SENT_PART: lambda: self._ship({"lines": [{"line": 1, "quantity": 1}]}),
            Act.IS_SENT: lambda: self._ship({}),
            Act.RECEIVES: self._receive,
            Act.RETURNS: self._send_back,
        }

    async def act(self) -> None:
        """All that the fate has in store, until something comes in between. What is refused is in the tally."""
        try:
            for act, moment in zip(self._fate.acts, self._moments, strict=True):
                await asyncio.sleep(moment)
                if not await self._acts[act]():
                    return
        except (RefusedByServer, BankRefused, NotASandbox, httpx.TransportError) as refused:
            self._tally.refuse(f"{self._fate.name}: {refused}")

    async def watch(self) -> None:
        """Keeps the tally until the order is decided or needs an operator."""
        began = time.monotonic()
        while not await self._look() and (age := time.monotonic() - began) < WATCHED:
            await asyncio.sleep(min(LONGEST_LOOK, LOOK + age / 4))

    async def _look(self) -> bool:
        """Whether that was the last look."""
        status = await self._status()
        saga = await self._saga(status)
        if saga in STUCK:
            self._stands(status, stuck=True)
            return True
        return status not in OPEN and saga == "ENDED"

    async def _status(self) -> str:
        status = str((await self._party.staff.get(f"/v1/orders/{self._order}"))["status"])
        self._stands(status, stuck=False)
        return status

    def _stands(self, status: str, *, stuck: bool) -> None:
        self._where = self._tally.move(self._where, place_of(status, returned=self._returned, stuck=stuck))

    async def _saga(self, status: str) -> str:
        """How the saga stands that has the order in hand. It may not have begun yet."""
        payment = payment_of(OrderId(UUID(self._order)))
        id = cancellation_of(payment) if status == "CANCEL_PENDING" else checkout_of(payment)
        try:
            return str((await self._party.staff.get(f"/v1/sagas/{id}"))["status"])
        except RefusedByServer as refused:
            if refused.code != "NOT_FOUND":
                raise
            return "RUNNING"

    # -- what customers do

    async def _at_the_bank(self, *, pays: bool) -> bool:
        page = await self._until(self._page)
        if page:
            await self._party.bank.answer(page, pays=pays)
        return page is not None

    async def _give_up(self) -> bool:
        return await self._until(self._page) is not None and await self._cancel()

    async def _transfer(self) -> bool:
        """Nothing tells where the money is to be sent as long as the sandbox's address is not known."""
        reference = await self._until(self._reference)
        if reference:
            await self._party.bank.send_money(reference)
        return reference is not None

    async def _cancel(self) -> bool:
        await self._party.customer.post(f"/v1/orders/{self._order}/cancel", {}, key=new_key())
        return True

    # -- what staff do

    async def _ship(self, lines: JSON) -> bool:
        if not await self._until_it_is("CONFIRMED", "PARTIALLY_SHIPPED"):
            return False
        body = {"carrier": "Demo Post", "tracking": f"DP{self._order[-8:].upper()}"} | lines
        await self._party.staff.post(f"/v1/orders/{self._order}/ship", body, key=new_key())
        return True

    async def _receive(self) -> bool:
        await self._party.staff.post(f"/v1/orders/{self._order}/deliver", {}, key=new_key())
        return True

    async def _send_back(self) -> bool:
        body = {"lines": [{"line": 1, "quantity": 1}], "restock": True, "note": "does not fit"}
        await self._party.staff.post(f"/v1/orders/{self._order}/return", body, key=new_key())
        self._returned = True
        return True

    # -- waiting for one's turn

    async def _until_it_is(self, *statuses: str) -> bool:
        async def there() -> str | None:
            return status if (status := await self._status()) in statuses else None

        return await self._until(there) is not None

    async def _until(self, seen: Callable[[], Awaitable[str | None]]) -> str | None:
        """None when the order has ended first, or after PATIENCE."""
        began = time.monotonic()
        while (found := await seen()) is None and (waited := time.monotonic() - began) < PATIENCE:
            if await self._status() in ENDS:
                return None
            await asyncio.sleep(min(PATIENT_LOOK, LOOK + waited / 4))
        return found

    async def _page(self) -> str | None:
        action = (await self._payment()).get("nextAction") or {}
        return action.get("url")

    async def _reference(self) -> str | None:
        attempts = (await self._payment()).get("attempts") or []
        known = self._party.bank.address is not None
        return next((a["reference"] for a in attempts if known and a["status"] == "PENDING"), None)

    async def _payment(self) -> dict[str, Any]:
        """What the read side has of it; nothing yet is an empty one."""
        order = (await self._party.staff.query(PAYMENT, {"id": self._order}))["order"] or {}
        return order.get("payment") or {}


def new_key() -> str:
    """For `Idempotency-Key`. Not from the seed: the same whims again are other orders."""
    return f"demo-{new_id()}"
