"""The pages about the shop as a whole: what needs a person, read models, what is parked, logs, mails, the audit log."""

from __future__ import annotations

from typing import Final

from domain.operations.kinds import OperationKind as Kind
from sagas.dashboard import (
    aggregate_pages,
    audit_pages,
    event_pages,
    model_pages,
    notification_pages,
    operation,
    overview,
    parked_bulk,
    parked_pages,
    people_pages,
    personal,
)  # fmt: skip
from sagas.dashboard.access import PARKED_BULK
from sagas.dashboard.model_pages import ACT as REPLAYS
from sagas.dashboard.page import LOOK, Page
from sagas.dashboard.parked_pages import ACT as PARKED
from sagas.dashboard.people import ROLES

OPERATING: Final = [
    Page("/overview/live", overview.live),
    Page("/models", model_pages.show, "Read models"),
    Page("/models/live", model_pages.live),
    Page("/models/{model}", model_pages.show_one),
    Page("/models/{model}/live", model_pages.live_one),
    Page("/models/{model}/start", model_pages.start, scope=REPLAYS, method="POST", kind=Kind.REPLAY_START),
    Page(
        "/models/{model}/{replay}/compare",
        model_pages.compare,
        scope=REPLAYS,
        method="POST",
        kind=Kind.REPLAY_COMPARE,
    ),
    Page(
        "/models/{model}/{replay}/switch",
        model_pages.switch,
        scope=REPLAYS,
        method="POST",
        kind=Kind.REPLAY_SWITCH,
    ),
    Page(
        "/models/{model}/{replay}/rollback",
        model_pages.roll_back,
        scope=REPLAYS,
        method="POST",
        kind=Kind.REPLAY_ROLLBACK,
    ),
    Page(
        "/models/{model}/{replay}/cancel",
        model_pages.cancel,
        scope=REPLAYS,
        method="POST",
        kind=Kind.REPLAY_CANCEL,
    ),
    Page("/models/{model}/{replay}/drop", model_pages.drop, scope=REPLAYS, method="POST", kind=Kind.REPLAY_DROP),
    Page("/parked", parked_pages.show, "Parked"),
    Page("/parked/cause", parked_pages.show_cause),
    Page("/parked/cause/canary", parked_bulk.retry_canary, scope=PARKED, method="POST", kind=Kind.PARKED_RETRY),
    Page("/parked/cause/retry", parked_bulk.retry_others, scope=PARKED_BULK, method="POST", kind=Kind.PARKED_RETRY),
    Page("/parked/outcomes", parked_bulk.show_outcomes),
    Page("/parked/outcomes/live", parked_bulk.live_outcomes),
    Page("/parked/{id}", parked_pages.show_one),
    Page("/parked/{id}/retry", parked_pages.retry_one, scope=PARKED, method="POST", kind=Kind.PARKED_RETRY),
    Page(
        "/parked/{id}/discard",
        parked_pages.discard_one,
        scope=PARKED,
        method="POST",
        kind=Kind.PARKED_DISCARD,
    ),
    Page("/events", event_pages.show, "Events"),
    Page("/events/newer", event_pages.newer),
    Page("/events/{context}/{position}", event_pages.show_one),
    Page("/aggregates/{context}/{id}", aggregate_pages.show),
    Page("/notifications", notification_pages.show, "Notifications"),
    Page("/notifications/newer", notification_pages.newer),
    Page("/notifications/{id}", notification_pages.show_one),
    Page("/notifications/{id}/mail", notification_pages.show_mail),
    Page("/people", people_pages.show, "People"),
    Page("/people/find", people_pages.find, scope=LOOK, method="POST"),
    Page("/people/newer", people_pages.newer),
    Page("/people/{id}", people_pages.show_one),
    Page("/people/{id}/grant", people_pages.grant, scope=ROLES, method="POST", kind="user.grant-role"),
    Page("/people/{id}/revoke", people_pages.revoke, scope=ROLES, method="POST", kind="user.revoke-role"),
    Page("/audit", audit_pages.show, "Audit log"),
    Page("/audit.csv", audit_pages.as_csv),
    Page("/audit/newer", audit_pages.newer),
    Page("/audit/{id}", audit_pages.show_one),
    Page("/streams/{stream}/open", personal.open_stream, scope=personal.SCOPE, method="POST", kind=Kind.PERSONAL_SHOW),
    Page("/operations/{id}/live", operation.live),
]
