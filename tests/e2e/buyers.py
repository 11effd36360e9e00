"""Many people who order at once, on bare connections: quick enough not to be what is measured."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self
from uuid import UUID

import httpx

from domain.actor import Actor, Role, service
from domain.ids import UserId, new_id
from infra.tokens import SigningKeys, Tokens

ADDRESS = {"name": "Ann Bee", "line1": "1 Way", "postalCode": "1000", "city": "Berne", "country": "CH"}
JSON = dict[str, Any]

ENDS: list[list[tuple[str, JSON]]] = [
    [],
    [("confirm", {})],
    [("expire", {})],
    [("reject", {"reason": "OUT_OF_STOCK"})],
    [("confirm", {}), ("ship", {"carrier": "DHL"})],
    [("confirm", {}), ("ship", {"carrier": "DHL"}), ("deliver", {})],
    [("confirm", {}), ("ship", {"carrier": "DHL"}), ("deliver", {}), ("return", {"restock": True, "note": "too big"})],
]
"""What may become of an order that was placed."""


@dataclass
class Shop:
    """One thing to buy, and customers. `told` is what the command API said of each order last: version and status."""

    address: str
    tokens: Tokens
    random: Random
    order: JSON = field(default_factory=dict)
    customers: list[UserId] = field(default_factory=list)
    told: dict[str, tuple[int, str]] = field(default_factory=dict)
    last_token: str = ""
    events: int = 0

    @classmethod
    def opened(cls, address: str, token_keys: str, random: Random) -> Shop:
        shop = cls(address, Tokens(SigningKeys(token_keys)), random)
        with httpx.Client(base_url=address, timeout=60) as http:
            shop._set_up(http)
        return shop

    def token_of(self, actor: Actor) -> str:
        return self.tokens.lasting(actor, 7200)

    async def sell(self, events: int, at_once: int = 16) -> None:
        """Until at least so many events of orders were recorded."""
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._sell(events))

    def _set_up(self, http: httpx.Client) -> None:
        product, variant = new_id(), new_id()
        sold = {"id": str(variant), "sku": "NB-1", "price": {"amount": 1200, "currency": "EUR"}}
        self._done(http, "/v1/products", {"id": str(product), "name": "Notebook", "variants": [sold]})
        self._done(http, f"/v1/products/{product}/activate", {})
        for number in range(4):
            person = {"email": f"ann{number}@example.org", "password": "long enough", "name": "Ann"}
            self.customers.append(UserId(UUID(self._done(http, "/v1/users", person)["id"])))
        wanted = {"lines": [{"variantId": str(variant), "quantity": 1}], "address": ADDRESS}
        total = self._done(http, "/v1/quotes", wanted | {"currency": "EUR"})["total"]
        payment = {"payment": {"method": "CREDIT_CARD", "token": "tok"}, "quotedTotal": total}
        self.order = wanted | payment

    def _done(self, http: httpx.Client, path: str, body: JSON) -> JSON:
        staff = self.token_of(service("tests"))
        headers = {"authorization": f"Bearer {staff}", "idempotency-key": str(new_id())}
        answer = http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        said: JSON = answer.json()
        return said

    async def _sell(self, events: int) -> None:
        staff = self.token_of(service("tests"))
        buyer = self.token_of(Actor(self.random.choice(self.customers), frozenset({Role.CUSTOMER})))
        async with Line(self.address) as line:
            while self.events < events:
                id = str(new_id())
                self.note(await line.post("/v1/orders", self.order | {"id": id}, buyer))
                for verb, body in self.random.choice(ENDS):
                    self.note(await line.post(f"/v1/orders/{id}/{verb}", body, staff))

    def note(self, answer: JSON) -> None:
        version, _ = self.told.get(answer["id"], (0, ""))
        self.events += answer["version"] - version
        self.told[answer["id"]] = answer["version"], answer["status"]
        self.last_token = answer["consistencyToken"]


class Line:
    """One connection that is kept."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.removeprefix("http://").rpartition(":")

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def post(self, path: str, body: JSON, token: str) -> JSON:
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nIdempotency-Key: {new_id()}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._writer.write(head.encode() + content)
        status, answer = await self._answered()
        assert 200 <= status < 300, f"{path}: {status} {answer}"
        return answer

    async def _answered(self) -> tuple[int, JSON]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
        answer: JSON = json.loads(await self._reader.readexactly(length))
        return int(head[9:12]), answer


ORDERS = """
query ($after: String) {
  orders(first: 100, after: $after) { nodes { id version status } pageInfo { hasNextPage endCursor } }
}
"""


def read_back(address: str, shop: Shop) -> dict[str, tuple[int, str]]:
    """Every order as GraphQL has it, version and status, after waiting for the last one that was told of."""
    headers = {
        "authorization": f"Bearer {shop.token_of(service('tests'))}",
        "consistency-token": shop.last_token,
    }
    found: dict[str, tuple[int, str]] = {}
    after: str | None = None
    with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
        while True:
            answer = http.post("/graphql", json={"query": ORDERS, "variables": {"after": after}}).json()
            assert "errors" not in answer, answer
            assert answer["extensions"]["consistency"]["satisfied"] is True
            page = answer["data"]["orders"]
            found |= {node["id"]: (node["version"], node["status"]) for node in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]
