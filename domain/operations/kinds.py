"""What operators do. An event holds the kind's name only, so that a kind added later changes no event's shape."""

from __future__ import annotations

from enum import StrEnum


class OperationKind(StrEnum):
    """`<thing>.<verb>`."""

    PARKED_RETRY = "parked.retry"
    PARKED_DISCARD = "parked.discard"
    REPLAY_START = "replay.start"
    REPLAY_COMPARE = "replay.compare"
    REPLAY_SWITCH = "replay.switch"
    REPLAY_ROLLBACK = "replay.rollback"
    REPLAY_CANCEL = "replay.cancel"
    REPLAY_DROP = "replay.drop"
    LOG_NEW_INCARNATION = "log.new-incarnation"
    LOG_IMPORT = "log.import"
    LOG_EXPORT_KEYS = "log.export-keys"
    CONTEXT_MOVE = "context.move"
    VERIFY_REPAIR = "verify.repair"
    TODO_RETRY = "todo.retry"
    TODO_PAUSE = "todo.pause"
    TODO_BEGIN = "todo.begin"
    ERASURES_APPLY = "erasures.apply"
    PRODUCTS_IMPORT = "products.import"
    STOCK_IMPORT = "stock.import"
    PERSONAL_SHOW = "personal.show"
