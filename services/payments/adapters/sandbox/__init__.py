"""Razorpay's API spoken on loopback, faithfully enough that the official SDK cannot tell."""

from services.payments.adapters.sandbox.entities import new_razorpay_id
from services.payments.adapters.sandbox.faults import Call, Fault, Faults
from services.payments.adapters.sandbox.gateway import SandboxGateway
from services.payments.adapters.sandbox.mongo_store import MongoStore
from services.payments.adapters.sandbox.routes import create_router
from services.payments.adapters.sandbox.store import MemoryStore, SandboxStore
from services.payments.adapters.sandbox.webhooks import Backoff, WebhookKnobs

__all__ = [
    "Backoff",
    "Call",
    "Fault",
    "Faults",
    "MemoryStore",
    "MongoStore",
    "SandboxGateway",
    "SandboxStore",
    "WebhookKnobs",
    "create_router",
    "new_razorpay_id",
]
