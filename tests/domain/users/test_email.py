from __future__ import annotations

import pytest
from hypothesis import given as whatever
from hypothesis import strategies as st

from domain import claim
from domain.ids import new_id
from domain.users.email import claim_email, release_email
from domain.users.errors import EmailTaken
from domain.users.events import EmailClaimed, EmailReleased
from domain.users.values import normalised
from tests.domain.users.samples import CLAIM, HANA
from tests.specification import Specification, a

given = Specification(CLAIM, claim.evolve).given
hers = a(EmailClaimed, holder=HANA)
released = a(EmailReleased)


@pytest.mark.parametrize(
    "spelling",
    [
        "hana@example.org",
        " Hana@Example.ORG ",
        "HANA@EXAMPLE.ORG",
        "\uff48\uff41\uff4e\uff41@example.org",
        "hana@\uff45xample.org",
    ],
)
def test_spellings_of_one_address_are_one(spelling):
    assert normalised(spelling) == "hana@example.org"


def test_a_host_is_compared_in_its_ascii_form():
    assert normalised("hana@Bücher.example") == normalised("hana@xn--bcher-kva.example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "hana",
        "hana@",
        "@example.org",
        "hana@host",
        "ha na@example.org",
        "a@b@example.org",
        "a\x00@b.cc",
        "\u200ba@b.cc",
        "a\u202e@b.cc",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError):
        normalised(text)


@whatever(st.text(max_size=20), st.text(max_size=20))
def test_normalising_twice_is_normalising_once(local, host):
    try:
        once = normalised(f"{local}@{host}.example")
    except ValueError:
        return
    assert normalised(once) == once


def test_a_free_address_is_claimed():
    given().when(claim_email, CLAIM, HANA).then(hers)
    given(hers, released).when(claim_email, CLAIM, HANA).then(hers)


def test_a_claimed_address_is_refused_to_everybody_else():
    given(hers).when(claim_email, CLAIM, new_id()).refused(EmailTaken)
    given(hers).when(claim_email, CLAIM, HANA).then()


def test_only_its_holder_releases_an_address():
    given(hers).when(release_email, HANA).then(released)
    given(hers).when(release_email, new_id()).then()
    given(hers, released).when(release_email, HANA).then()
