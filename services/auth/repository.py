"""Accounts and sessions in MongoDB: an account is one document with its addresses, a session is one document."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.auth.models import LinkPurpose, MailedLink, MailRequest, Session, User, email_key
from services.contracts.auth import Address, Device
from services.kit.mongo import Database, Document, ensure_indexes
from services.kit.outbox import Unit

BATCH = 500
KEEP_ENDED_SESSIONS_SECONDS = 7 * 24 * 3600
SLOTS = 8


class AuthRepository:
    """The database `auth`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]
        self._sessions = database["sessions"]
        self._links = database["mailed_links"]
        self._requests = database["mail_requests"]
        self._flows = database["google_flows"]

    async def prepare(self) -> None:
        ended = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=KEEP_ENDED_SESSIONS_SECONDS)
        wanted = {
            "users": [
                IndexModel([("email_key", ASCENDING)], unique=True),
                IndexModel([("google_subject", ASCENDING)], unique=True, sparse=True),
                IndexModel([("created_at", ASCENDING)]),
            ],
            "sessions": [
                IndexModel([("revoked_at", ASCENDING)]),
                IndexModel([("live_of", ASCENDING)], sparse=True),
                ended,
            ],
            "mailed_links": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
            "mail_requests": [IndexModel([("slot", ASCENDING)])],
            "google_flows": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
        }
        await ensure_indexes(self._database, wanted)

    async def find_user(self, user_id: str, unit: Unit | None = None) -> User | None:
        row = await self._users.find_one({"_id": user_id}, session=unit.session if unit else None)
        return _user(row) if row else None

    async def find_user_by_email(self, email: str) -> User | None:
        row = await self._users.find_one({"email_key": email_key(email)})
        return _user(row) if row else None

    async def find_user_by_google(self, subject: str) -> User | None:
        row = await self._users.find_one({"google_subject": subject})
        return _user(row) if row else None

    async def users_between(self, low: datetime, high: datetime) -> list[User]:
        """Accounts made in [low, high), unordered."""
        rows = self._users.find({"created_at": {"$gte": low, "$lt": high}}, {"addresses": 0, "password_hash": 0})
        return [_user({"addresses": [], "password_hash": None, **row}) async for row in rows]

    async def save_user(self, user: User, unit: Unit) -> None:
        """All of it. Raises DuplicateKey."""
        row = _user_row(user)
        gone = {} if user.google_subject else {"$unset": {"google_subject": ""}}
        await self._users.update_one({"_id": row.pop("_id")}, {"$set": row, **gone}, session=unit.session)

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
        row["live_of"] = session.user_id
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
            "rotated_at": now,
            "device": device.model_dump(),
        }
        result = await self._sessions.update_one(usable, {"$set": change})
        return bool(result.modified_count)

    async def live_sessions(self, user_id: str, now: datetime, unit: Unit | None = None) -> list[Session]:
        rows = self._sessions.find({"live_of": user_id}, session=unit.session if unit else None)
        return [_session(row) async for row in rows if row["expires_at"] > now]

    async def revoke_many(self, session_ids: Sequence[str], reason: str, now: datetime, unit: Unit) -> None:
        wanted = {"_id": {"$in": list(session_ids)}, "revoked_at": None}
        await self._sessions.update_many(wanted, _ended(reason, now), session=unit.session)

    async def forget_devices(self, session_ids: Sequence[str], unit: Unit) -> None:
        blank = {"$set": {"device": Device().model_dump()}}
        await self._sessions.update_many({"_id": {"$in": list(session_ids)}}, blank, session=unit.session)

    async def revoke(self, session_id: str, reason: str, now: datetime) -> None:
        await self._sessions.update_one({"_id": session_id, "revoked_at": None}, _ended(reason, now))

    async def revoked_since(self, since: datetime) -> list[str]:
        return [row["_id"] async for row in self._sessions.find({"revoked_at": {"$gt": since}}, {"_id": 1})]

    async def add_link(self, link: MailedLink) -> None:
        row = asdict(link)
        await self._links.insert_one({"_id": row.pop("token_hash"), **row})

    async def take_link(self, token_hash: str, purpose: LinkPurpose, now: datetime, unit: Unit) -> MailedLink | None:
        """The link, used up by this unit; None when there is none that holds now."""
        row = await self._links.find_one({"_id": token_hash, "purpose": purpose}, session=unit.session)
        if row is None or row["expires_at"] <= now:
            return None
        await self._links.delete_one({"_id": token_hash}, session=unit.session)
        return MailedLink(token_hash=row.pop("_id"), **row)

    async def add_mail_request(self, request: MailRequest, unit: Unit | None = None) -> None:
        row = asdict(request)
        request_id = row.pop("request_id")
        row |= {"_id": request_id, "slot": int(request_id[-4:], 16) % SLOTS}
        await self._requests.insert_one(row, session=unit.session if unit else None)

    async def mail_requests(self, slot: int) -> list[MailRequest]:
        """What was not handed over yet, oldest first."""
        rows = await self._requests.find({"slot": slot}, {"slot": 0}).to_list(None)
        found = [MailRequest(request_id=row.pop("_id"), **row) for row in rows]
        return sorted(found, key=lambda request: request.created_at)

    async def drop_mail_request(self, request_id: str) -> None:
        await self._requests.delete_one({"_id": request_id})

    async def add_google_flow(self, state_hash: str, flow: Document) -> None:
        """`flow` needs `expires_at`."""
        await self._flows.insert_one({"_id": state_hash, **flow})

    async def take_google_flow(self, state_hash: str) -> Document | None:
        """Once."""
        row: Document | None = await self._flows.find_one({"_id": state_hash})
        if row is None:
            return None
        taken = await self._flows.delete_one({"_id": state_hash})
        return row if taken.deleted_count else None


def _ended(reason: str, now: datetime) -> Document:
    return {"$set": {"revoked_at": now, "revoked_reason": reason}, "$unset": {"live_of": ""}}


def _user_row(user: User) -> Document:
    google = {"google_subject": user.google_subject} if user.google_subject else {}
    return {
        **google,
        "_id": user.user_id,
        "email_key": user.email_key,
        "email": user.email,
        "name": user.name,
        "roles": list(user.roles),
        "password_hash": user.password_hash,
        "addresses": [address.model_dump() for address in user.addresses],
        "version": user.version,
        "created_at": user.created_at,
        "email_verified": user.email_verified,
        "sign_in_epoch": user.sign_in_epoch,
        "disabled_at": user.disabled_at,
        "deleted_at": user.deleted_at,
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
        email_verified=row.get("email_verified", False),
        google_subject=row.get("google_subject"),
        sign_in_epoch=row.get("sign_in_epoch", 0),
        disabled_at=row.get("disabled_at"),
        deleted_at=row.get("deleted_at"),
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
        rotated_at=row.get("rotated_at"),
        revoked_at=row["revoked_at"],
    )
