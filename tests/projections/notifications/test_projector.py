from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.notifications.notification import Status, evolve
from projections.model import CannotApply
from projections.notifications.projector import NOTIFICATIONS, notifications
from projections.notifications.row import NotificationRow
from tests.domain.notifications.samples import (
    ABOUT,
    CAUSE,
    HANA,
    MESSAGE_ID,
    NOTIFICATION,
    WAYS_TO,
    failed,
    for_staff,
    in_the_inbox,
    requested,
    sent,
    was_read,
)
from tests.projections.fakes import recorded
from tests.specification import AT, Make


def row_after(*story: Make) -> NotificationRow:
    row = None
    for version, make in enumerate(story, 1):
        row = notifications.apply(row, recorded(make(NOTIFICATION, version), version))
    assert row is not None
    return row


@pytest.mark.parametrize("story", WAYS_TO.values(), ids=list(WAYS_TO))
def test_the_row_agrees_with_the_aggregate(story: Sequence[Make]) -> None:
    state: Any = None
    for version, make in enumerate(story, 1):
        state = evolve(state, make(NOTIFICATION, version))  # type: ignore[arg-type]
    row = row_after(*story)
    assert (row.id, row.version, row.status, row.user_id, row.channel, row.facts) == (
        state.id, state.version, state.status, state.user_id, state.channel, state.facts,
    )  # fmt: skip
    assert (row.reference or "", row.code or "", row.why or "") == (state.reference, state.code, state.why)


def test_a_row_says_who_is_told_what_because_of_which_event() -> None:
    row = row_after(requested)
    assert (row.user_id, row.audience, row.trigger, row.locale) == (HANA, None, "order-shipped", "ja-JP")
    assert (row.cause, row.facts, row.requested_at, row.ended_at) == (CAUSE, ABOUT, AT, None)


def test_a_row_says_what_became_of_it() -> None:
    assert (row_after(requested, sent).reference, row_after(requested, sent).ended_at) == (MESSAGE_ID, AT)
    assert row_after(requested, failed).code == "SMTP_550"


def test_only_what_is_in_the_inbox_and_was_not_read_is_unread() -> None:
    stories = [(requested,), (in_the_inbox,), (in_the_inbox, sent), (for_staff,)]
    assert [row_after(*story).unread for story in stories] == [False, True, True, True]
    read = row_after(in_the_inbox, sent, was_read)
    assert (read.unread, read.read_at, read.status) == (False, AT, Status.SENT)
    assert not row_after(in_the_inbox, failed).unread


def test_there_is_nothing_in_it_to_be_erased() -> None:
    assert NOTIFICATIONS.personal == ()


def test_an_outcome_before_the_request_is_not_applied() -> None:
    with pytest.raises(CannotApply, match="no row yet"):
        notifications.apply(None, recorded(sent(NOTIFICATION, 2), 1))
