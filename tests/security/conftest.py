"""The whole application in this process, on the engines of the tests."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.container import Container, open_container
from api.settings import Settings

PASSWORD = "correct horse battery"
ORIGIN = "http://shop.example"


@dataclass
class World:
    container: Container
    app: FastAPI

    def client(self, address: str = "127.0.0.1", **options: Any) -> httpx.AsyncClient:
        """A program at this address of the network; it keeps cookies and does nothing else by itself."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 40_000), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=60, **options)

    def browser(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A page of the shop: it sends the token of the readable cookie with whatever it does."""

        async def echo(request: httpx.Request) -> None:
            cookies = SimpleCookie(request.headers.get("cookie", ""))
            if "cohort_csrf" in cookies:
                request.headers.setdefault("X-CSRF-Token", cookies["cohort_csrf"].value)

        return self.client(address, event_hooks={"request": [echo]}, headers={"Origin": ORIGIN})

    async def contents(self) -> dict[str, Any]:
        """Every document of the shop, by database and collection."""
        found: dict[str, Any] = {}
        for service in ("auth", "cart", "chat", "orders", "payments", "catalog", "notifications", "sellers"):
            database = self.container.ground.mongo.database(service)
            for name in sorted(await database.list_collection_names()):
                rows = await database[name].find({}).to_list(None)
                found[f"{service}.{name}"] = sorted(rows, key=lambda row: str(row["_id"]))
        return found


async def register(client: httpx.AsyncClient, role: str = "USER") -> dict[str, Any]:
    """A new account, signed in by token and cookie."""
    body = {"name": "Asha", "email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "role": role}
    answer = await client.post("/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "email": body["email"]}


def bearer(signed_in: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in['accessToken']}"}


@pytest.fixture(scope="session")
async def world(mongo_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    home: Path = tmp_path_factory.mktemp("security") / "home"
    settings = Settings(
        home=home, mongo_url=mongo_url, redis_url=redis_url, mongo_prefix=f"s{uuid.uuid4().hex[:10]}",
        allowed_origins=("http://pages.example",),
    )  # fmt: skip
    async with open_container(settings) as container:
        yield World(container, create_app(container, background=False))
