"""Every letter in every language: nothing is left undefined, and nothing that is filled in gets out of its place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from jinja2 import UndefinedError

from domain.money import Money
from domain.notifications.triggers import Trigger
from domain.orders.order import evolve
from infra.mail import formats
from infra.mail.message import mail
from infra.mail.writing import FOLDER, LOCALES, Templates, Written
from infra.notify.channel import Addressee, Letter, Undeliverable
from tests.domain.orders.samples import placed
from tests.specification import AT

EVIL = "<script>alert(1)</script>\r\nBcc: evil@example.org\n\n--\u2028x"
ORDER = evolve(None, placed(UUID(int=7), 1))  # type: ignore[arg-type]
WORDS: dict[str, dict[str, Any]] = {
    Trigger.REGISTERED: {"link": "http://shop/activate#user=1&token=2"},
    Trigger.PASSWORD_RESET: {"link": "http://shop/reset", "expires_at": AT},
    Trigger.ORDER_SHIPPED: {"shipment": {"carrier": EVIL, "tracking": EVIL, "complete": False}},
    Trigger.ORDER_CANCELLED: {"reason": "CUSTOMER"},
    Trigger.ORDER_REJECTED: {"reason": "OUT_OF_STOCK"},
    Trigger.ORDER_REFUNDED: {"amount": Money(amount=4155, currency="EUR")},
    Trigger.PAYMENT_FAILED: {"reason": "TRY_AGAIN"},
    Trigger.STOCK_LOW: {"variant": {"sku": EVIL, "title": EVIL}, "available": 3},
    Trigger.STOCK_OUT: {"variant": {"sku": EVIL, "title": EVIL}},
}
templates = Templates()


def hostile(trigger: Trigger, name: str = EVIL) -> dict[str, Any]:
    lines = [{"quantity": 2, "name": EVIL, "unit_price": Money(amount=1999, currency="EUR")}]
    order = {"id": ORDER.id, "lines": lines, "shipping": ORDER.shipping, "tax": ORDER.tax, "total": ORDER.total}
    shared = {"shop": EVIL, "home": "http://shop", "name": name, "order": order, "link": "http://shop/orders/7"}
    return shared | WORDS.get(trigger, {})


def written(trigger: Trigger, locale: str, name: str = EVIL) -> Written:
    return templates.write(trigger, locale, hostile(trigger, name))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)


@pytest.mark.parametrize("trigger, locale", [*product(Trigger, LOCALES)], ids=str)
def test_whatever_is_filled_in_stays_in_its_place(trigger: Trigger, locale: str) -> None:
    letter = written(trigger, locale)
    assert "\n" not in letter.subject
    assert not any(line.startswith(("Bcc:", "--\u2028")) for line in letter.text.splitlines())
    tags = Tags()
    tags.feed(letter.html)
    assert "script" not in tags.seen
    assert "html" in tags.seen
    assert letter.subject
    assert "&lt;script&gt;" in letter.html


@pytest.mark.parametrize("trigger, locale", [*product(Trigger, LOCALES)], ids=str)
def test_a_mail_of_it_has_its_own_headers_and_no_others(trigger: Trigger, locale: str) -> None:
    letter = written(trigger, locale)
    message = mail(
        Letter(UUID(int=1), UUID(int=2), Addressee("hana@example.org", EVIL), letter.locale, *letter_parts(letter)),
        "Chobo <shop@chobo.example>",
        AT,
    )
    raw = message.as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    names = re.findall(rb"^([A-Za-z-]+):", head, re.MULTILINE)
    assert sorted(names) == sorted(
        [b"Message-ID", b"Date", b"From", b"To", b"Subject", b"Content-Language", b"Auto-Submitted", b"MIME-Version",
         b"Content-Type"]
    )  # fmt: skip
    assert [a.addr_spec for a in message["To"].addresses] == ["hana@example.org"]


def letter_parts(letter: Written) -> tuple[str, str, str]:
    return letter.subject, letter.text, letter.html


@pytest.mark.parametrize("trigger, locale", [*product(Trigger, LOCALES)], ids=str)
def test_both_languages_have_both_formats_and_are_written_in_themselves(trigger: Trigger, locale: str) -> None:
    letter = written(trigger, locale, name="Hana")
    assert {f"{trigger}.{locale}.{ending}" for ending in ("txt", "html")} <= {file.name for file in FOLDER.iterdir()}
    assert bool(re.search("[ぁ-んァ-ン]", letter.text)) == (locale == "ja")
    assert f'lang="{locale}"' in letter.html


def test_there_is_no_template_that_nothing_leads_to() -> None:
    stems = {file.name.partition(".")[0] for file in FOLDER.iterdir()}
    assert stems == {*Trigger, "layout", "lines"}


def test_what_is_not_defined_is_an_error() -> None:
    words = hostile(Trigger.ORDER_SHIPPED)
    del words["shipment"]["carrier"]
    with pytest.raises(UndefinedError, match="carrier"):
        templates.write(Trigger.ORDER_SHIPPED, "en", words)


@pytest.mark.parametrize(
    "locale, language", [("ja-JP", "ja"), ("ja", "ja"), ("en-GB", "en"), ("de", "en"), ("jav", "en")]
)
def test_who_reads_no_language_of_ours_gets_english(locale: str, language: str) -> None:
    assert written(Trigger.ORDER_PLACED, locale).locale == language


def test_people_are_greeted_by_their_name_if_it_is_known() -> None:
    assert "\nHello Hana,\n" in f"\n{written(Trigger.ORDER_PLACED, 'en', 'Hana').text}"
    assert written(Trigger.ORDER_PLACED, "ja", "花").text.startswith("花 様\n")
    assert written(Trigger.STOCK_LOW, "en", "").text.startswith("Hello,\n")


def test_an_account_that_waits_for_nothing_has_no_link() -> None:
    words = hostile(Trigger.REGISTERED) | {"link": None}
    assert "activate" not in templates.write(Trigger.REGISTERED, "en", words).text


@pytest.mark.parametrize(
    "amount, currency, locale, text",
    [
        (123_456, "EUR", "en", "€1,234.56"),
        (5, "EUR", "ja", "€0.05"),
        (1_234, "JPY", "en", "¥1,234"),
        (1_234, "JPY", "ja", "1,234円"),
        (1_234_567, "KWD", "en", "KWD\xa01,234.567"),
        (9_007_199_254_740_991, "USD", "en", "$90,071,992,547,409.91"),
    ],
)
def test_amounts_are_written_as_people_of_the_locale_write_them(
    amount: int, currency: str, locale: str, text: str
) -> None:
    assert formats.amount(Money(amount=amount, currency=currency), locale) == text


def test_dates_are_written_as_people_of_the_locale_write_them() -> None:
    at = datetime(2026, 3, 4, 23, 5, tzinfo=UTC)
    assert formats.moment(at, "en") == "4 March 2026 23:05 UTC"
    assert formats.moment(at, "ja") == "2026年3月4日 23:05 UTC"


@pytest.mark.parametrize(
    "email", ["no address", "a b@example.org", "a@", "@b", "a@b\r\nBcc: c@d", "x" * 10 + "@" + "y" * 70]
)
def test_what_is_no_address_is_refused_for_good(email: str) -> None:
    letter = Letter(UUID(int=1), None, Addressee(email), "en", "s", "t", "h")
    with pytest.raises(Undeliverable) as refused:
        mail(letter, "shop@chobo.example", AT)
    assert email not in str(refused.value)
