"""The terminal client, scripted, against a server that has the routes it needs."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse
from rich.console import Console

from api.chat_client import DEMO_PASSWORD, run_chat
from api.demo.load import PASSWORD
from tests.api.chat.conftest import Process, World
from tests.fakes.assistant import ASHA
from tests.fakes.shop import ScriptedModel, Shop, calls, said


@dataclass
class Script:
    """Lines a person would type, and the questions that were put."""

    lines: list[str]
    asked: list[str] = field(default_factory=list)

    async def ask(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.lines.pop(0) if self.lines else None


@dataclass
class Till:
    """The routes beside the chat: login, the sandbox's checkout, verification."""

    world: World
    paid: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def install(self) -> None:
        app = self.world.app

        @app.post("/auth/login")
        async def login(request: Request) -> JSONResponse:
            body = await request.json()
            if body["password"] != "right-password":
                problem = {"detail": "the e-mail or the password is wrong", "code": "bad_credentials"}
                return JSONResponse(problem, 401)
            return JSONResponse({"accessToken": self.world.token(ASHA), "user": {}, "expiresIn": 900})

        @app.post("/sandbox/razorpay/checkout")
        async def check_out(request: Request) -> JSONResponse:
            body = await request.json()
            names = {"razorpay_order_id": body["order_id"], "razorpay_payment_id": "pay_1"}
            return JSONResponse({**names, "razorpay_signature": body["vpa"]})

        @app.post("/payments/verify")
        async def verify(request: Request) -> JSONResponse:
            self.paid.append(await request.json())
            self.keys.append(request.headers.get("Idempotency-Key"))
            order = {"orderId": "ord_000001", "status": "confirmed", "paymentStatus": "paid"}
            money = {"amount": 149900, "currency": "INR"}
            await self.world.door.push_order(ASHA.user_id, {**order, "total": money})
            return JSONResponse({"paymentId": "pay_1", "status": "completed"})


@pytest.fixture
async def till(start: Process) -> AsyncIterator[Till]:
    async with start(ScriptedModel.of(), Shop()) as world:
        made = Till(world)
        made.install()
        yield made


async def chat(till: Till, *lines: str, password: str = "right-password", **options: Any) -> tuple[str, Script]:
    screen, script = io.StringIO(), Script(list(lines))
    console = Console(file=screen, width=120, force_terminal=False)
    await run_chat(till.world.url, "asha@example.com", password, lines=script, console=console, **options)
    return screen.getvalue(), script


async def test_a_purchase_from_search_to_payment(till: Till) -> None:
    till.world.model.then(
        calls(("search_products", {"query": "red"})), said("This red runner is ₹1,499."),
        calls(("place_order", {})), said("Your order is placed."),
    )  # fmt: skip
    screen, script = await chat(till, "red sneakers", "checkout", "y", "y")
    assert "Red runner" in screen
    assert screen.count("This red runner is ₹1,499.") == 1
    assert "Approve? [y/N] " in script.asked
    assert "Pay ₹1,499 with success@razorpay? [Y/n] " in script.asked
    assert till.paid == [{"orderId": "order_abcdef", "paymentId": "pay_1", "signature": "success@razorpay"}]
    assert till.keys[0]
    assert "Order ord_000001: confirmed, paid, ₹1,499" in screen


async def test_no_means_no(till: Till) -> None:
    till.world.model.then(calls(("place_order", {})), said("I left it."))
    screen, _ = await chat(till, "checkout", "")
    assert till.world.shop.orders == {}
    assert "I left it." in screen


async def test_a_connection_that_breaks_is_taken_up_again_without_losing_or_repeating(till: Till) -> None:
    world = till.world
    reached, opened = world.shop.gate("search_products")
    world.model.then(calls(("search_products", {"query": "red"})), said("Hello after the break."))
    talking = asyncio.create_task(chat(till, "red shoes"))
    await asyncio.wait_for(reached.wait(), 15)
    for socket in tuple(world.door._sockets[ASHA.user_id]):
        socket.close(1011, "cut")
    opened.set()
    screen, _ = await talking
    assert screen.count("Hello after the break.") == 1
    assert screen.count("Red runner") == 1
    assert world.shop.searches == ["red"]


async def test_a_guest_may_look_around(till: Till) -> None:
    till.world.model.then(said("Hello."))
    screen, _ = await chat(till, "hi", guest=True)
    assert "Hello guest" in screen


async def test_a_wrong_password_is_a_sentence_and_a_failure(till: Till) -> None:
    with pytest.raises(SystemExit):
        await chat(till, "hi", password="wrong")


async def test_the_demo_account_of_the_client_is_the_one_of_the_demo() -> None:
    assert DEMO_PASSWORD == PASSWORD
