"""Which events ask for work, by context: what the to-do consumers go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain import operations as operations_context
from domain import payments, users
from domain import sagas as sagas_context
from infra import erasure, operations, paying, payment_looks
from projections.asking import Rule
from sagas import dispatching

RULES: Final[Mapping[str, Sequence[Rule]]] = {
    operations_context.CONTEXT.name: operations.RULES,
    sagas_context.CONTEXT.name: dispatching.RULES,
    payments.CONTEXT.name: [*paying.RULES, *payment_looks.RULES],
    users.CONTEXT.name: [erasure.RULE],
}
