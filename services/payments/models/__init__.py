"""Payments, what the gateway says of them, refunds and payouts: pure rules, no input or output."""

from services.payments.models.gateway import Entity, GatewayFact, GatewayPort
from services.payments.models.payment import (
    FIRST_ASKED_AFTER,
    LATE_AUTHORISATION,
    UNCHOSEN,
    Outcome,
    Payment,
    payment_id_of,
)
from services.payments.models.payout import Payout, SoldShare, Transferred, payouts_of
from services.payments.models.refund import (
    Refund,
    Share,
    left_of,
    refund_of,
    shipping_line,
    split,
    stray_refund,
    wanted_by_line,
    whole_refund,
)

__all__ = [
    "FIRST_ASKED_AFTER",
    "LATE_AUTHORISATION",
    "UNCHOSEN",
    "Entity",
    "GatewayFact",
    "GatewayPort",
    "Outcome",
    "Payment",
    "Payout",
    "Refund",
    "Share",
    "SoldShare",
    "Transferred",
    "left_of",
    "payment_id_of",
    "payouts_of",
    "refund_of",
    "shipping_line",
    "split",
    "stray_refund",
    "wanted_by_line",
    "whole_refund",
]
