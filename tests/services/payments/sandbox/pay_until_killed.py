"""Pays orders without ever sending a webhook, naming each paid payment, until it is killed."""

import asyncio
import sys
from datetime import UTC, datetime

from motor.motor_asyncio import AsyncIOMotorClient

from services.payments.adapters.sandbox import MongoStore, SandboxGateway, new_razorpay_id


async def main(mongo_url: str, database: str) -> None:
    gateway = SandboxGateway(
        MongoStore(AsyncIOMotorClient(mongo_url)[database]),
        ("rzp_test_CohortSandbox", "key-secret"),
        "webhook-secret",
        "http://shop.test/webhook",
        clock=lambda: datetime.now(UTC),
        ids=new_razorpay_id,
    )
    while True:
        order = await gateway.orders.create({"amount": 500, "currency": "INR"})
        handed = await gateway.payments.check_out(order["id"], "success@razorpay")
        print(handed["razorpay_payment_id"], flush=True)


asyncio.run(main(*sys.argv[1:3]))
