"""Notifications: addresses are masked, a kept mail is seen by who had it opened, in a frame that can do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, STAFF, House, opened
from tests.sagas.dashboard.test_frame import signed_in
from tests.sagas.dashboard.test_parked_pages import posted


@pytest.fixture(scope="module")
def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(module_database, mail_directory=tmp_path_factory.mktemp("mails")) as house:
        house.place("done", "pm_card_visa", "ENDED")
        eventually(lambda: notification(house, "EMAIL", "order-placed") and notification(house, "EMAIL", "registered"))
        yield house


def notification(house: House, channel: str, trigger: str) -> str | None:
    """The first that was sent."""
    with psycopg.connect(house.database) as connection:
        query = ("SELECT id FROM reads.notifications WHERE (channel, trigger, status) = (%s, %s, 'SENT')"
                 " ORDER BY requested_at LIMIT 1")  # fmt: skip
        row = connection.execute(query, [channel, trigger]).fetchone()
    return str(row[0]) if row else None


def get(house: House, path: str, who: str = OPERATOR) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, who))


def test_they_are_filtered_by_the_address_and_addresses_are_masked(house: House):
    text = get(house, "/notifications?channel=EMAIL&trigger=order-placed").text
    assert text.count('<tr id="n-') == 1
    assert "a…@" in text
    assert not re.search(r"ann[^<]*@", get(house, "/notifications").text)
    user = house.shop.customer
    assert get(house, f"/notifications?user={user}&channel=IN_APP").text.count('<tr id="n-') >= 1
    for query in ("channel=PIGEON", "status=x", "trigger=x", "user=x", "since=soon"):
        assert get(house, f"/notifications?{query}").status_code == 400


def test_a_mail_stays_sealed_for_who_may_only_look(house: House):
    id = notification(house, "EMAIL", "order-placed")
    assert "takes the role operator" in get(house, f"/notifications/{id}", STAFF).text
    assert get(house, f"/notifications/{id}/mail", STAFF).status_code == 403
    assert posted(house, STAFF, f"/streams/{id}/open", reason="let me", place="mail").status_code == 403
    assert get(house, f"/notifications/{id}/mail").status_code == 403


def test_a_mail_that_lets_somebody_in_is_shown_to_nobody(house: House):
    id = notification(house, "EMAIL", "registered")
    done = posted(house, OPERATOR, f"/streams/{id}/open", reason="let me", place="mail").headers["location"]
    assert "shown to nobody else" in get(house, done.removeprefix("/dashboard")).text
    personal = done.partition("?")[2]
    assert get(house, f"/notifications/{id}/mail?{personal}").status_code == 404


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_had_it_opened_sees_it_as_its_reader_does_in_a_frame_that_can_do_nothing(
    house: House, visitors: Any, scheme: str
):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    page: Any = visitor.page
    visitor.go(f"/notifications/{notification(house, 'EMAIL', 'order-placed')}")
    assert visitor.axe() == []
    page.locator("#open summary").click()
    page.locator("#open [name=reason]").fill("did it say the right sum?")
    page.locator("#open button").click()
    page.wait_for_url("**?personal=**")
    frame = page.frame_locator("iframe.mail")
    frame.get_by_text("Thank you. We have your order").wait_for()
    assert page.locator("iframe.mail").get_attribute("sandbox") == ""
    assert visitor.axe() == []
    assert visitor.wide() <= 320
    address = page.locator("iframe.mail").get_attribute("src")
    policy = get(house, str(address).removeprefix("/dashboard")).headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")


def test_nothing_is_kept_where_mails_go_to_a_server(tmp_path: Path):
    from infra.assembly.dashboard import kept
    from infra.settings import Settings

    here = Settings.read({}, profile="development", database_url="dbname=x", mail_directory=tmp_path)
    assert kept(here) is not None
    assert kept(here.model_copy(update={"smtp_host": "mail.example"})) is None
