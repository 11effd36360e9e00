"""What is recorded of a notification, and that nothing about a person gets into it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.errors import AlreadyExists, NotAllowedNow
from domain.event import personal_fields
from domain.ids import UserId
from domain.notifications.errors import NotInTheInbox
from domain.notifications.events import Audience, Channel, NotificationRequested
from domain.notifications.notification import Request, fail, notification_of, read, request, send
from tests.domain.notifications.samples import (
    ABOUT,
    CAUSE,
    HANA,
    MESSAGE_ID,
    NOTIFICATION,
    failed,
    for_staff,
    in_the_inbox,
    notification,
    requested,
    sent,
    was_read,
)
from tests.specification import AT

ASKED = Request(CAUSE, "order-shipped", HANA, None, "ja-JP", ABOUT)


def test_a_request_says_who_is_told_what_by_which_channel() -> None:
    assert request(None, NOTIFICATION, ASKED, Channel.EMAIL, at=AT) == requested(NOTIFICATION, 1)


def test_it_is_requested_once() -> None:
    state = notification.given(requested).state
    with pytest.raises(AlreadyExists):
        request(state, NOTIFICATION, ASKED, Channel.EMAIL, at=AT)


def test_its_id_follows_from_event_trigger_channel_and_recipient() -> None:
    asked: Any = (CAUSE, "order-shipped", Channel.EMAIL, HANA)
    others: list[Any] = [
        (uuid4(), *asked[1:]),
        (CAUSE, "order-placed", *asked[2:]),
        (*asked[:2], Channel.PUSH, HANA),
        (*asked[:3], UserId(uuid4())),
        (*asked[:3], Audience.STAFF),
    ]
    assert notification_of(*asked) == notification_of(*asked)
    assert len({notification_of(*asked), *(notification_of(*other) for other in others)}) == 6


def test_the_first_outcome_stands() -> None:
    notification.given(requested).when(send, MESSAGE_ID).then(sent)
    notification.given(requested).when(fail, "SMTP_550", "the mail server answered 550").then(failed)
    notification.given(requested, sent).when(send, "<another>").then()
    notification.given(requested, failed).when(fail, "GAVE_UP", "later").then()
    notification.given(requested, sent).when(fail, "GAVE_UP", "late").refused(NotAllowedNow, status="SENT")
    notification.given(requested, failed).when(send, MESSAGE_ID).refused(NotAllowedNow, status="FAILED")


def test_what_is_in_the_inbox_is_read_once() -> None:
    notification.given(in_the_inbox).when(read).then(was_read)
    notification.given(for_staff, sent).when(read).then(was_read)
    notification.given(in_the_inbox, sent, was_read).when(read).then()


def test_what_is_not_in_the_inbox_cannot_be_marked_as_read() -> None:
    notification.given(requested).when(read).refused(NotInTheInbox, channel="EMAIL")
    notification.given(in_the_inbox, failed).when(read).refused(NotAllowedNow)


def test_the_state_says_what_became_of_it() -> None:
    assert notification.given(requested, sent).state.reference == MESSAGE_ID
    state = notification.given(requested, failed).state
    assert (state.code, state.why, state.version) == ("SMTP_550", "the mail server answered 550", 2)


@pytest.mark.parametrize("value", ["Hana Sato", "hana@example.org", "x\r\nBcc: a", "", "y" * 65, 1.5, None])
def test_neither_names_nor_addresses_fit_into_its_facts(value: object) -> None:
    event = requested(NOTIFICATION, 1).model_dump()
    with pytest.raises(ValidationError):
        NotificationRequested.model_validate(event | {"facts": {"order_id": value}})
    assert not personal_fields(NotificationRequested)
