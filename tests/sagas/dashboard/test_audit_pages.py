"""The audit log: who did what, why, and what came of it; denials too; as a page and as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from domain.ids import new_id
from projections.audit import AUDIT
from sagas.dashboard import audit_pages
from sagas.dashboard.lists import Timed
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, STAFF, House, opened
from tests.sagas.dashboard.parking import audited
from tests.sagas.dashboard.test_frame import signed_in
from tests.sagas.dashboard.test_parked_pages import posted

FORMULA = '=HYPERLINK("http://example.com")'


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        posted(house, OPERATOR, "/models/users/start", reason=FORMULA)
        posted(house, STAFF, "/models/users/start", reason="let me")
        posted(house, OPERATOR, f"/parked/{new_id()}/retry", reason="<script>alert(1)</script>", attempts="1")
        eventually(lambda: sorted(row["status"] for row in audited(house)) == ["DENIED", "DONE", "NO_EFFECT"])
        yield house


def get(house: House, path: str, who: str = OPERATOR) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, who))


def kinds(house: House, query: str) -> list[str]:
    text = get(house, f"/audit?{query}").text
    return re.findall(r'<tr id="a-[^>]+>.*?<td class="nowrap">([a-z.-]+)', text, re.DOTALL)


def test_it_is_filtered_by_the_address(house: House):
    assert kinds(house, "")[:3] == ["parked.retry", "replay.start", "replay.start"]
    assert kinds(house, "status=DENIED") == ["replay.start"]
    assert kinds(house, "kind=parked.retry") == ["parked.retry"]
    assert kinds(house, "target=users") == ["replay.start", "replay.start"]
    assert kinds(house, "target=users&status=DONE") == ["replay.start"]
    assert kinds(house, f"actor={audited(house)[0]['actor']}") == ["parked.retry", "replay.start"]
    assert set(kinds(house, "kind=user.grant-role")) == {"user.grant-role"}
    assert kinds(house, "kind=saga.pause") == []
    assert kinds(house, "until=2020-01-01") == []
    for query in ("status=ODD", "kind=x", "since=soon", "after=x"):
        assert get(house, f"/audit?{query}").status_code == 400


def test_who_it_was_is_named_and_what_was_written_is_only_text(house: House):
    text = get(house, "/audit").text
    assert f">{STAFF}</a>" in text
    assert "needs the scope replays:act" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


def test_reasons_are_read_by_who_may_open_personal_fields_and_by_nobody_else_wherever_they_stand(house: House):
    row = next(row for row in audited(house) if row["reason"] == FORMULA)
    for path in ("/audit", "/audit.csv", f"/audit/{row['id']}"):
        assert "HYPERLINK" in get(house, path).text, path
        masked = get(house, path, STAFF).text
        assert ("HYPERLINK" in masked, "(personal)" in masked) == (False, True), path


def test_one_shows_all_that_is_known(house: House):
    [row] = [row for row in audited(house) if row["status"] == "DONE"]
    text = get(house, f"/audit/{row['id']}").text
    assert all(word in text for word in ("users@2", OPERATOR, str(row["correlation_id"])))
    assert get(house, f"/audit/{new_id()}").status_code == 404


def test_the_file_has_what_the_address_asks_for_and_nothing_in_it_is_a_formula(house: House):
    answer = get(house, "/audit.csv?target=users&status=DONE")
    assert answer.headers["content-type"].startswith("text/csv")
    head, row = csv.reader(io.StringIO(answer.text))
    line = dict(zip(head, row, strict=True))
    assert (line["what"], line["status"], line["reason"]) == ("replay.start", "DONE", f"'{FORMULA}")
    assert len(list(csv.reader(io.StringIO(get(house, "/audit.csv?target=users").text)))) == 3


def test_pages_follow_each_other_and_lead_back(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_pages, "LIST", Timed(AUDIT, "requested_at", "operations", size=2))
    first = get(house, "/audit").text
    assert 'rel="prev"' not in first
    older = re.search(r'rel="next" href="/dashboard([^"]+)"', first)
    assert older
    second = get(house, older[1].replace("&amp;", "&")).text
    assert second.count('<tr id="a-') == 2
    newer = re.search(r'rel="prev" href="/dashboard([^"]+)"', second)
    assert newer
    assert get(house, newer[1].replace("&amp;", "&")).text.count('<tr id="a-') == 2


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_new_is_announced_and_it_fits_a_small_phone(house: House, visitors: Any, scheme: str):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    page: Any = visitor.page
    visitor.go("/audit?kind=personal.show")
    posted(house, OPERATOR, f"/streams/{new_id()}/open", reason="first", context="users")
    visitor.go("/audit")
    rows = page.locator("tbody tr").count()
    posted(house, OPERATOR, f"/streams/{new_id()}/open", reason="second", context="users")
    page.locator("#news a").wait_for()
    assert page.locator("tbody tr").count() == rows
    assert visitor.axe() == []
    assert visitor.wide() <= 320
    page.locator("#news a").click()
    page.get_by_text("second").first.wait_for()
