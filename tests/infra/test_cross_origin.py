"""Pages of other origins may ask where a setting says so, and nowhere else."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from infra.assembly.cross_origin import cross_origin
from infra.settings import Profile, Settings, SettingsRefused

SHOP = "https://shop.example"
ASKED = {"origin": SHOP, "access-control-request-method": "POST", "access-control-request-headers": "Content-Type"}


def client(origins: str) -> httpx.AsyncClient:
    settings = Settings(profile=Profile.DEVELOPMENT, cors_origins=origins)
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("x"))], middleware=cross_origin(settings))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("origins", [SHOP, f"https://a.example, {SHOP}", "*"])
async def test_an_origin_of_the_setting_may_ask(origins: str) -> None:
    async with client(origins) as there:
        preflight = await there.options("/", headers=ASKED)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] in {SHOP, "*"}
        assert "access-control-allow-credentials" not in preflight.headers
        answer = await there.get("/", headers={"origin": SHOP})
        assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("header", ["Authorization", "Consistency-Token", "GraphQL-Require-Preflight", "Last-Event-ID"])
async def test_what_front_ends_send_may_be_sent(header: str) -> None:
    async with client(SHOP) as there:
        asked = ASKED | {"access-control-request-headers": f"content-type, {header.lower()}"}
        preflight = await there.options("/", headers=asked)
        assert preflight.status_code == 200, preflight.text
        assert header.lower() in preflight.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("origins", ["", "https://other.example"])
async def test_no_other_origin_may(origins: str) -> None:
    async with client(origins) as there:
        assert "access-control-allow-origin" not in (await there.options("/", headers=ASKED)).headers
        assert "access-control-allow-origin" not in (await there.get("/", headers={"origin": SHOP})).headers


@pytest.mark.parametrize("origins", ["shop.example", "https://shop.example/", "https://shop.example/x", "null"])
def test_what_is_no_origin_is_refused(origins: str) -> None:
    with pytest.raises(SettingsRefused, match="is no origin such as"):
        Settings.read({"CHOBO_PROFILE": "development", "CHOBO_CORS_ORIGINS": origins})


def test_only_listed_documents_need_a_list() -> None:
    with pytest.raises(SettingsRefused, match="CHOBO_DOCUMENTS_ONLY needs CHOBO_DOCUMENTS"):
        Settings.read({"CHOBO_PROFILE": "development", "CHOBO_DOCUMENTS_ONLY": "true"})
