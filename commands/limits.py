"""How much each may ask for: class of routes -> requests a minute, and which routes are of which class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from starlette.types import Scope

from commands.access import OPERATORS, STAFF
from commands.codes import RATE_LIMITED
from commands.problems import Problem
from commands.route import Resource, Route
from domain.actor import ANONYMOUS, Actor, Role

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A class of routes, and how many requests to them a minute a principal may send.

    `anybody` is for customers, and for each address from which somebody who is not signed in asks. Services are not
    limited. A principal that has sent nothing for a minute may send all of its minute at once.
    """

    name: str
    anybody: int
    staff: int
    operators: int

    def of(self, actor: Actor) -> int | None:
        """Requests a minute, None for without end."""
        if actor is ANONYMOUS:
            return self.anybody
        if Role.SERVICE in actor.roles:
            return None
        if not actor.roles.isdisjoint(OPERATORS):
            return self.operators
        return self.anybody if actor.roles.isdisjoint(STAFF) else self.staff


READS: Final = Limit("reads", anybody=600, staff=3000, operators=6000)
COMMANDS: Final = Limit("commands", anybody=300, staff=1500, operators=3000)
PLACING: Final = Limit("placing", anybody=60, staff=300, operators=600)
ENTRY: Final = Limit("entry", anybody=20, staff=100, operators=300)  # what passwords and addresses are tried out with
GRAPHQL: Final = Limit("graphql", anybody=600, staff=3000, operators=6000)

LIMITS: Final = {limit.name: limit for limit in (READS, COMMANDS, PLACING, ENTRY, GRAPHQL)}

BY_SCOPE: Final[dict[str, Limit]] = {
    "users:register": ENTRY,
    "users:activate": ENTRY,
    "credentials:reset": ENTRY,
    "sessions:open": ENTRY,
    "sessions:refresh": COMMANDS,  # it takes a token that nobody guesses, and many people may share an address
    "sessions:close": COMMANDS,
    "quotes:ask": READS,
    "orders:place": PLACING,
}
"""Every scope that is open to anybody has a row here; so has every other that is neither a read nor a command."""


def limit_of(row: Route | Resource) -> Limit:
    """Looking is a read, whatever the scope."""
    return BY_SCOPE.get(row.scope, COMMANDS) if isinstance(row, Route) else READS


@dataclass(frozen=True, slots=True)
class Admission:
    """What a limiter says of a request. `retry_after` is in seconds, 0 for a request that may go on.

    `headers` are RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11), for every answer.
    """

    limit: str
    allowed: int  # requests a minute
    retry_after: int
    headers: Headers


class Limiter(Protocol):
    """Counts requests, in this process and in all others that serve the same clients."""

    async def admit(self, limit: Limit, actor: Actor, scope: Scope, cost: int = 1) -> Admission | None:
        """None when nothing limits this actor. `scope` is the request's, for the address of who is not signed in.

        Never raises: who cannot count lets through. `cost` is for requests that are worth several.
        """
        ...


class Unlimited:
    """The limiter where everybody may ask for everything all the time."""

    async def admit(self, limit: Limit, actor: Actor, scope: Scope, cost: int = 1) -> Admission | None:
        return None


def rate_limited(admission: Admission) -> Problem:
    return Problem(
        RATE_LIMITED,
        f"at most {admission.allowed} requests of the class {admission.limit} are taken a minute",
        {"limit": admission.limit, "allowed": admission.allowed, "retryAfter": admission.retry_after},
        headers={"retry-after": str(admission.retry_after)},
    )
