"""What operators ask for over HTTP, what is recorded of it, and what becomes of those who may not."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from commands.denials import MOST
from commands.operations.messages import CompleteOperation
from commands.operations.routes import ROUTES
from domain.event import ERASED
from domain.ids import UserId, new_id
from domain.operations.events import ActionDenied, OperationRequested
from domain.operations.operation import Status
from tests.commands.operations.desk import ANN, OPERATOR, STAFF, Desk

WHY = "The projector is mended"
PARKED = str(new_id())


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_request_is_taken_and_says_where_its_outcome_will_be(desk: Desk) -> None:
    answer = await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["version"], body["status"]) == (1, "REQUESTED")
    assert body["links"] == {"self": f"/v1/operations/{body['id']}"}
    looked = await desk.look(body["links"]["self"])
    assert looked.json() == {"id": body["id"], "version": 1, "status": "REQUESTED"}


async def test_what_is_recorded_names_what_is_to_be_done_to_what(desk: Desk) -> None:
    event = str(new_id())
    answer = await desk.post(f"/v1/parked/{PARKED}/discard", reason=WHY, eventId=event)
    operation = await desk.operation(answer.json()["id"])
    assert (operation.kind, operation.target, operation.by) == ("parked.discard", PARKED, OPERATOR.id)
    assert operation.parameters == {"event": event}


async def test_the_outcome_is_seen_where_the_answer_said(desk: Desk) -> None:
    id = (await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)).json()["id"]
    assert await desk.tell(CompleteOperation(result={"applied": 3}), id) == "DONE"
    looked = await desk.look(f"/v1/operations/{id}")
    assert (looked.json()["status"], looked.headers["etag"]) == ("DONE", '"2"')


@pytest.mark.parametrize(
    "until, kept",
    [(None, None), (4711, 4711), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00")],
)
async def test_a_replay_is_started_up_to_the_end_a_position_or_a_moment(
    desk: Desk, until: object, kept: object
) -> None:
    body: dict[str, Any] = {"model": "orders", "reason": WHY} | ({} if until is None else {"until": until})
    answer = await desk.post("/v1/replays", **body)
    assert answer.status_code == 202, answer.text
    id = answer.json()["id"]
    assert answer.json()["links"] == {"self": f"/v1/replays/{id}"}
    operation = await desk.operation(id)
    assert (operation.kind, operation.target, operation.parameters) == ("replay.start", "orders", {"until": kept})
    assert (await desk.look(f"/v1/replays/{id}")).json()["status"] == "REQUESTED"


@pytest.mark.parametrize("until", [-1, 2**63, 1.5, "yesterday", "2026-01-02T03:04:05", True])
async def test_a_replay_ends_nowhere_else(desk: Desk, until: object) -> None:
    answer = await desk.post("/v1/replays", model="orders", until=until, reason=WHY)
    assert code(answer) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize("verb", ["switch", "rollback", "cancel", "drop"])
async def test_a_replay_that_was_started_is_switched_rolled_back_cancelled_and_dropped(desk: Desk, verb: str) -> None:
    id = (await desk.post("/v1/replays", model="orders", reason=WHY, key="start")).json()["id"]
    assert code(await desk.post(f"/v1/replays/{id}/{verb}", reason=WHY, key="early")) == (409, "NOT_ALLOWED_NOW")
    await desk.tell(CompleteOperation(result={"generation": 2}), id)
    answer = await desk.post(f"/v1/replays/{id}/{verb}", reason=WHY)
    assert answer.status_code == 202, answer.text
    operation = await desk.operation(answer.json()["id"])
    assert (operation.kind, operation.target) == (f"replay.{verb}", id)
    assert code(await desk.look(f"/v1/replays/{operation.id}")) == (404, "NOT_FOUND")


async def test_what_is_no_replay_is_not_switched(desk: Desk) -> None:
    retry = (await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY, key="retry")).json()["id"]
    assert code(await desk.post(f"/v1/replays/{retry}/switch", reason=WHY)) == (404, "NOT_FOUND")


async def test_a_generation_that_no_operation_began_has_an_id_that_is_taken_too(desk: Desk) -> None:
    answer = await desk.post(f"/v1/replays/{new_id()}/drop", reason=WHY)
    assert (answer.status_code, answer.json()["status"]) == (202, "REQUESTED")


@pytest.mark.parametrize("path", [route.path for route in ROUTES])
async def test_nothing_is_done_without_a_reason_and_a_key(desk: Desk, path: str) -> None:
    path = path.replace("{id}", PARKED)
    more = {"/v1/replays": {"model": "orders"}, f"/v1/parked/{PARKED}/discard": {"eventId": PARKED}}.get(path, {})
    assert code(await desk.post(path, **more)) == (422, "VALIDATION_FAILED")
    assert code(await desk.post(path, reason="   ", **more)) == (422, "VALIDATION_FAILED")
    assert code(await desk.post(path, key=None, reason=WHY, **more)) == (400, "IDEMPOTENCY_KEY_REQUIRED")


async def test_one_key_is_one_operation(desk: Desk) -> None:
    first = await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)
    again = await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert code(await desk.post(f"/v1/parked/{PARKED}/retry", reason="Another")) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(await desk.stored()) == 1


async def test_the_reason_is_sealed_for_the_operator_who_gave_it(desk: Desk) -> None:
    await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)
    [row] = await desk.stored()
    assert WHY.encode() not in row["state"]
    assert row["actor"] == str(OPERATOR)
    [event] = await desk.events()
    assert isinstance(event, OperationRequested)
    assert event.reason == WHY
    await desk.keys.destroy(UserId(UUID(int=4)))
    [event] = await desk.events()
    assert isinstance(event, OperationRequested)
    assert (event.reason, event.by) == (ERASED, OPERATOR.id)


async def test_the_reason_of_a_service_stands_as_it_is(desk: Desk) -> None:
    await desk.post(f"/v1/parked/{PARKED}/retry", by="worker", reason=WHY)
    [row] = await desk.stored()
    assert WHY.encode() in row["state"]


# --- who may not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
@pytest.mark.parametrize("by", ["ann", "staff"])
async def test_whoever_may_not_is_refused_and_it_is_on_record(desk: Desk, route, by: str) -> None:
    answer = await desk.post(route.path.replace("{id}", PARKED), by=by, reason=WHY)
    assert code(answer) == (403, "FORBIDDEN")
    [event] = await desk.events()
    assert isinstance(event, ActionDenied)
    expected = PARKED if "{id}" in route.path else route.path
    assert (event.action, event.target) == (route.message.KIND, expected)
    assert event.why == f"needs the scope {route.scope}"
    assert event.by == {"ann": ANN, "staff": STAFF}[by].id
    [row] = await desk.stored()
    assert row["actor"] == f"user:{event.by}"
    assert (await desk.operation(str(event.originator_id))).status is Status.DENIED


async def test_the_same_denial_is_recorded_once_an_hour(desk: Desk) -> None:
    for _ in range(3):
        await desk.post(f"/v1/parked/{PARKED}/retry", by="ann", reason=WHY)
    assert len(await desk.stored()) == 1
    desk.clock.advance(hours=1)
    await desk.post(f"/v1/parked/{PARKED}/retry", by="ann", reason=WHY)
    assert len(await desk.stored()) == 2


async def test_nobody_fills_the_log_with_denials(desk: Desk) -> None:
    tries = [desk.post(f"/v1/parked/{new_id()}/retry", by="ann", reason=WHY) for _ in range(MOST + 20)]
    assert {answer.status_code for answer in await asyncio.gather(*tries)} == {403}
    assert len(await desk.stored()) == MOST
    await desk.post(f"/v1/parked/{PARKED}/retry", by="staff", reason=WHY)
    assert len(await desk.stored()) == MOST + 1


@pytest.mark.parametrize("by", [None, "nobody knows it"])
async def test_who_is_not_recognised_leaves_no_trace(desk: Desk, by: str | None) -> None:
    assert (await desk.post(f"/v1/parked/{PARKED}/retry", by=by, reason=WHY)).status_code == 401
    assert await desk.stored() == []


async def test_staff_look_and_customers_do_not(desk: Desk) -> None:
    id = (await desk.post(f"/v1/parked/{PARKED}/retry", reason=WHY)).json()["id"]
    assert (await desk.look(f"/v1/operations/{id}", "staff")).status_code == 200
    assert code(await desk.look(f"/v1/operations/{id}", "ann")) == (403, "FORBIDDEN")
