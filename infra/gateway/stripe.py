"""Stripe, by its official SDK: the one adapter of production, which development and tests point at the sandbox."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import httpx
import stripe

from commands.payments.gateway import (
    Answer,
    Authorise,
    Capture,
    Declined,
    Hook,
    Intent,
    Invalid,
    RateLimited,
    Refund,
    Succeeded,
    Unknown,
    Void,
)
from domain.ids import PaymentId
from domain.value import PaymentMethod
from infra.gateway import answers, requests, signature
from infra.gateway.advice import advice_of
from infra.gateway.amounts import NotSendable, to_stripe, transfer_type
from infra.gateway.failures import PERHAPS_DONE, answer_to, details, replayed
from infra.gateway.reading import JSON, NotReadable, Reader, charge_of, date_in, refunds_in
from infra.gateway.webhook import hook_of

TIMEOUT: Final = 20.0
"""Seconds for an answer: Stripe's own banks take up to a dozen. What comes later is Unknown, and asked for again."""

CONNECT_TIMEOUT: Final = 5.0
PAGE: Final = 100

Look = Callable[[str | None], Awaitable[Answer | None]]
"""Whether it has been done already, and with what outcome; the reference where it is known. None: not that one sees."""

log: Final = logging.getLogger("chobo.gateway")


@dataclass(frozen=True, slots=True)
class Seen:
    """JSON that the gateway sent at its own time `at`. `replayed`: it is the first answer to this key, given again."""

    json: JSON
    at: datetime
    replayed: bool = False


Ask = Callable[[Any], Awaitable[Any]]
Following = Callable[[JSON], str]


class StripeGateway:
    """`url` is another address than Stripe's own. `return_url` is the shop's page to which customers come back.

    `country` (ISO 3166) is where transfers in euros go. Close it when done.
    """

    name: Final = "stripe"

    def __init__(
        self,
        key: str,
        *,
        webhook_secrets: Sequence[str],
        return_url: str,
        country: str = "DE",
        url: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
        self._http = stripe.HTTPXClient(timeout=limits)
        client = stripe.StripeClient(
            key, base_addresses={"api": url} if url else {}, http_client=self._http, max_network_retries=0
        )
        self._v1 = client.v1
        self._intents = client.v1.payment_intents
        self._secrets = tuple(webhook_secrets)
        self._reader = Reader(return_url)
        self._country = country

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK's own gap

    async def authorise(self, request: Authorise) -> Answer:
        return await self._asked(
            partial(self._authorise, request),
            lambda intent: answers.of_attempt(intent, already=False),
            partial(self._authorised, request),
        )

    async def capture(self, request: Capture) -> Answer:
        """Looks first: what the parameters are depends on the intent, and a capture may be done already."""
        return await self._asked(partial(self._capture, request), Succeeded, partial(self._captured, request))

    async def void(self, request: Void) -> Answer:
        return await self._asked(partial(self._void, request), Succeeded, partial(self._voided, request))

    async def refund(self, request: Refund) -> Answer:
        return await self._asked(
            partial(self._refund, request),
            lambda intent: answers.of_refund(intent, request.refund_id, already=False),
            partial(self._refunded, request),
        )

    async def get(self, reference: str) -> Intent | Unknown | RateLimited | None:
        try:
            return await self._whole(await self._retrieve(reference))
        except stripe.StripeError as error:
            answer = answer_to(error)
            if not isinstance(answer, Invalid):
                return answer
            return None if answer.code == "resource_missing" else Unknown(f"{answer.code}: {answer.why}")
        except NotReadable as error:
            return Unknown(str(error))

    async def find(self, payment_id: PaymentId) -> Sequence[Intent] | Unknown | RateLimited:
        query = {"query": f"metadata['payment_id']:'{payment_id}'"}
        return await self._listed(self._intents.search_async, query, "page", next_page)

    async def since(self, at: datetime) -> Sequence[Intent] | Unknown | RateLimited:
        wanted = {"created": {"gte": int(at.timestamp())}}
        return await self._listed(self._intents.list_async, wanted, "starting_after", last_id)

    def parse(self, body: bytes, headers: Mapping[bytes, bytes], now: datetime) -> Hook:
        signature.check(body, headers, self._secrets, now)
        return hook_of(body, self._reader)

    # One request, and what becomes of it.

    async def _asked(
        self, ask: Callable[[], Awaitable[Seen | Answer]], told: Callable[[Intent], Answer], look: Look
    ) -> Answer:
        """Raises nothing: a look that follows an error can fail too."""
        try:
            return await self._sent(ask, told, look)
        except NotSendable as error:
            return Invalid("invalid_amount", str(error))
        except stripe.StripeError as error:
            return answer_to(error)
        except NotReadable as error:
            return Unknown(str(error))

    async def _sent(
        self, ask: Callable[[], Awaitable[Seen | Answer]], told: Callable[[Intent], Answer], look: Look
    ) -> Answer:
        try:
            seen = await ask()
        except stripe.StripeError as error:
            return await self._failed(error, look)
        if not isinstance(seen, Seen):
            return seen
        first = told(await self._whole(seen))
        return first if not seen.replayed else (await look(seen.json["id"])) or first

    async def _failed(self, error: stripe.StripeError, look: Look) -> Answer:
        """A replayed answer is as old as the key, and some refusals mean that it is done already: it is looked at."""
        answer = self._declined(error) if isinstance(error, stripe.CardError) else answer_to(error)
        old = replayed(error.headers) and not isinstance(answer, RateLimited)
        if old or (isinstance(answer, Invalid) and answer.code in PERHAPS_DONE):
            named = details(error).get("payment_intent")
            found = await look(named["id"] if named else None)
            return found or (replace(answer, kept=old) if isinstance(answer, Unknown) else answer)
        return answer

    def _declined(self, error: stripe.CardError) -> Answer:
        body, at = details(error), date_in(error.headers or {})
        code = body.get("decline_code") or error.code or "declined"
        advice = advice_of(code, body.get("advice_code"))
        json = body.get("payment_intent")
        if json is None:  # an answer of another shape than Stripe documents
            return Unknown(f"declined with {code}, but the gateway does not say what")
        return Declined(self._reader.intent(json, at), json["id"], code, advice, at)

    # What is sent.

    async def _authorise(self, request: Authorise) -> Seen:
        to_stripe(request.amount)
        customer = await self._customer(request) if is_transfer(request) else None
        params = requests.intent(request, self._reader.return_url, self._country, customer)
        return seen_in(await self._intents.create_async(params, requests.options(request.key)))

    async def _customer(self, request: Authorise) -> str:
        """Whose account the transfer goes to; one for each attempt, without anything personal."""
        transfer_type(request.amount.currency)
        params: Any = {"metadata": {"payment_id": str(request.payment_id)}}
        return (await self._v1.customers.create_async(params, requests.options(f"{request.key}-customer"))).id

    async def _capture(self, request: Capture) -> Seen | Answer:
        to_stripe(request.amount)
        before = await self._retrieve(request.reference)
        if is_captured(before.json, request):
            return Succeeded(await self._whole(before), already=True)
        params = requests.capture(request, before.json["amount"], several=has_multicapture(before.json))
        key = requests.options(request.key)
        return seen_in(await self._intents.capture_async(request.reference, params, key))

    async def _void(self, request: Void) -> Seen:
        params: Any = {"expand": requests.EXPAND}
        key = requests.options(request.key)
        return seen_in(await self._intents.cancel_async(request.reference, params, key))

    async def _refund(self, request: Refund) -> Seen | Answer:
        """Looks first, for a key is forgotten after a day, and more than one refund can be made."""
        to_stripe(request.amount)
        if done := await self._refunded(request, request.reference):
            return done
        made = seen_in(await self._v1.refunds.create_async(requests.refund(request), requests.options(request.key)))
        return Seen(made.json["payment_intent"], made.at, made.replayed)

    # Whether it is done already.

    async def _authorised(self, request: Authorise, reference: str | None) -> Answer | None:
        found = await self.get(reference) if reference else await self.find(request.payment_id)
        if found is None or isinstance(found, Unknown | RateLimited):
            return found
        intents = [found] if isinstance(found, Intent) else found
        ours = next((intent for intent in intents if intent.attempt_id == request.attempt_id), None)
        return answers.of_attempt(ours, already=True) if ours else None

    async def _captured(self, request: Capture, reference: str | None) -> Answer | None:
        seen = await self._retrieve(request.reference)
        return Succeeded(await self._whole(seen), already=True) if is_captured(seen.json, request) else None

    async def _voided(self, request: Void, reference: str | None) -> Answer | None:
        seen = await self._retrieve(request.reference)
        return Succeeded(await self._whole(seen), already=True) if is_let_go(seen.json) else None

    async def _refunded(self, request: Refund, reference: str | None) -> Answer | None:
        intent = await self._whole(await self._retrieve(request.reference))
        if answers.refund_in(intent, request.refund_id) is None:
            return None
        return answers.of_refund(intent, request.refund_id, already=True)

    # Looking.

    async def _retrieve(self, reference: str) -> Seen:
        params: Any = {"expand": requests.EXPAND}
        return seen_in(await self._intents.retrieve_async(reference, params))

    async def _whole(self, seen: Seen) -> Intent:
        """With refunds beyond those that come along, and disputes."""
        json, charge = seen.json, charge_of(seen.json)
        refunds = [one async for one in self._refunds(json)] if has_more_refunds(charge) else refunds_in(charge)
        disputes = [one async for one in self._disputes(json)] if charge.get("disputed") else ()
        return self._reader.intent(json, seen.at, refunds, disputes)

    async def _refunds(self, json: JSON) -> AsyncIterator[JSON]:
        async for page in self._pages(self._v1.refunds.list_async, of(json), "starting_after", last_id):
            for one in page.json["data"]:
                yield one

    async def _disputes(self, json: JSON) -> AsyncIterator[JSON]:
        async for page in self._pages(self._v1.disputes.list_async, of(json), "starting_after", last_id):
            for one in page.json["data"]:
                yield one

    async def _listed(
        self, ask: Ask, params: JSON, cursor: str, following: Following
    ) -> Sequence[Intent] | Unknown | RateLimited:
        """Newest first. What cannot be read is not ours: it is left out."""
        expanded = {**params, "expand": [f"data.{path}" for path in requests.EXPAND]}
        found: list[tuple[int, Intent]] = []
        try:
            async for page in self._pages(ask, expanded, cursor, following):
                for json in page.json["data"]:
                    found += [(json["created"], intent) for intent in await self._if_readable(Seen(json, page.at))]
        except stripe.StripeError as error:
            answer = answer_to(error)
            return Unknown(f"{answer.code}: {answer.why}") if isinstance(answer, Invalid) else answer
        return [intent for _, intent in sorted(found, key=lambda pair: pair[0], reverse=True)]

    async def _if_readable(self, seen: Seen) -> list[Intent]:
        try:
            return [await self._whole(seen)]
        except NotReadable as error:
            log.warning("left out: %s", error)
            return []

    async def _pages(self, ask: Ask, params: JSON, cursor: str, following: Following) -> AsyncIterator[Seen]:
        wanted: Any = {**params, "limit": PAGE}
        while True:
            page = seen_in(await ask(wanted))
            yield page
            if not page.json["has_more"]:
                return
            wanted = {**wanted, cursor: following(page.json)}


def seen_in(thing: Any) -> Seen:
    """Any: the SDK's classes of objects, lists and search results have nothing in common that says so."""
    headers = thing.last_response.headers
    return Seen(thing.to_dict(), date_in(headers), replayed(headers))


def next_page(page: JSON) -> str:
    return str(page["next_page"])


def last_id(page: JSON) -> str:
    return str(page["data"][-1]["id"])


def of(intent: JSON) -> JSON:
    return {"payment_intent": intent["id"]}


def is_transfer(request: Authorise) -> bool:
    return request.method is PaymentMethod.BANK_TRANSFER and request.token is None


def is_captured(intent: JSON, request: Capture) -> bool:
    """Its mark is there, and the money of all marks too: it is nowhere said that a refused capture leaves none."""
    metadata = intent.get("metadata") or {}
    marked = sum(int(amount) for name, amount in metadata.items() if name.startswith("capture_") and amount.isdigit())
    return requests.mark(request.capture_id) in metadata and bool(intent["amount_received"] >= marked)


def is_let_go(intent: JSON) -> bool:
    """Nothing is held any more, and something was not captured."""
    if intent["status"] == "canceled":
        return True
    return bool(intent["status"] == "succeeded" and intent["amount_received"] < intent["amount"])


def has_multicapture(intent: JSON) -> bool:
    card = (charge_of(intent).get("payment_method_details") or {}).get("card") or {}
    return bool((card.get("multicapture") or {}).get("status") == "available")


def has_more_refunds(charge: JSON) -> bool:
    return bool((charge.get("refunds") or {}).get("has_more"))
