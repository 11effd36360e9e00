"""Refunds: made, and how they end."""

from __future__ import annotations

from commands.payments.gateway import RefundStatus
from infra.gateway.methods import LATER_CODES, SOON
from infra.gateway.sandbox import charges
from infra.gateway.sandbox.forms import allow, merged, needed, whole
from infra.gateway.sandbox.intents import find
from infra.gateway.sandbox.refusals import JSON, Refusal
from infra.gateway.sandbox.state import State


def create(state: State, form: JSON) -> JSON:
    allow(form, "amount", "expand", "metadata", "payment_intent", "reason")
    intent = find(state, needed(form, "payment_intent"))
    if not intent["amount_received"]:
        raise Refusal("This PaymentIntent does not have a successful charge to refund.", kept=True)
    charge = state.objects[intent["latest_charge"]]
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = whole(form, "amount", left or 1)
    check(charge, amount, left)
    behaviour = charges.behaviour_of(intent)
    refund = state.new(
        "re",
        "refund",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        metadata=merged({}, form),
        reason=form.get("reason"),
        status=behaviour.refund.value.lower(),
        _later=behaviour.refund_later and behaviour.refund_later.value.lower(),
        _due=state.now() + int(SOON.total_seconds()) if behaviour.refund_later else None,
    )
    total(state, charge, amount)
    state.happened("refund.created", refund)
    state.happened("charge.refunded", charge)
    return refund


def check(charge: JSON, amount: int, left: int) -> None:
    if charge["disputed"]:
        raise Refusal("This charge has been charged back; it cannot be refunded.", code="charge_disputed", kept=True)
    if not left:
        message = f"Charge {charge['id']} has already been refunded."
        raise Refusal(message, code="charge_already_refunded", kept=True)
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise Refusal(message, param="amount", kept=True)


def total(state: State, charge: JSON, more: int) -> None:
    charge["amount_refunded"] += more
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    state.put(charge)


def end(state: State, refund: JSON) -> None:
    """It succeeds or fails, later than it was made."""
    refund |= {"status": refund["_later"], "_due": None}
    failed = refund["status"] == RefundStatus.FAILED.value.lower()
    if failed:
        refund["failure_reason"] = LATER_CODES["refund"]
        total(state, state.objects[refund["charge"]], -refund["amount"])
    state.put(refund)
    state.happened("refund.failed" if failed else "refund.updated", refund)
