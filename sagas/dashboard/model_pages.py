"""Read models: how far each is, a replay from its start to the switch and back, each step a command of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from domain.ids import new_id
from domain.operations.kinds import OperationKind
from projections import generations
from projections.pool import connected
from sagas.dashboard import operation
from sagas.dashboard.asking import Wish, confirmed, reason_of, refused, requested, uuid_of, whole_number
from sagas.dashboard.page import Show
from sagas.dashboard.standing import ModelShown, models
from sagas.dashboard.ticking import ticking
from sagas.dashboard.visit import Refused, Visit, not_there

ACT: Final = "replays:act"
LOOK: Final = 1.0  # seconds between looks at what is being built
FRESH: Final = 0.9  # seconds for which all who look see the same


async def show(visit: Visit) -> Response:
    asked = await operation.asked_for(visit)
    return visit.page("models.html", models=await all_models(visit), asked=asked, may_act=visit.may(ACT))


async def live(visit: Visit) -> Response:
    async def made() -> str:
        return visit.html("model_rows.html", models=await all_models(visit))

    async def fragment() -> str:
        return await visit.desk.shared.of("models, made", FRESH, made)

    return ticking(fragment, visit.desk.stopping, LOOK)


async def all_models(visit: Visit) -> list[ModelShown]:
    desk = visit.desk
    return await desk.shared.of("models", FRESH, lambda: models(desk.reads, desk.now()))


async def show_one(visit: Visit) -> Response:
    return visit.page("model.html", asked=await operation.asked_for(visit), **await one(visit))


async def live_one(visit: Visit) -> Response:
    """The key of its forms stays what it is while the page does."""

    async def fragment() -> str:
        return visit.html("generations.html", **await one(visit))

    return ticking(fragment, visit.desk.stopping, LOOK)


async def one(visit: Visit) -> dict[str, Any]:
    """Raises Refused where there is no such read model."""
    name, ended, desk = visit.request.path_params["model"], visit.asked("ended") is not None, visit.desk
    found = await desk.shared.of(
        ("model", name, ended), FRESH, lambda: models(desk.reads, desk.now(), name, ended=ended)
    )  # fmt: skip
    if not found:
        raise not_there("read model", name)
    values = {"model": found[0], "ended": ended, "may_act": visit.may(ACT)}
    return values | ({"key": visit.asked("key")} if visit.asked("key") else {})


# -- what is done ------------------------------------------------------------------------------------------------------


async def start(visit: Visit) -> Response:
    model = visit.request.path_params["model"]
    wish = Wish(OperationKind.REPLAY_START, model, back=f"/models/{model}")
    body = {"model": model, "until": moment(visit.posted("until")), "reason": reason_of(visit)}
    body["id"] = visit.posted("key") or str(new_id())  # so that a form sent twice starts one
    if body["until"] is None:
        await require_no_other(visit, wish, str(body["id"]))
    done = await requested(visit, wish, "/v1/replays", body)
    return visit.go(f"/models/{model}", operation=str(done))


async def require_no_other(visit: Visit, wish: Wish, id: str) -> None:
    """Raises Refused while a generation is on its way already; another as of a moment may be built beside it."""
    found = await models(visit.desk.reads, visit.desk.now(), wish.target)
    candidate = found[0].candidate if found else None
    if candidate is not None and str(candidate.generation.replay) != id:
        text = f"{candidate.generation.name} is: lead readers to it, or cancel it first. Nothing was done."
        raise await refused(visit, wish, HTTPStatus.CONFLICT, "One is on its way already", text)


def moment(text: str) -> int | str | None:
    """A position, `p1234`, or a time; one without a zone is UTC. Raises Refused."""
    if not text:
        return None
    if (position := whole_number(text.removeprefix("p"))) is not None:
        return position
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = f"{text[:80]!r} is neither a position as p1234 nor a time as 2026-01-31T12:00:00Z. Nothing was done."
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "As of when?", said) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def acting(verb: str, kind: OperationKind, *, typed: bool = False, forced: bool = False) -> Show:
    """A form about one generation: `typed` asks for its name, `forced` has a box for doing it all the same."""

    async def act(visit: Visit) -> Response:
        model, replay = visit.request.path_params["model"], uuid_of(visit.request.path_params["replay"], "replay")
        wish = Wish(kind, str(replay), back=f"/models/{model}")
        if typed:
            await confirmed(visit, wish, await name_of(visit, model, replay))
        body: dict[str, Any] = {"reason": reason_of(visit)}
        if forced:
            body["force"] = visit.posted("force") == "yes"
        done = await requested(visit, wish, f"/v1/replays/{replay}/{verb}", body)
        return visit.go(f"/models/{model}", operation=str(done))

    return act


async def name_of(visit: Visit, model: str, replay: UUID) -> str:
    """The name of a generation, whatever the form says. Raises Refused where the model has no such one."""
    async with connected(visit.desk.reads) as connection:
        found = await generations.of_replay(connection, replay)
    if found is None or found.model != model:
        raise not_there(f"replay of {model}", replay)
    return found.name


compare: Final = acting("compare", OperationKind.REPLAY_COMPARE)
switch: Final = acting("switch", OperationKind.REPLAY_SWITCH, typed=True, forced=True)
roll_back: Final = acting("rollback", OperationKind.REPLAY_ROLLBACK, typed=True, forced=True)
cancel: Final = acting("cancel", OperationKind.REPLAY_CANCEL, typed=True)
drop: Final = acting("drop", OperationKind.REPLAY_DROP, typed=True)
