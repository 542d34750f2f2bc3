"""Signing keys: Ed25519, one PEM file each in a folder of the home, readable by the owner only."""

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.kit.clock import Clock


class KeyRing:
    """All keys of a folder by key id. The newest signs, the older ones still verify for as long as a token they
    signed may live: `retire_after` their successor was made their file goes.

    An empty or missing folder gets its first key. Raises ValueError for a file that is not an Ed25519 key.
    """

    def __init__(self, folder: Path, clock: Clock, *, retire_after: timedelta = timedelta(hours=1)) -> None:
        self._folder = folder
        self._clock = clock
        self._retire_after = retire_after
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys: dict[str, Ed25519PrivateKey] = {}
        self.reload()
        if not self._keys:
            self.rotate()

    @property
    def signing_id(self) -> str:
        return max(self._keys)

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        return self._keys[self.signing_id]

    def rotate(self) -> str:
        """Make a new key, which signs from now on; returns its id."""
        key = Ed25519PrivateKey.generate()
        key_id = f"{self._clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_private(self._folder / f"{key_id}.pem", pem)
        self._keys[key_id] = key
        return key_id

    def reload(self) -> None:
        """Take up keys that another process made, and retire those whose tokens have all expired."""
        found = {path.stem: _load(path) for path in sorted(self._folder.glob("*.pem"))}
        for key_id, successor in pairwise(sorted(found)):
            if _made_at(successor) + self._retire_after < self._clock.now():
                (self._folder / f"{key_id}.pem").unlink(missing_ok=True)
                del found[key_id]
        self._keys = found or self._keys

    async def refresh(self) -> None:
        """`reload` for a loop."""
        self.reload()

    def public_keys(self) -> Mapping[str, Ed25519PublicKey]:
        return {key_id: key.public_key() for key_id, key in self._keys.items()}

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 8037)."""
        return {"keys": [_jwk(key_id, key) for key_id, key in sorted(self.public_keys().items(), reverse=True)]}


def _made_at(key_id: str) -> datetime:
    return datetime.strptime(key_id.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


def _load(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ValueError(f"{path} is not a private key; move it away and start again") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key; move it away and start again")  # noqa: TRY004 - about the file
    return key


def _write_private(path: Path, content: bytes) -> None:
    """All or nothing: another process never sees half a key."""
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _jwk(key_id: str, key: Ed25519PublicKey) -> dict[str, str]:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key_id, "use": "sig", "alg": "EdDSA"}
