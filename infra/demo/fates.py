"""What becomes of orders in the sample shop: how they are paid, and what customers, staff and bank then do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final


class Act(Enum):
    """Each waits for its time: goods are sent once the order is confirmed, returned once they are there."""

    PAYS = "pays on the bank's page"
    FAILS = "fails on the bank's page"
    TRANSFERS = "sends the money"
    CANCELS = "cancels, whatever has happened by then"
    GIVES_UP = "cancels on the bank's page"
    IS_SENT_PART = "is sent one piece"
    IS_SENT = "is sent all that is open"
    RECEIVES = "gets what is on its way"
    RETURNS = "sends one piece back, which goes on the shelf again"


CARD: Final = "CREDIT_CARD"
GOOD_CARDS: Final = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_jcb")
BAD_CARDS: Final = (
    "pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard",
    "pm_card_chargeDeclinedIncorrectCvc",
)  # fmt: skip
ASKING_CARDS: Final = ("pm_card_authenticationRequired",)


@dataclass(frozen=True, slots=True)
class Fate:
    """`weight` of the deck's orders have it. `tokens` are the sandbox's; of several one by chance, without it none."""

    name: str
    weight: int
    acts: tuple[Act, ...] = ()
    method: str = CARD
    tokens: tuple[str, ...] = GOOD_CARDS
    wants_too_much: bool = False


FATES: Final = (
    Fate("buys", 10),
    Fate("gets it", 5, (Act.IS_SENT, Act.RECEIVES)),
    Fate("gets it in two parcels", 2, (Act.IS_SENT_PART, Act.IS_SENT, Act.RECEIVES)),
    Fate("returns a piece", 2, (Act.IS_SENT, Act.RECEIVES, Act.RETURNS)),
    Fate("is declined", 3, tokens=BAD_CARDS),
    Fate("pays on the bank's page", 3, (Act.PAYS,), tokens=ASKING_CARDS),
    Fate("pays from a wallet", 3, (Act.PAYS,), "WALLET", ("pm_wallet",)),
    Fate("fails on the bank's page", 1, (Act.FAILS,), tokens=ASKING_CARDS),
    Fate("leaves the bank's page", 1, tokens=ASKING_CARDS),
    Fate("gives up on the bank's page", 1, (Act.GIVES_UP,), tokens=ASKING_CARDS),
    Fate("transfers the money", 2, (Act.TRANSFERS,), "BANK_TRANSFER", ()),
    Fate("wants more than there is", 2, wants_too_much=True),
    Fate("changes their mind", 3, (Act.CANCELS,)),
    Fate("is sent goods that cannot be charged", 1, (Act.IS_SENT_PART,), tokens=("pm_card_captureFail",)),
    Fate(
        "gets no refund for a return", 1, (Act.IS_SENT, Act.RECEIVES, Act.RETURNS), tokens=("pm_card_refundFail",)
    ),
)  # fmt: skip
"""The last two leave sagas that wait for an operator: after some seconds, and after some minutes of trying again."""

DECK: Final = sum(fate.weight for fate in FATES)
"""Among so many orders, one after another, each fate comes as often as its weight says."""


def dealt(chance: Random) -> Iterator[Fate]:
    """Without end, deck after deck."""
    while True:
        yield from chance.sample(FATES, DECK, counts=[fate.weight for fate in FATES])
