"""What a person should do about a saga that waits for one: how money and goods stand, and what helps.

The facts come from its balance; what to do, by process, step and code, is what docs/runbooks/sagas.md says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from domain.money import Money
from domain.sagas.balance import Balance
from domain.sagas.checkout.facts import Placed
from domain.sagas.events import ActionKind, Course, Outcome
from domain.sagas.saga import Saga, Status
from sagas.checkout.steps import CLOSE, COMMIT, CONFIRM, PUT_BACK, RELEASE, WITHDRAW
from sagas.money import GIVE_BACK, GIVE_BACK_LATE

CHECKOUT: Final = "checkout"
ANY: Final = "*"

KEEPS: Final = frozenset({Course.FORWARD, Course.OVER})
"""On these the customer gets the goods, and the shop the money."""
SEEN_TO: Final = frozenset({Outcome.HANDED_OVER, Outcome.RESOLVED})
"""Another saga, or a person, answers for what is still out."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """`todo` ends with what the action does then. `again`: a retry meets the same."""

    action: ActionKind
    todo: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """`facts` is how money and goods stand, empty where that is as it should be."""

    facts: str
    todo: str
    action: ActionKind

    @property
    def sentence(self) -> str:
        return f"{self.facts} {self.todo}".strip()


REFUSED_REFUND: Final = Remedy(
    ActionKind.RESOLVE,
    "The gateway refuses the refund: refund it there or by transfer, then Resolve. If the gateway has mended, Retry.",
)
ANOTHER_WORKS_IT: Final = Remedy(
    ActionKind.RETRY, "Another saga works the order, or it is not where this one left it: let that one end, then Retry."
)
NEVER_REFUSED: Final = Remedy(
    ActionKind.RETRY, "This should never be refused: read the detail, mend the cause, then Retry."
)
GOODS_ASTRAY: Final = Remedy(
    ActionKind.RESOLVE,
    "The reservation is not as it was: look at it, adjust the stock if units were lost, then Resolve.",
)
REMEDIES: Final[Mapping[tuple[str, str, str], Remedy]] = {
    (CHECKOUT, WITHDRAW, "ALREADY_SHIPPED"): Remedy(
        ActionKind.RESOLVE, "See to the money by other means, then Resolve: the saga lets go of the order.", again=True
    ),
    (ANY, GIVE_BACK, ANY): REFUSED_REFUND,
    (ANY, GIVE_BACK_LATE, ANY): REFUSED_REFUND,
    (ANY, COMMIT, ANY): NEVER_REFUSED,
    (ANY, CONFIRM, ANY): NEVER_REFUSED,
    (ANY, RELEASE, ANY): ANOTHER_WORKS_IT,
    (ANY, CLOSE, ANY): ANOTHER_WORKS_IT,
    (ANY, PUT_BACK, ANY): GOODS_ASTRAY,
}
MEND: Final = Remedy(
    ActionKind.RETRY, "Read what it met and mend the cause, then Retry; if you have seen to it by hand, Resolve."
)
RULES_FAILED: Final = Remedy(
    ActionKind.RETRY,
    "Its own rules failed at an input; nothing was lost. Deploy the release that mends them, then Retry.",
)
PAUSED: Final = Remedy(ActionKind.RESUME, "Somebody has paused it: Resume once what they waited for is over.")


def advised(saga: Saga, balance: Balance) -> Advice | None:
    """None where no person is needed."""
    remedy, code = remedy_of(saga), saga.trouble.code if saga.trouble else ""
    if remedy is None:
        return None
    facts = sentence(unsettled(saga, balance))
    again = f"Retry will meet {code} again. " if remedy.again else ""
    return Advice(facts, again + remedy.todo, remedy.action)


def remedy_of(saga: Saga) -> Remedy | None:
    if saga.status is Status.PARKED:
        return RULES_FAILED
    if saga.stuck and saga.trouble is not None:
        return remedy(saga.process, saga.trouble.step, saga.trouble.code)
    return PAUSED if saga.paused and not saga.ended else None


def remedy(process: str, step: str, code: str) -> Remedy:
    """What is said of this very code comes before what is said of its step."""
    named = ((process, step, code), (process, step, ANY), (ANY, step, ANY))
    return next((REMEDIES[each] for each in named if each in REMEDIES), MEND)


# -- money and goods ---------------------------------------------------------------------------------------------------


def unsettled(saga: Saga, balance: Balance) -> list[str]:
    """What is unpaid, not given back or still held. Nothing where all is as it must be in the end.

    Of checkouts only: what other processes give back was taken before them.
    """
    if saga.process != CHECKOUT or saga.outcome in SEEN_TO:
        return []
    keeps = saga.outcome is Outcome.DONE or (not saga.ended and saga.course in KEEPS)
    return list(unpaid(saga, balance) if keeps else not_returned(saga, balance))


def unpaid(saga: Saga, balance: Balance) -> Iterator[str]:
    total = due(saga)
    if balance.goods:
        yield f"{units(balance.goods)} still held"
    if total is None or balance.captured >= total.amount:  # what is refunded later is owed to nobody
        return
    if balance.committed:
        yield f"{units(balance.committed)} left the stock"
    missing = total.amount - balance.captured
    if balance.held >= missing:
        yield f"{said(missing, total)} authorised but not captured"
    else:
        held = f", {said(balance.held, total)} of it authorised" if balance.held else ""
        yield f"{said(missing, total)} not captured{held}"


def not_returned(saga: Saga, balance: Balance) -> Iterator[str]:
    total = due(saga)
    if balance.committed:
        yield f"{units(balance.committed)} left the stock"
    if balance.goods:
        yield f"{units(balance.goods)} still held"
    if balance.held and total:
        yield f"{said(balance.held, total)} still authorised"
    if balance.paid and total:
        yield f"{said(balance.paid, total)} not given back"


def due(saga: Saga) -> Money | None:
    """Of the order; None while it is not known."""
    placed = saga.known.get(Placed.NAME)
    return Placed.model_validate(placed).total if placed else None


def units(count: int) -> str:
    return f"{count} unit{'' if count == 1 else 's'}"


def said(amount: int, like: Money) -> str:
    return str(Money(amount=abs(amount), currency=like.currency))


def sentence(facts: list[str]) -> str:
    return f"{', '.join(facts)}." if facts else ""
