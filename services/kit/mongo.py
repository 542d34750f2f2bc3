"""The document database: how it is opened, and what one transaction is.

Every acknowledged write is journaled by a majority; nothing else is ever asked for. motor stays behind this
file and the repositories.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import ASCENDING, IndexModel, MongoClient
from pymongo.errors import AutoReconnect, ConnectionFailure, DuplicateKeyError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.kit.errors import Unavailable

Document = dict[str, Any]
Collection: TypeAlias = "AsyncIOMotorCollection[Any]"
Database: TypeAlias = "AsyncIOMotorDatabase[Any]"
Session = AsyncIOMotorClientSession
DuplicateKey = DuplicateKeyError
Result = TypeVar("Result")

WRITE_CONCERN = WriteConcern(w="majority", j=True)
READ_CONCERN = ReadConcern("majority")
AWAY = (AutoReconnect, ConnectionFailure, ServerSelectionTimeoutError)


class Mongo:
    """One client for all databases of a process; `database("orders")` is `<prefix>_orders`."""

    def __init__(self, url: str, *, prefix: str = "cohort", timeout_ms: int = 5_000) -> None:
        options: dict[str, Any] = {
            "tz_aware": True,
            "retryWrites": True,
            "serverSelectionTimeoutMS": timeout_ms,
            "maxPoolSize": 64,
            "appname": "cohort",
        }
        self.url = url
        self.prefix = prefix
        self._options = options
        self._client: Any = AsyncIOMotorClient(url, **options)

    def database(self, service: str) -> Database:
        name = f"{self.prefix}_{service}"
        database: Database = self._client.get_database(name, write_concern=WRITE_CONCERN)
        return database

    def blocking_client(self) -> "MongoClient[Document]":
        """A synchronous client on the same server, for a library that has no other (closed by its owner)."""
        return MongoClient(self.url, w="majority", journal=True, **self._options)

    async def transact(self, work: Callable[[Session], Awaitable[Result]]) -> Result:
        """Run database work as one transaction. The callback may run twice: only database work belongs inside."""
        try:
            async with await self._client.start_session() as session:
                outcome: Result = await session.with_transaction(
                    work, write_concern=WRITE_CONCERN, read_concern=ReadConcern("snapshot")
                )
                return outcome
        except AWAY as error:
            raise database_away() from error

    async def ping(self) -> None:
        """Raise Unavailable when the server does not answer."""
        try:
            await self._client.admin.command("ping")
        except AWAY as error:
            raise database_away() from error

    async def empty(self, *, last: str) -> None:
        """Take every document out of every database of this prefix, at last out of that one; indexes stay."""
        names = await self._client.list_database_names()
        for name in sorted(names, key=lambda name: name == f"{self.prefix}_{last}"):
            if name.startswith(f"{self.prefix}_"):
                database = self._client.get_database(name, write_concern=WRITE_CONCERN)
                for collection in await database.list_collection_names():
                    await database[collection].delete_many({})

    def close(self) -> None:
        self._client.close()


def database_away() -> Unavailable:
    return Unavailable("the document database is away; try again in a moment", retry_after=2)


def open_mongo(url: str, *, prefix: str = "cohort") -> Mongo:
    return Mongo(url, prefix=prefix)


def ascending(*fields: str, expires: bool = False) -> IndexModel:
    """An index over fields; with `expires`, the document goes when the one field's time is reached."""
    keys = [(field, ASCENDING) for field in fields]
    return IndexModel(keys, expireAfterSeconds=0) if expires else IndexModel(keys)


async def ensure_indexes(database: Database, wanted: Mapping[str, Sequence[IndexModel]]) -> None:
    """Create what is missing; repeatable."""
    for collection, models in wanted.items():
        if models:
            await database[collection].create_indexes(list(models))
