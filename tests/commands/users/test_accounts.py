from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor, Role
from domain.event import ERASED, personal_fields
from domain.ids import new_id
from tests.commands.users.place import ADMIN, OPERATOR, STAFF, Place

ADDRESS = {"name": "Hana Ito", "line1": "1 Sakura", "postalCode": "100-0001", "city": "Tokyo", "country": "JP"}


async def version_of(here: Place, user: Actor) -> str:
    answer = await here.client.get(f"/v1/users/{user.id}", headers={"authorization": bearer(here, user)})
    return answer.headers["etag"]


def bearer(here: Place, user: Actor) -> str:
    return f"Bearer {here.tokens.access(user)[0]}"


async def test_registering_answers_with_the_account_and_where_it_is(here: Place) -> None:
    answer = await here.sign_up("hana@example.org")
    assert answer.status_code == 201
    assert answer.json()["status"] == "ACTIVE"
    assert answer.headers["location"] == f"/v1/users/{answer.json()['id']}"


@pytest.mark.parametrize(
    "field, value",
    [
        ("email", "no address"),
        ("email", "a\x00b@example.org"),
        ("name", "H"),
        ("name", "H" * 51),
        ("name", "Ha\x00na"),
        ("password", "seven77"),
        ("password", "x" * 257),
        ("locale", "Klingon"),
        ("id", "no id"),
        ("role", "admin"),
    ],
)
async def test_what_is_no_account_is_refused(here: Place, field: str, value: Any) -> None:
    body = {"email": "hana@example.org", "password": "correct horse", "name": "Hana", field: value}
    answer = await here.post("/v1/users", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_FAILED")
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert len(value) < 5 or value not in answer.text or field == "role"


async def test_one_address_in_fifty_spellings_at_once_from_two_processes_is_one_account(
    here: Place, there: Place
) -> None:
    spellings = [f"{' ' * (n % 3)}{'HANA' if n % 2 else 'hana'}@Example.{'ORG' if n % 5 else 'org'}" for n in range(50)]
    places = [here, there] * 25
    answers = await asyncio.gather(*(p.sign_up(email) for p, email in zip(places, spellings, strict=True)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 49
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"EMAIL_TAKEN"}


async def test_an_account_is_made_once_under_its_id(here: Place) -> None:
    id = str(new_id())
    await here.register("one@example.org", id=id)
    answer = await here.sign_up("two@example.org", id=id)
    assert (answer.status_code, answer.json()["code"]) == (409, "ALREADY_EXISTS")
    await here.register("two@example.org")


async def test_the_same_key_registers_once(here: Place) -> None:
    body = {"email": "hana@example.org", "password": "correct horse", "name": "Hana"}
    one, two = [await here.post("/v1/users", body, idempotency_key="k1") for _ in range(2)]
    assert one.json()["id"] == two.json()["id"]
    assert two.headers["idempotent-replayed"] == "true"


async def test_the_profile_is_edited_on_its_version(here: Place) -> None:
    hana = await here.register()
    path, body = f"/v1/users/{hana.id}/change-profile", {"profile": {"displayName": "Hana I.", "bio": "Tea."}}
    assert (await here.post(path, body, by=hana)).status_code == 428
    tag = await version_of(here, hana)
    assert (await here.post(path, body, by=hana, if_match=tag)).status_code == 200
    assert (await here.post(path, body, by=hana, if_match=tag)).status_code == 412


async def test_the_address_book(here: Place) -> None:
    hana = await here.register()
    id = str(new_id())
    added = await here.post(f"/v1/users/{hana.id}/add-address", {"addressId": id, "address": ADDRESS}, by=hana)
    assert added.status_code == 200
    tag = added.headers["etag"]
    changed = await here.post(
        f"/v1/users/{hana.id}/change-address", {"addressId": id, "address": ADDRESS}, by=hana, if_match=tag
    )
    assert changed.status_code == 200
    gone = await here.post(f"/v1/users/{hana.id}/remove-address", {"addressId": id}, by=hana)
    assert gone.status_code == 200
    again = await here.post(f"/v1/users/{hana.id}/choose-default-address", {"addressId": id}, by=hana)
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_ADDRESS")


async def test_settings(here: Place) -> None:
    hana = await here.register()
    body = {"settings": {"locale": "ja", "notices": ["offers", "offers"]}}
    answer = await here.post(
        f"/v1/users/{hana.id}/change-settings", body, by=hana, if_match=await version_of(here, hana)
    )
    assert answer.status_code == 200


EDITS: dict[str, dict[str, Any]] = {
    "change-profile": {"profile": {"displayName": "Eve"}},
    "change-settings": {"settings": {}},
    "add-address": {"address": ADDRESS},
    "erase": {},
    "change-password": {"oldPassword": "correct horse", "newPassword": "battery staple"},
}


@pytest.mark.parametrize("verb", EDITS)
async def test_other_customers_are_told_that_there_is_no_such_user(here: Place, verb: str) -> None:
    hana, eve = await here.register(), await here.register()
    answer = await here.post(f"/v1/users/{hana.id}/{verb}", EDITS[verb], by=eve, if_match='"2"')
    unknown = await here.post(f"/v1/users/{new_id()}/{verb}", EDITS[verb], by=eve, if_match='"2"')
    assert [(a.status_code, a.json()["code"]) for a in (answer, unknown)] == [(404, "NOT_FOUND")] * 2


async def test_staff_look_and_do_not_edit(here: Place) -> None:
    hana = await here.register()
    look = await here.client.get(f"/v1/users/{hana.id}", headers={"authorization": bearer(here, STAFF)})
    assert look.json() == {"id": str(hana.id), "version": 2, "status": "ACTIVE"}
    edit = await here.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=STAFF)
    assert edit.status_code == 403
    assert (await here.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=OPERATOR)).status_code == 200


async def test_admins_grant_roles_and_nobody_else(here: Place) -> None:
    hana = await here.register("hana@example.org")
    path = f"/v1/users/{hana.id}/grant-role"
    assert (await here.post(path, {"role": "admin"}, by=hana)).status_code == 403
    assert (await here.post(path, {"role": "admin"}, by=OPERATOR)).status_code == 403
    assert (await here.post(path, {"role": "service"}, by=ADMIN)).json()["code"] == "ROLE_NOT_GRANTABLE"
    assert (await here.post(path, {"role": "staff"}, by=ADMIN)).status_code == 200
    session = await here.sign_in("hana@example.org")
    assert session.json()["user"] == {"id": str(hana.id), "roles": ["customer", "staff"]}
    denials = [(event.by, event.action, event.target) for event in await here.denied()]
    assert denials == [(by.id, "user.grant-role", str(hana.id)) for by in (hana, OPERATOR)]


async def an_admin(here: Place) -> Actor:
    """With a token that goes on saying so."""
    someone = await here.register()
    assert (await here.post(f"/v1/users/{someone.id}/grant-role", {"role": "admin"}, by=ADMIN)).status_code == 200
    return Actor(someone.id, frozenset({Role.ADMIN}))


async def test_who_is_no_admin_any_more_grants_nothing_whatever_their_token_says(here: Place) -> None:
    hana, bo = await an_admin(here), await an_admin(here)
    path = f"/v1/users/{hana.id}/revoke-role"
    assert (await here.post(path, {"role": "admin", "reason": "left"}, by=bo)).status_code == 200
    for role in ("admin", "staff"):
        again = await here.post(f"/v1/users/{hana.id}/grant-role", {"role": role}, by=hana)
        assert (again.status_code, again.json()["code"]) == (403, "NO_ADMIN_ANY_MORE")
    await here.post(f"/v1/users/{bo.id}/suspend", {"reason": "on leave"}, by=ADMIN)
    suspended = await here.post(f"/v1/users/{hana.id}/grant-role", {"role": "admin"}, by=bo)
    assert suspended.json()["code"] == "NO_ADMIN_ANY_MORE"


@pytest.mark.parametrize("processes", ["one process", "two"])
async def test_two_admins_who_take_the_role_from_each_other_leave_one(
    here: Place, there: Place, processes: str
) -> None:
    for _ in range(10):
        hana, bo = await an_admin(here), await an_admin(here)
        other = here if processes == "one process" else there
        answers = await asyncio.gather(
            here.post(f"/v1/users/{bo.id}/revoke-role", {"role": "admin"}, by=hana),
            other.post(f"/v1/users/{hana.id}/revoke-role", {"role": "admin"}, by=bo),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_an_operator_does_not_suspend_an_admin(here: Place) -> None:
    hana = await here.register()
    await here.post(f"/v1/users/{hana.id}/grant-role", {"role": "admin"}, by=ADMIN)
    path = f"/v1/users/{hana.id}/suspend"
    assert (await here.post(path, {"reason": "coup"}, by=OPERATOR)).status_code == 403
    assert (await here.post(path, {"reason": "retired"}, by=ADMIN)).status_code == 200


async def test_a_suspended_user_cannot_sign_in_and_has_no_session_left(here: Place) -> None:
    hana = await here.register("hana@example.org")
    token = (await here.sign_in("hana@example.org")).json()["refreshToken"]
    await here.post(f"/v1/users/{hana.id}/suspend", {"reason": "spam"}, by=OPERATOR)
    assert (await here.refresh(token)).json()["code"] == "SESSION_OVER"
    assert (await here.sign_in("hana@example.org")).json()["code"] == "ACCOUNT_NOT_ACTIVE"
    assert (await here.sign_in("hana@example.org", "a guess")).json()["code"] == "SIGN_IN_REFUSED"
    await here.post(f"/v1/users/{hana.id}/reinstate", {"reason": "a mistake"}, by=OPERATOR)
    assert (await here.sign_in("hana@example.org")).status_code == 200


async def test_erasing_gives_the_address_back_and_destroys_the_key(here: Place, there: Place) -> None:
    hana = await here.register("hana@example.org")
    assert hana.id is not None
    await here.keys.prefetch([hana.id])
    assert here.keys.get(hana.id) is not None
    assert (await here.post(f"/v1/users/{hana.id}/erase", by=hana)).json()["status"] == "ERASED"
    assert here.keys.get(hana.id) is None
    assert (await here.post(f"/v1/users/{hana.id}/erase", by=ADMIN)).status_code == 200
    assert (await here.sign_in("hana@example.org")).json()["code"] == "SIGN_IN_REFUSED"
    again = await there.register("hana@example.org")
    assert again.id != hana.id


async def test_an_erased_user_reads_as_erased_and_takes_nothing_personal_any_more(here: Place, there: Place) -> None:
    hana = await here.register("hana@example.org")
    await here.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=hana)
    await here.post(f"/v1/users/{hana.id}/erase", by=hana)
    answer = await there.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ALLOWED_NOW")
    assert (await there.credentials(hana)).password_hash is None


async def test_every_event_of_an_erased_user_reads_as_erased(here: Place) -> None:
    hana, bo = await here.register("hana@example.org"), await here.register("bo@example.org")
    await here.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=hana)
    await here.post(f"/v1/users/{hana.id}/erase", by=hana)
    personal: dict[UUID | None, list[Any]] = {}
    for recorded in (await here.log.read(0, 100)).events:
        event = recorded.event
        if fields := personal_fields(type(event)):
            personal.setdefault(event.owner, []).extend(getattr(event, name) for name in fields)
    assert hana.id is not None
    assert bo.id is not None
    assert personal[hana.id] == [ERASED] * 4
    assert ERASED not in personal[bo.id]


async def test_admins_erase_others_and_operators_do_not(here: Place) -> None:
    hana = await here.register()
    assert (await here.post(f"/v1/users/{hana.id}/erase", by=OPERATOR)).status_code == 403
    assert (await here.post(f"/v1/users/{hana.id}/erase", by=ADMIN)).status_code == 200


async def test_nothing_personal_is_stored_in_the_clear(here: Place) -> None:
    hana = await here.register("hana@example.org")
    await here.post(f"/v1/users/{hana.id}/add-address", {"address": ADDRESS}, by=hana)
    await here.post(f"/v1/users/{hana.id}/suspend", {"reason": "she sold tea"}, by=OPERATOR)
    async with here.pool.connection() as connection:
        rows = await (await connection.execute("SELECT state FROM users.stored_events")).fetchall()
        replies = await (await connection.execute("SELECT body FROM users.replies")).fetchall()
    stored = b"".join(bytes(row[0]) for row in rows + replies).lower()
    assert Role.CUSTOMER.value.encode() not in stored
    assert not any(word in stored for word in (b"hana", b"example.org", b"sakura", b"tea", b"hash of"))
