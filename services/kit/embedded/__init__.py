"""Engines that run below the home folder instead of on servers: nothing to install, the same protocols."""

from services.kit.embedded.home import EmbeddedError, Holder, Home, HomeBroken, HomeInUse
from services.kit.embedded.process import EngineFailed, EngineMissing
from services.kit.embedded.secantus import SecantusServer
from services.kit.embedded.valkey import ValkeyServer

__all__ = [
    "EmbeddedError",
    "EngineFailed",
    "EngineMissing",
    "Holder",
    "Home",
    "HomeBroken",
    "HomeInUse",
    "SecantusServer",
    "ValkeyServer",
]
