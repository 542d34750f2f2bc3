"""What buyers say about a product, and what it adds up to. Pure."""

from dataclasses import dataclass
from datetime import datetime

from services.contracts.catalog import ReviewReply, ReviewView
from services.kit.ids import named_id


@dataclass(frozen=True, slots=True)
class Review:
    """`number` is its place among all reviews of the product."""

    review_id: str
    product_id: str
    user_id: str
    number: int
    rating: int
    text: str
    created_at: datetime
    hidden: bool = False
    reply: str | None = None
    replied_at: datetime | None = None

    def view(self) -> ReviewView:
        reply = ReviewReply(text=self.reply, at=self.replied_at) if self.reply and self.replied_at else None
        return ReviewView(
            review_id=self.review_id,
            product_id=self.product_id,
            rating=self.rating,
            text=self.text,
            created_at=self.created_at,
            reply=reply,
            hidden=self.hidden,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the shown reviews of a product add up to; `written` counts the hidden ones too."""

    total: float
    count: int
    written: int
    version: int

    @property
    def average(self) -> float:
        return round(self.total / self.count, 2) if self.count else 0.0


def review_id_of(product_id: str, user_id: str) -> str:
    """One buyer has one review of a product."""
    return named_id("rev", product_id, user_id)
