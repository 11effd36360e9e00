"""Payments in SQL. Each field answers as its namesake in `read_api/payments`."""

from __future__ import annotations

from typing import Final

from read_api.compiled.shapes import (
    Fields,
    Part,
    Related,
    for_staff,
    moment,
    moment_in,
    money,
    nullable,
    number,
    text,
    word,
)

ATTEMPT: Final[Fields] = {
    "id": word("{t}.id"),
    "status": word("{t}.status"),
    "method": word("{t}.method"),
    "amount": money("{t}.amount", "{p}.currency"),
    "authorised": money("{t}.authorised", "{p}.currency"),
    "captured": money("{t}.captured", "{p}.currency"),
    "refunded": money("{t}.refunded", "{p}.currency"),
    "chargedBack": money("{t}.charged_back", "{p}.currency"),
    "createdAt": moment_in("{t}.created_at"),
    "expiresAt": nullable(moment_in("{t}.expires_at")),
    "advice": nullable(word("{t}.advice")),
    "declined": for_staff(nullable(text("{t}.declined"))),
    "reference": for_staff(nullable(text("{t}.reference"))),
}
ATTEMPTS: Final = (
    "json_to_recordset({t}.attempts) AS {n}(id text, status text, method text, amount bigint, authorised bigint,"
    " captured bigint, refunded bigint, charged_back bigint, created_at text, expires_at text, advice text,"
    " declined text, reference text)"
)

ENTRY: Final[Fields] = {
    "number": number("{t}.number"),
    "at": moment_in("{t}.at"),
    "happenedAt": moment_in("{t}.happened_at"),
    "kind": word("{t}.kind"),
    "amount": money("{t}.amount", "{p}.currency"),
    "attemptId": word("{t}.attempt_id"),
}
LEDGER: Final = (
    "json_to_recordset({t}.ledger) AS"
    " {n}(number int, at text, happened_at text, kind text, amount bigint, attempt_id text)"
)

NEXT_ACTION: Final[Fields] = {
    "attemptId": word("({t}.next_action->>'attempt_id')"),
    "kind": word("({t}.next_action->>'kind')"),
    "url": nullable(text("({t}.next_action->>'url')")),
}

PAYMENT: Final[Fields] = {
    "id": word("{t}.id"),
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "orderId": word("{t}.order_id"),
    "customerId": word("{t}.customer_id"),
    "status": word("{t}.status"),
    "method": nullable(word("{t}.method")),
    "due": money("{t}.due"),
    "authorised": money("{t}.authorised"),
    "captured": money("{t}.captured"),
    "refunded": money("{t}.refunded"),
    "chargedBack": money("{t}.charged_back"),
    "paid": money("{t}.paid"),
    "nextAction": Part("NextAction", NEXT_ACTION, "{t}.next_action IS NOT NULL"),
    "attempts": Related("PaymentAttempt", ATTEMPT, ATTEMPTS, many=True),
    "ledger": Related("LedgerEntry", ENTRY, LEDGER, many=True),
    "unmatched": for_staff(number("{t}.unmatched")),
    "createdAt": moment("{t}.created_at"),
}
