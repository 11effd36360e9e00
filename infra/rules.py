"""Which events ask for work, by context: what the to-do consumers go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain import notifications, orders, payments, products, users
from domain import operations as operations_context
from domain import sagas as sagas_context
from infra import erasure, operations, paying, payment_looks
from infra.notify import delivering
from projections.asking import Rule
from sagas import dispatching
from sagas.notifications.triggers import rules as triggers

RULES: Final[Mapping[str, Sequence[Rule]]] = {
    operations_context.CONTEXT.name: operations.RULES,
    users.CONTEXT.name: [erasure.RULE, *triggers(users.CONTEXT.name)],
    products.CONTEXT.name: triggers(products.CONTEXT.name),
    orders.CONTEXT.name: triggers(orders.CONTEXT.name),
    payments.CONTEXT.name: [*paying.RULES, *payment_looks.RULES, *triggers(payments.CONTEXT.name)],
    sagas_context.CONTEXT.name: dispatching.RULES,
    notifications.CONTEXT.name: delivering.RULES,
}
