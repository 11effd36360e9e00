"""Operations: what operators did outside a saga, and what somebody was not allowed to do."""

from domain.aggregate import Context
from domain.operations.events import OperationEvent
from domain.operations.operation import evolve

CONTEXT = Context("operations", {OperationEvent: evolve})
