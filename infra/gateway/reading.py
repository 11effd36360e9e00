"""Payment intents as Stripe's JSON has them, read as the port's `Intent`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from commands.payments.gateway import Intent, IntentStatus, RefundSeen, RefundStatus
from domain.ids import AttemptId, CaptureId, PaymentId, RefundId
from domain.money import Money
from infra.gateway.advice import advice_of
from infra.gateway.amounts import from_stripe

JSON = Mapping[str, Any]
Id = TypeVar("Id")

TRANSFER: Final = "display_bank_transfer_instructions"
EXPIRED: Final = frozenset({"automatic", "expired"})
"""Why Stripe itself cancels."""

REFUNDS: Final = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
LOST: Final = frozenset({"needs_response", "under_review", "lost"})
"""Disputes in which the money is gone; it comes back when they are won."""


class NotReadable(Exception):
    """It is in a currency that Chobo has not, or of a shape that Stripe does not document: it is not ours."""


@dataclass(frozen=True, slots=True)
class Reader:
    """`return_url` is the page of the shop that goes on with a payment by Stripe's own script."""

    return_url: str

    def intent(
        self, json: JSON, seen: datetime, refunds: Iterable[JSON] | None = None, disputes: Iterable[JSON] = ()
    ) -> Intent:
        """`seen` is the gateway's time of this JSON. Refunds are those of the expanded charge, unless all are given.

        Raises NotReadable.
        """
        try:
            return self._read(json, seen, refunds, disputes)
        except (KeyError, TypeError, ValueError) as error:
            raise NotReadable(f"payment intent {json.get('id')}: {type(error).__name__}: {error}") from error

    def _read(self, json: JSON, seen: datetime, refunds: Iterable[JSON] | None, disputes: Iterable[JSON]) -> Intent:
        charge, metadata = charge_of(json), json.get("metadata") or {}
        error, status = json.get("last_payment_error") or {}, status_of(json)
        declined = status is IntentStatus.DECLINED
        code = (error.get("decline_code") or error.get("code") or "declined") if declined else ""
        currency = json["currency"]
        lost = [dispute["amount"] for dispute in disputes if dispute["status"] in LOST]
        return Intent(
            json["id"],
            status,
            from_stripe(json["amount"], currency),
            from_stripe(json["amount_received"], currency),
            time_of(status, json, charge, seen),
            payment_id=id_in(metadata, "payment_id", PaymentId),
            attempt_id=id_in(metadata, "attempt_id", AttemptId),
            capture_id=id_in(metadata, "capture_id", CaptureId),
            authorised=authorised(json, charge),
            expires_at=expiry(charge),
            url=self._url(json, status),
            code=code,
            advice=advice_of(code, error.get("advice_code")),
            charged_back=from_stripe(sum(lost), currency) if lost else None,
            refunds=tuple(map(refund_of, refunds if refunds is not None else refunds_in(charge))),
        )

    def _url(self, json: JSON, status: IntentStatus) -> str | None:
        """Where the customer goes: the bank's page, the one that says where to send the money, or the shop's own."""
        action = json.get("next_action") or {}
        if to := action.get("redirect_to_url"):
            return str(to["url"])
        if instructions := action.get(TRANSFER):
            return str(instructions["hosted_instructions_url"])
        if status is not IntentStatus.ACTION_REQUIRED or not json.get("client_secret"):
            return None
        named = {"payment_intent": json["id"], "payment_intent_client_secret": json["client_secret"]}
        return f"{self.return_url}{'&' if '?' in self.return_url else '?'}{urlencode(named)}"


def status_of(json: JSON) -> IntentStatus:
    match json["status"]:
        case "requires_payment_method":
            return IntentStatus.DECLINED if json.get("last_payment_error") else IntentStatus.ACTION_REQUIRED
        case "requires_action" if (json.get("next_action") or {}).get("type") == TRANSFER:
            return IntentStatus.PENDING
        case "requires_action" | "requires_confirmation":
            return IntentStatus.ACTION_REQUIRED
        case "processing":
            return IntentStatus.PENDING
        case "requires_capture" | "succeeded" | "canceled" if json["amount_received"]:
            return IntentStatus.CAPTURED
        case "requires_capture":
            return IntentStatus.AUTHORISED
        case "canceled":
            return IntentStatus.AUTH_EXPIRED if json.get("cancellation_reason") in EXPIRED else IntentStatus.VOIDED
        case unknown:
            raise ValueError(f"status {unknown}")


def charge_of(json: JSON) -> JSON:
    """Nothing, where it is not expanded."""
    charge = json.get("latest_charge")
    return charge if isinstance(charge, Mapping) else {}


def time_of(status: IntentStatus, json: JSON, charge: JSON, seen: datetime) -> datetime:
    """Stripe tells when something was held, or failed, or was cancelled; of the rest only how it stands now."""
    if status in {IntentStatus.VOIDED, IntentStatus.AUTH_EXPIRED} and json.get("canceled_at"):
        return moment(json["canceled_at"])
    dated = status in {IntentStatus.AUTHORISED, IntentStatus.PENDING} or (
        status is IntentStatus.DECLINED and charge.get("status") == "failed"
    )
    return moment(charge["created"]) if dated and charge else seen


def authorised(json: JSON, charge: JSON) -> Money | None:
    """What is or was held; less than the amount where a part was let go without being captured."""
    if json["status"] == "requires_capture" or charge.get("captured") or json["amount_received"]:
        return from_stripe(json["amount_capturable"] + json["amount_received"], json["currency"])
    return None


def expiry(charge: JSON) -> datetime | None:
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    return moment(card["capture_before"]) if card.get("capture_before") else None


def refunds_in(charge: JSON) -> Iterable[JSON]:
    refunds: JSON = charge.get("refunds") or {}
    return list(refunds.get("data", ()))


def refund_of(json: JSON) -> RefundSeen:
    amount = from_stripe(json["amount"], json["currency"])
    refund_id = id_in(json.get("metadata") or {}, "refund_id", RefundId)
    return RefundSeen(json["id"], refund_id, amount, REFUNDS[json["status"]], json.get("failure_reason") or "")


def id_in(metadata: JSON, name: str, kind: Callable[[UUID], Id]) -> Id | None:
    """None where it is not ours."""
    try:
        return kind(UUID(metadata[name]))
    except (KeyError, ValueError):
        return None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def date_in(headers: Mapping[str, str]) -> datetime:
    """The gateway's own time of an answer, from its `Date`; ours where it has none."""
    named = next((value for name, value in headers.items() if name.lower() == "date"), None)
    try:
        return parsedate_to_datetime(named).astimezone(UTC) if named else datetime.now(UTC)
    except ValueError:
        return datetime.now(UTC)
