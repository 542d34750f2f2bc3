"""Payments, what the gateway says of them, and refunds: pure rules, no input or output."""

from services.payments.models.gateway import Entity, GatewayFact, GatewayPort
from services.payments.models.payment import (
    FIRST_ASKED_AFTER,
    LATE_AUTHORISATION,
    UNCHOSEN,
    Outcome,
    Payment,
    payment_id_of,
)
from services.payments.models.refund import Refund, stray_refund, whole_refund

__all__ = [
    "FIRST_ASKED_AFTER",
    "LATE_AUTHORISATION",
    "UNCHOSEN",
    "Entity",
    "GatewayFact",
    "GatewayPort",
    "Outcome",
    "Payment",
    "Refund",
    "payment_id_of",
    "stray_refund",
    "whole_refund",
]
