"""A server in small: starts both engines, writes, and prints the number of each write once it is acknowledged."""

import asyncio
import sys

import redis.asyncio as redis
from motor.motor_asyncio import AsyncIOMotorClient

from services.kit.embedded import Home, SecantusServer, ValkeyServer


async def main(path: str) -> None:
    home = Home(path)
    documents, cache = SecantusServer(home), ValkeyServer(home)
    mongo = AsyncIOMotorClient(documents.start())
    keys = redis.from_url(cache.start())
    await asyncio.gather(documents.wait_ready(), cache.wait_ready())
    print("pids", documents.pid, cache.pid, flush=True)
    await asyncio.gather(write_documents(mongo), write_keys(keys))


async def write_documents(mongo: "AsyncIOMotorClient[dict[str, int]]") -> None:
    number = 0
    while True:
        await mongo.shop.orders.insert_one({"_id": number})
        print("document", number, flush=True)
        number += 1


async def write_keys(keys: "redis.Redis") -> None:
    number = 0
    while True:
        async with keys.pipeline(transaction=False) as batch:
            batch.set(f"key:{number}", number)
            batch.execute_command("WAITAOF", 1, 0, 5000)
            _, (local, _) = await batch.execute()
        assert local == 1
        print("key", number, flush=True)
        number += 1


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
