"""What the sandbox knows: Stripe's objects by id, answers by idempotency key, its clock, what is due when."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from infra.gateway.sandbox.journal import Journal
from infra.gateway.sandbox.refusals import JSON

KEYS_LIVE: Final = 24 * 3600
EVENTS_LIVE: Final = 30 * 24 * 3600
API_VERSION: Final = "2026-06-24.chobo"


class State:
    """Everything is in memory; each change is journalled. Times are whole unix seconds of the sandbox's own clock."""

    def __init__(self, directory: Path, address: str) -> None:
        self.address = address
        self.objects: dict[str, JSON] = {}
        self.answers: dict[str, JSON] = {}
        self.unsent: dict[str, JSON] = {}
        self.due: list[tuple[int, str]] = []
        self._kinds: defaultdict[str, dict[str, JSON]] = defaultdict(dict)
        self._under: defaultdict[tuple[str, str], list[JSON]] = defaultdict(list)
        self._moved = 0
        self._changed: dict[str, Any] = {}
        self._journal = Journal(directory)
        for line in self._journal.read():
            self._apply(line)
        self._journal.begin(self._all())
        for thing in self.objects.values():
            self._put_in_place(thing)

    def now(self) -> int:
        return int(time.time()) + self._moved

    def advance(self, seconds: int) -> None:
        self._moved += seconds
        self._changed["moved"] = self._moved

    def new(self, prefix: str, kind: str, **fields: Any) -> JSON:
        """A new object, which is kept. It is changed in place, and put again."""
        thing = {"id": f"{prefix}_{token_hex(12)}", "object": kind, "created": self.now(), "livemode": False, **fields}
        return self.put(thing)

    def put(self, thing: JSON) -> JSON:
        self.objects[thing["id"]] = thing
        self._changed.setdefault("objects", {})[thing["id"]] = thing
        self._put_in_place(thing)
        return thing

    def keep(self, key: str, answer: JSON) -> None:
        self.answers[key] = answer
        self._changed.setdefault("answers", {})[key] = answer

    def happened(self, type: str, thing: JSON) -> None:
        """An event, which webhooks are told of."""
        self.new(
            "evt",
            "event",
            type=type,
            api_version=API_VERSION,
            data={"object": shown(thing)},
            pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
            _unsent=True,
        )

    def sent(self, event: JSON) -> None:
        event |= {"pending_webhooks": 0, "_unsent": False}
        self.put(event)

    def of(self, kind: str) -> Iterator[JSON]:
        """Newest first."""
        return reversed(self._kinds[kind].values())

    def under(self, intent_id: str, kind: str) -> list[JSON]:
        """The refunds or disputes of a payment intent, newest first."""
        return self._under[intent_id, kind][::-1]

    def overdue(self) -> Iterator[JSON]:
        """What something is to happen to by now. Each comes once."""
        while self.due and self.due[0][0] <= self.now():
            at, id = heappop(self.due)
            if self.objects[id].get("_due") == at:
                yield self.objects[id]

    def write(self) -> None:
        """What was changed goes to the journal."""
        if self._changed:
            self._journal.write(self._changed)
            self._changed = {}

    async def flush(self) -> None:
        """Returns once all that an answer may tell of is on the disk."""
        self.write()
        await self._journal.flush()

    def close(self) -> None:
        self.write()
        self._journal.close()

    def _put_in_place(self, thing: JSON) -> None:
        kind, id = thing["object"], thing["id"]
        if id not in self._kinds[kind] and (intent_id := thing.get("payment_intent")):
            self._under[intent_id, kind].append(thing)
        self._kinds[kind][id] = thing
        if (due := thing.get("_due")) is not None:
            heappush(self.due, (due, thing["id"]))
        if thing.get("_unsent"):
            self.unsent[thing["id"]] = thing
        else:
            self.unsent.pop(thing["id"], None)

    def _apply(self, line: JSON) -> None:
        self.objects |= line.get("objects", {})
        self.answers |= line.get("answers", {})
        self._moved = line.get("moved", self._moved)

    def _all(self) -> Iterator[JSON]:
        """Without keys and events that are forgotten by now."""
        now = self.now()
        self.answers = {k: a for k, a in self.answers.items() if now - a["at"] < KEYS_LIVE}
        self.objects = {id: o for id, o in self.objects.items() if not forgotten(o, now)}
        yield {"moved": self._moved}
        yield from ({"objects": {id: thing}} for id, thing in self.objects.items())
        yield from ({"answers": {key: answer}} for key, answer in self.answers.items())


def forgotten(thing: JSON, now: int) -> bool:
    return thing["object"] == "event" and not thing.get("_unsent") and now - int(thing["created"]) > EVENTS_LIVE


def shown(thing: JSON) -> JSON:
    """A copy as the API shows it."""
    return copy.deepcopy({name: value for name, value in thing.items() if not name.startswith("_")})
