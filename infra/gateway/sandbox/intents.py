"""Payment intents: made, confirmed, captured, cancelled, and what customers, banks and time do to them."""

from __future__ import annotations

from typing import Final

from domain.money import DECIMALS
from infra.gateway.methods import AUTHENTICATION_FAILED, LATER_CODES, METHODS, TRANSFER
from infra.gateway.sandbox import charges
from infra.gateway.sandbox.forms import allow, flag, merged, needed, whole
from infra.gateway.sandbox.refusals import JSON, CardRefused, Refusal, decline, missing, unexpected
from infra.gateway.sandbox.state import State

CAPTURE_METHODS: Final = ("automatic", "manual")
CANCELLABLE: Final = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
MAXIMUM: Final = 99_999_999
"""Stripe takes eight digits of most currencies."""


def no_method() -> Refusal:
    return Refusal("You cannot confirm this PaymentIntent because it's missing a payment method.")


def find(state: State, id: str) -> JSON:
    intent = state.objects.get(id)
    if intent is None or intent["object"] != "payment_intent":
        raise missing("payment_intent", id, "intent")
    return intent


def create(state: State, form: JSON) -> JSON:
    allow(
        form, "amount", "automatic_payment_methods", "capture_method", "confirm", "currency", "customer", "description",
        "expand", "metadata", "payment_method", "payment_method_data", "payment_method_options", "payment_method_types",
        "return_url",
    )  # fmt: skip
    amount, currency = whole(form, "amount"), currency_of(form)
    if amount > MAXIMUM:
        raise Refusal("Amount must be no more than 999,999.99", code="amount_too_large", param="amount")
    if DECIMALS[currency.upper()] == 3 and amount % 10:
        raise Refusal("Amount must be divisible by 10 in this currency", param="amount")
    method = form.get("capture_method", "automatic")
    if method not in CAPTURE_METHODS:
        raise Refusal(f"Invalid capture_method: must be one of {CAPTURE_METHODS}", param="capture_method")
    confirmed = flag(form, "confirm", default=False)
    token = token_of(state, form)
    if confirmed and token is None:
        raise no_method()
    metadata = merged({}, form)
    intent = state.new(
        "pi",
        "payment_intent",
        amount=amount,
        currency=currency,
        capture_method=method,
        amount_capturable=0,
        amount_received=0,
        canceled_at=None,
        cancellation_reason=None,
        customer=form.get("customer"),
        last_payment_error=None,
        latest_charge=None,
        metadata=metadata,
        next_action=None,
        payment_method=form.get("payment_method"),
        payment_method_options=form.get("payment_method_options") or {},
        payment_method_types=form.get("payment_method_types") or ["card"],
        status="requires_confirmation" if token else "requires_payment_method",
        _token=token,
        _return_url=form.get("return_url"),
    )
    intent["client_secret"] = f"{intent['id']}_secret_{intent['id'][-8:]}"
    state.happened("payment_intent.created", intent)
    if confirmed:
        go(state, intent)
    return intent


def currency_of(form: JSON) -> str:
    currency = needed(form, "currency").lower()
    if currency.upper() not in DECIMALS:
        raise Refusal(f"Invalid currency: {currency}", param="currency")
    return currency


def token_of(state: State, form: JSON) -> str | None:
    """The method that is to be used: a token for tests, or a bank transfer, which needs a customer."""
    token = form.get("payment_method")
    if token is not None:
        if token not in METHODS:
            raise missing("PaymentMethod", token, "payment_method")
        return str(token)
    if (form.get("payment_method_data") or {}).get("type") != TRANSFER.type:
        return None
    customer = needed(form, "customer")
    if customer not in state.objects:
        raise missing("customer", customer, "customer")
    return TRANSFER.type


def confirm(state: State, form: JSON, id: str) -> JSON:
    allow(form, "expand", "payment_method", "return_url")
    intent = find(state, id)
    if intent["status"] not in CANCELLABLE or intent["status"] == "requires_capture":
        raise unexpected(intent, "confirmation", "requires_payment_method, requires_confirmation, requires_action")
    if token := token_of(state, form):
        intent |= {"payment_method": form["payment_method"], "_token": token}
    intent["_return_url"] = form.get("return_url", intent["_return_url"])
    go(state, intent)
    return intent


def go(state: State, intent: JSON) -> None:
    """What the method does. Raises CardRefused."""
    if intent["_token"] is None:
        raise no_method()
    behaviour = charges.behaviour_of(intent)
    intent["last_payment_error"] = None
    if behaviour.declined:
        fail(state, intent, decline(behaviour.declined))
        raise CardRefused(behaviour.declined).of(intent)
    if behaviour.transfer:
        instructions = {"hosted_instructions_url": f"{state.address}/_intents/{intent['id']}", "type": "bank_transfer"}
        wait(state, intent, {"type": TRANSFER_ACTION, TRANSFER_ACTION: instructions})
    elif behaviour.delayed:
        charges.opened(state, intent, "pending")
        intent |= {"status": "processing", "next_action": None}
        state.put(intent)
        state.happened("payment_intent.processing", intent)
    elif behaviour.redirects:
        url = f"{state.address}/_intents/{intent['id']}"
        to = {"url": url, "return_url": intent["_return_url"]}
        wait(state, intent, {"type": "redirect_to_url", "redirect_to_url": to})
    else:
        charges.hold(state, intent)


TRANSFER_ACTION: Final = "display_bank_transfer_instructions"


def wait(state: State, intent: JSON, action: JSON) -> None:
    intent |= {"status": "requires_action", "next_action": action}
    state.put(intent)
    state.happened("payment_intent.requires_action", intent)


def fail(state: State, intent: JSON, error: JSON) -> None:
    if intent["latest_charge"]:
        charge = state.objects[intent["latest_charge"]]
        charge |= {"status": "failed", "failure_code": error["code"]}
        state.put(charge)
    intent |= {"status": "requires_payment_method", "last_payment_error": error, "next_action": None}
    state.put(intent)
    state.happened("payment_intent.payment_failed", intent)


def capture(state: State, form: JSON, id: str) -> JSON:
    allow(form, "amount_to_capture", "expand", "final_capture", "metadata")
    intent = find(state, id)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture", "requires_capture")
    amount, final = (
        whole(form, "amount_to_capture", intent["amount_capturable"]),
        flag(form, "final_capture", default=True),
    )
    if amount > intent["amount_capturable"]:
        raise Refusal(
            f"The amount to capture, {amount}, is more than the {intent['amount_capturable']} that can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
            kept=True,
        )
    if not final and not charges.multicapture(state.objects[intent["latest_charge"]]):
        raise Refusal("final_capture=false needs multicapture, which this charge has not.", param="final_capture")
    if code := charges.behaviour_of(intent).capture_declined:
        raise CardRefused(code).of(intent)
    intent["metadata"] = merged(intent["metadata"], form)
    charges.take(state, intent, amount, final=final)
    return intent


def cancel(state: State, form: JSON, id: str) -> JSON:
    allow(form, "cancellation_reason", "expand")
    intent = find(state, id)
    if intent["status"] not in CANCELLABLE:
        raise unexpected(intent, "cancellation", ", ".join(CANCELLABLE))
    charges.let_go(state, intent, form.get("cancellation_reason", "requested_by_customer"))
    return intent


def act(state: State, intent: JSON, *, succeed: bool) -> None:
    """The customer did at the page what was asked for, or failed to."""
    action = intent["next_action"] or {}
    if intent["status"] != "requires_action" or action.get("type") == TRANSFER_ACTION:
        raise unexpected(intent, "page", "requires_action")
    if succeed:
        charges.hold(state, intent)
        return
    message = "The provided PaymentMethod has failed authentication."
    fail(state, intent, {"type": "invalid_request_error", "code": AUTHENTICATION_FAILED, "message": message})


def receive(state: State, intent: JSON, *, succeed: bool) -> None:
    """The money of a bank transfer came, or will not come."""
    if not (intent["_token"] and charges.behaviour_of(intent).delayed and not intent["amount_received"]):
        raise unexpected(intent, "funding", "processing, requires_action")
    if not succeed:
        fail(state, intent, decline(LATER_CODES["money"]))
        return
    if not intent["latest_charge"]:
        charges.opened(state, intent, "succeeded")
    charges.take(state, intent, intent["amount"], final=True)
