"""Every page of the dashboard, asked for by somebody who is signed in: how long it takes, and what it weighs."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from gzip import decompress
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode

from bench.cpu import Cpu, precisely
from bench.dashboard_shop import House
from bench.many_sagas import LONG
from bench.report import percentile
from sagas.dashboard.pages import PAGES
from sagas.dashboard.views import BASE

LATER: Final = re.compile(r'<a class="button" rel="next" href="([^"]+)"')
LIVE: Final = re.compile(r'hx-sse:connect="([^"]+)"')
ONE: Final = {
    "event": re.compile(rf'href="({BASE}/events/sagas/\d+)"'),
    "notification": re.compile(rf'href="({BASE}/notifications/[0-9a-f-]{{36}})"'),
    "operation": re.compile(rf'href="({BASE}/audit/[0-9a-f-]{{36}})"'),
    "parked cause": re.compile(rf'href="({BASE}/parked/cause[^"]+)"'),
    "parked sequence": re.compile(rf'href="({BASE}/parked/[0-9a-f-]{{36}})"'),
}
"""What a list leads to."""
LEADS_TO: Final = {"/sagas": "/sagas?state=all"}
"""By itself it leads to those that need a person, where there are some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` until all of it was there."""

    text: str
    sent: int
    seconds: float


@dataclass(slots=True)
class Met:
    """Of one page: seconds of each answer, bytes as sent and as they are, and processor time of all of them."""

    name: str
    path: str
    seconds: list[float] = field(default_factory=list)
    sent: int = 0
    weight: int = 0
    cpu: Cpu = field(default_factory=lambda: Cpu(0, 0))

    @property
    def p95(self) -> float:
        return percentile(self.seconds, 0.95) * 1e3

    @property
    def line(self) -> str:
        python, postgres = (1e3 * each / len(self.seconds) for each in self.cpu)
        return (
            f"{self.name:<28} p50 {percentile(self.seconds, 0.5) * 1e3:6.1f} p95 {self.p95:6.1f} ms"
            f"  processor {python:5.1f} + {postgres:4.1f} ms  {self.sent / 1e3:6.1f} kB sent, {self.weight / 1e3:6.1f}"
        )


class Visitor:
    """One connection that is kept; like a browser it takes what is compressed."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._connection = HTTPConnection(house.address.removeprefix("http://"))
        self.cookie = self._signed_in()

    def _signed_in(self) -> str:
        body = urlencode({"email": self.house.email, "password": self.house.password, "next": ""})
        form = {"content-type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", f"{BASE}/sign-in", body, form)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 303, f"nobody is let in: {answer.status}"
        return (answer.getheader("set-cookie") or "").partition(";")[0]

    def close(self) -> None:
        self._connection.close()

    def ask(self, path: str) -> Answer:
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"cookie": self.cookie, "accept-encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - began
        assert answer.status == 200, f"{path}: {answer.status}"
        whole = decompress(body) if answer.getheader("content-encoding") == "gzip" else body
        return Answer(whole.decode(), len(body), seconds)

    def link(self, path: str, pattern: re.Pattern[str]) -> str:
        """The first address like that on a page."""
        found = pattern.search(self.ask(path).text)
        assert found, f"{path} has no {pattern.pattern}"
        return html.unescape(found[1])


def pages(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Names and paths: what the menu has, each list filtered and searched, its second page, and one of each thing."""
    yield from ((page.menu.lower(), BASE + LEADS_TO.get(page.path, page.path)) for page in PAGES if page.menu)
    yield "overview, a day", f"{BASE}/?window=1d"
    yield from sagas(visitor)
    yield from others(visitor)


def sagas(visitor: Visitor) -> Iterator[tuple[str, str]]:
    shop, there = visitor.house.shop, f"{BASE}/sagas"
    yield "sagas, needing a person", f"{there}?state=needs-a-person"
    yield "sagas, ended checkouts", f"{there}?state=ended&process=checkout"
    yield "sagas, over p95", f"{there}?age=slow"
    yield "sagas, by order", f"{there}?q={shop.long_order}"
    yield "sagas, second page", visitor.link(f"{there}?state=all", LATER)
    for name, id in (("done", shop.done), ("stuck", shop.stuck), ("long", shop.long)):
        yield f"saga {name}", f"{there}/{id}"
        yield f"saga {name}, causes", f"{there}/{id}/causes"
        yield f"saga {name}, as a test", f"{there}/{id}/test"
    yield "saga long, earlier", f"{there}/{shop.long}?upto={LONG // 2}"
    yield "saga stuck, before a retry", f"{there}/{shop.stuck}/act/retry"
    yield "saga long, before a retry", f"{there}/{shop.long}/act/retry"


def others(visitor: Visitor) -> Iterator[tuple[str, str]]:
    shop = visitor.house.shop
    for model in ("sagas", "users", "payments"):
        yield f"read model {model}", f"{BASE}/models/{model}"
    yield "parked, of one consumer", f"{BASE}/parked?consumer=orders@1"
    yield "parked cause", (cause := visitor.link(f"{BASE}/parked", ONE["parked cause"]))
    yield "parked sequence", visitor.link(cause, ONE["parked sequence"])
    yield "events, of a type", f"{BASE}/events?type=sagas.operator-needed"
    yield "events, of the long saga", (stream := f"{BASE}/events?context=sagas&stream={shop.long}")
    yield "events, second page", visitor.link(f"{BASE}/events", LATER)
    yield "event", visitor.link(stream, ONE["event"])
    yield "aggregate long, at its end", f"{BASE}/aggregates/sagas/{shop.long}"
    yield "aggregate long, halfway", f"{BASE}/aggregates/sagas/{shop.long}?at={LONG // 2}"
    yield "aggregate long, from afar", f"{BASE}/aggregates/sagas/{shop.long}?at={LONG}&since=10"
    for name, wanted, one in (
        ("notifications", "status=SENT", "notification"),
        ("audit", "status=DENIED", "operation"),
    ):
        there = f"{BASE}/{name}"
        yield f"{name}, filtered", f"{there}?{wanted}"
        yield f"{name}, second page", visitor.link(there, LATER)
        yield one, visitor.link(there, ONE[one])


def met(visitor: Visitor, times: int) -> list[Met]:
    """Each page so often, all of them in turns; the first time too, when nothing has been looked up or compiled."""
    found = [Met(name, path) for name, path in pages(visitor)]
    for _ in range(times):
        for page in found:
            before = precisely(visitor.house)
            answer = visitor.ask(page.path)
            page.cpu = page.cpu.plus(precisely(visitor.house) - before)
            page.seconds.append(answer.seconds)
            page.sent, page.weight = max(page.sent, answer.sent), max(page.weight, len(answer.text.encode()))
    return found
