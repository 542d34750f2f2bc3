"""The offline planner: a chat model that needs no key, no server and no luck."""

from agents.models.offline.planner import OfflinePlanner

__all__ = ["OfflinePlanner"]
