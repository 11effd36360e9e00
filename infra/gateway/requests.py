"""The port's requests as parameters of Stripe's API."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from commands.payments.gateway import Authorise, Capture, Refund
from domain.ids import CaptureId
from domain.value import PaymentMethod
from infra.gateway.amounts import to_stripe, transfer_type

Params = dict[str, Any]
EXPAND: Final = ["latest_charge.refunds"]
SEPA_COUNTRIES: Final = ("DE", "BE", "ES", "FR", "IE", "NL")
"""Where Stripe opens accounts for transfers in euros; a customer can pay into any. The first is for everybody else."""


def options(key: UUID | str) -> Any:
    """Retries are the to-do's business: the SDK's own would hide how often and how long was tried."""
    return {"idempotency_key": str(key), "max_network_retries": 0}


def intent(request: Authorise, return_url: str, country: str, customer: str | None) -> Any:
    """Any: the SDK's TypedDicts do not take what is put together. `customer` is for a transfer without a token.

    Raises NotSendable.
    """
    common: Params = {
        "amount": to_stripe(request.amount),
        "currency": request.amount.currency.lower(),
        "metadata": {
            "payment_id": str(request.payment_id),
            "order_id": str(request.order_id),
            "attempt_id": str(request.attempt_id),
        },
        "expand": EXPAND,
    }
    return common | by_method(request, country, customer) | by_token(request, return_url)


def by_method(request: Authorise, country: str, customer: str | None) -> Params:
    match request.method:
        case PaymentMethod.CREDIT_CARD | PaymentMethod.DEBIT_CARD:
            return {"capture_method": "manual", "payment_method_types": ["card"], "payment_method_options": SEVERAL}
        case PaymentMethod.WALLET:
            return {"capture_method": "manual", "automatic_payment_methods": ANY, "payment_method_options": SEVERAL}
        case PaymentMethod.BANK_TRANSFER if request.token:
            return {"capture_method": "automatic", "automatic_payment_methods": ANY}
        case PaymentMethod.BANK_TRANSFER:
            return transfer(request, country, customer)


ANY: Final = {"enabled": True}
SEVERAL: Final = {"card": {"request_multicapture": "if_available"}}


def transfer(request: Authorise, country: str, customer: str | None) -> Params:
    """Stripe opens an account for the customer to pay into."""
    kind = transfer_type(request.amount.currency)
    details: Params = {"type": kind}
    if kind == "eu_bank_transfer":
        details[kind] = {"country": country if country in SEPA_COUNTRIES else SEPA_COUNTRIES[0]}
    return {
        "capture_method": "automatic",
        "customer": customer,
        "payment_method_types": ["customer_balance"],
        "payment_method_data": {"type": "customer_balance"},
        "payment_method_options": {"customer_balance": {"funding_type": "bank_transfer", "bank_transfer": details}},
        "confirm": True,
    }


def by_token(request: Authorise, return_url: str) -> Params:
    """Without one, the customer is asked for it by the shop's page, which then confirms."""
    return {"payment_method": request.token, "confirm": True, "return_url": return_url} if request.token else {}


def capture(request: Capture, total: int, *, several: bool) -> Any:
    """`total` is the intent's amount; `several`, whether it can be captured in parts.

    What is left stays held where that is possible. The parameters depend on nothing that a capture changes: sent again
    they must be the same, or the key is refused. Raises NotSendable.
    """
    amount = to_stripe(request.amount)
    rest: Params = {"final_capture": False} if several and amount < total else {}
    named = {"capture_id": str(request.capture_id), mark(request.capture_id): str(amount)}
    return {"amount_to_capture": amount, "metadata": named, "expand": EXPAND} | rest


def mark(id: CaptureId) -> str:
    """The name in the metadata under which a capture's amount is kept, for ever; Stripe's names have 40 characters."""
    return f"capture_{id.hex}"


def refund(request: Refund) -> Any:
    """Raises NotSendable."""
    return {
        "payment_intent": request.reference,
        "amount": to_stripe(request.amount),
        "metadata": {"refund_id": str(request.refund_id)},
        "expand": [f"payment_intent.{EXPAND[0]}"],
    }
