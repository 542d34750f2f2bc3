"""Accounts and sessions in MongoDB: an account is one document with its addresses, a session is one document."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.auth.models import Session, User, email_key
from services.contracts.auth import Address, Device
from services.kit.mongo import Database, Document, ensure_indexes
from services.kit.outbox import Unit

BATCH = 500
KEEP_ENDED_SESSIONS_SECONDS = 7 * 24 * 3600


class AuthRepository:
    """The database `auth`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]
        self._sessions = database["sessions"]

    async def prepare(self) -> None:
        ended = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=KEEP_ENDED_SESSIONS_SECONDS)
        wanted = {
            "users": [IndexModel([("email_key", ASCENDING)], unique=True)],
            "sessions": [IndexModel([("revoked_at", ASCENDING)]), ended],
        }
        await ensure_indexes(self._database, wanted)

    async def find_user(self, user_id: str, unit: Unit | None = None) -> User | None:
        row = await self._users.find_one({"_id": user_id}, session=unit.session if unit else None)
        return _user(row) if row else None

    async def find_user_by_email(self, email: str) -> User | None:
        row = await self._users.find_one({"email_key": email_key(email)})
        return _user(row) if row else None

    async def add_user(self, user: User, unit: Unit) -> None:
        """Raises DuplicateKey when the e-mail is taken."""
        await self._users.insert_one(_user_row(user), session=unit.session)

    async def add_missing_users(self, users: Sequence[User]) -> int:
        """Insert those whose id and e-mail are not there; how many that were."""
        return sum([await self._add_batch(users[i : i + BATCH]) for i in range(0, len(users), BATCH)])

    async def _add_batch(self, users: Sequence[User]) -> int:
        ids = {"$in": [user.user_id for user in users]}
        keys = {"$in": [user.email_key for user in users]}
        known = {row["_id"] async for row in self._users.find({"_id": ids}, {"_id": 1})}
        taken = {row["email_key"] async for row in self._users.find({"email_key": keys}, {"email_key": 1})}
        missing = [u for u in users if u.user_id not in known and u.email_key not in taken]
        if missing:
            await self._users.insert_many([_user_row(user) for user in missing])
        return len(missing)

    async def save_profile(self, user: User, unit: Unit) -> None:
        profile = {"name": user.name, "version": user.version}
        await self._users.update_one({"_id": user.user_id}, {"$set": profile}, session=unit.session)

    async def save_addresses(self, user: User, addresses: tuple[Address, ...]) -> bool:
        """False when the account has changed since it was read."""
        change = {"addresses": [a.model_dump() for a in addresses], "version": user.version + 1}
        result = await self._users.update_one({"_id": user.user_id, "version": user.version}, {"$set": change})
        return bool(result.modified_count)

    async def save_password_hash(self, user_id: str, old: str, new: str) -> None:
        """The same password with today's parameters, unless it was changed meanwhile."""
        await self._users.update_one({"_id": user_id, "password_hash": old}, {"$set": {"password_hash": new}})

    async def add_session(self, session: Session, unit: Unit | None = None) -> None:
        row = {**asdict(session), "device": session.device.model_dump(), "_id": session.session_id}
        del row["session_id"]
        await self._sessions.insert_one(row, session=unit.session if unit else None)

    async def find_session(self, session_id: str) -> Session | None:
        row = await self._sessions.find_one({"_id": session_id})
        return _session(row) if row else None

    async def rotate(self, session_id: str, used: str, fresh: str, *, device: Device, now: datetime) -> bool:
        """Put the hash `fresh` in the place of `used`; False for everyone but the first."""
        usable = {"_id": session_id, "secret_hash": used, "revoked_at": None, "expires_at": {"$gt": now}}
        change = {
            "secret_hash": fresh,
            "previous_hash": used,
            "handed_over_at": None,
            "device": device.model_dump(),
        }
        result = await self._sessions.update_one(usable, {"$set": change})
        return bool(result.modified_count)

    async def hand_over(self, session_id: str, fresh: str, now: datetime) -> None:
        """From now on the token with the hash `fresh` may be in somebody's hands."""
        await self._sessions.update_one({"_id": session_id, "secret_hash": fresh}, {"$set": {"handed_over_at": now}})

    async def revoke(self, session_id: str, reason: str, now: datetime) -> None:
        await self._sessions.update_one(
            {"_id": session_id, "revoked_at": None}, {"$set": {"revoked_at": now, "revoked_reason": reason}}
        )

    async def revoked_since(self, since: datetime) -> list[str]:
        return [row["_id"] async for row in self._sessions.find({"revoked_at": {"$gt": since}}, {"_id": 1})]


def _user_row(user: User) -> Document:
    return {
        "_id": user.user_id,
        "email_key": user.email_key,
        "email": user.email,
        "name": user.name,
        "roles": list(user.roles),
        "password_hash": user.password_hash,
        "addresses": [address.model_dump() for address in user.addresses],
        "version": user.version,
        "created_at": user.created_at,
    }


def _user(row: dict[str, Any]) -> User:
    return User(
        user_id=row["_id"],
        name=row["name"],
        email=row["email"],
        roles=tuple(row["roles"]),
        password_hash=row["password_hash"],
        addresses=tuple(Address(**address) for address in row["addresses"]),
        version=row["version"],
        created_at=row["created_at"],
    )


def _session(row: dict[str, Any]) -> Session:
    return Session(
        session_id=row["_id"],
        user_id=row["user_id"],
        family_hash=row["family_hash"],
        secret_hash=row["secret_hash"],
        device=Device(**row["device"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        previous_hash=row["previous_hash"],
        handed_over_at=row["handed_over_at"],
        revoked_at=row["revoked_at"],
    )
