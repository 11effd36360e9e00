"""Charges: money held, taken, disputed; and disputes."""

from __future__ import annotations

from typing import Any

from infra.gateway.methods import METHODS, TRANSFER, Behaviour
from infra.gateway.sandbox.refusals import JSON
from infra.gateway.sandbox.state import State


def behaviour_of(intent: JSON) -> Behaviour:
    return TRANSFER if intent["_token"] == TRANSFER.type else METHODS[intent["_token"]]


def hold(state: State, intent: JSON) -> None:
    """Authorised: captured by a call, or at once where the intent says so."""
    behaviour = behaviour_of(intent)
    charge = opened(state, intent, "succeeded")
    if intent["capture_method"] == "automatic":
        take(state, intent, intent["amount"], final=True)
        return
    intent |= {
        "status": "requires_capture",
        "amount_capturable": intent["amount"],
        "next_action": None,
        "_due": state.now() + int(behaviour.hold.total_seconds()),
    }
    if behaviour.type == "card":
        charge["payment_method_details"]["card"]["capture_before"] = intent["_due"]
    state.put(charge)
    state.put(intent)
    state.happened("payment_intent.amount_capturable_updated", intent)
    state.happened("charge.succeeded", charge)


def opened(state: State, intent: JSON, status: str) -> JSON:
    charge = state.new(
        "ch",
        "charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        currency=intent["currency"],
        captured=False,
        disputed=False,
        refunded=False,
        paid=status == "succeeded",
        status=status,
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details=details(intent),
        metadata=dict(intent["metadata"]),
        balance_transaction=None,
        failure_code=None,
        failure_message=None,
    )
    intent["latest_charge"] = charge["id"]
    return charge


def details(intent: JSON) -> JSON:
    behaviour = behaviour_of(intent)
    if behaviour.type != "card":
        return {"type": behaviour.type, behaviour.type: {}}
    wanted = (intent["payment_method_options"].get("card") or {}).get("request_multicapture") == "if_available"
    status = "available" if wanted and intent["capture_method"] == "manual" else "unavailable"
    return {"type": "card", "card": {"brand": behaviour.brand, "last4": "4242", "multicapture": {"status": status}}}


def multicapture(charge: JSON) -> bool:
    card: Any = charge["payment_method_details"].get("card") or {}
    return bool(card.get("multicapture", {}).get("status") == "available")


def take(state: State, intent: JSON, amount: int, *, final: bool) -> None:
    """Captured; what is left is let go unless this is not to be the final capture."""
    charge = state.objects[intent["latest_charge"]]
    left = 0 if final else intent["amount_capturable"] - amount
    intent["amount_received"] += amount
    intent |= {"amount_capturable": left, "next_action": None}
    charge |= {"amount_captured": intent["amount_received"], "captured": True, "paid": True, "status": "succeeded"}
    if not left:
        intent |= {"status": "succeeded", "_due": None}
    state.put(charge)
    state.put(intent)
    state.happened("payment_intent.succeeded" if not left else "payment_intent.amount_capturable_updated", intent)
    state.happened("charge.captured", charge)
    if behaviour_of(intent).disputed and not charge["disputed"]:
        dispute(state, intent)


def let_go(state: State, intent: JSON, reason: str) -> None:
    """Cancelled, by request or by time; what is captured stays so."""
    status = "succeeded" if intent["amount_received"] else "canceled"
    intent |= {"status": status, "amount_capturable": 0, "next_action": None, "_due": None}
    if status == "canceled":
        intent |= {"canceled_at": state.now(), "cancellation_reason": reason}
        state.happened("payment_intent.canceled", intent)
    if reason == "automatic" and intent["latest_charge"]:
        state.happened("charge.expired", state.objects[intent["latest_charge"]])
    state.put(intent)


def dispute(state: State, intent: JSON, status: str = "needs_response") -> JSON:
    """A new one, or the status of the one there is."""
    if known := next(iter(state.under(intent["id"], "dispute")), None):
        known["status"] = status
        state.happened("charge.dispute.closed", known)
        return state.put(known)
    charge = state.objects[intent["latest_charge"]]
    charge["disputed"] = True
    state.put(charge)
    made = state.new(
        "dp",
        "dispute",
        amount=charge["amount_captured"],
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        reason="fraudulent",
        status=status,
        metadata={},
    )
    state.happened("charge.dispute.created", made)
    return made
