"""Reviews by buyers who got the product, replies by its seller, and moderation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.catalog.adapters import cursors
from services.catalog.models.product import Product
from services.catalog.models.review import Review, Standing, review_id_of
from services.catalog.repository import ProductRepository, ReviewRepository
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import (
    AlreadyReviewed,
    Rating,
    ReviewIn,
    ReviewNotAllowed,
    ReviewPage,
    ReviewView,
)
from services.contracts.events import ProductUpdated, ReviewCreated
from services.kit.clock import Clock
from services.kit.errors import Conflict, NotFound
from services.kit.idempotency import Attempt, CommandKey, Idempotency
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

HasReceived = Callable[[str, str], Awaitable[bool]]
"""Whether the product (second) was delivered to the user (first)."""

_ATTEMPTS = 20
_ROUNDS = 20
_KIND = "reviews"


class _MovedOn(Exception):
    """The product changed between reading and writing."""


class Reviewing:
    def __init__(
        self,
        *,
        products: ProductRepository,
        reviews: ReviewRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        rendered: RenderedProducts,
        has_received: HasReceived,
        clock: Clock,
    ) -> None:
        self._products = products
        self._reviews = reviews
        self._outbox = outbox
        self._idempotency = idempotency
        self._rendered = rendered
        self._has_received = has_received
        self._clock = clock

    async def write(self, who: Principal, product_id: str, wanted: ReviewIn, key: CommandKey | None) -> ReviewView:
        async with self._idempotency.attempt(key, "rev") as attempt:
            if attempt.answer is not None:
                return ReviewView.from_wire(attempt.answer).as_replayed()
            product = await self._reviewable(who, product_id)
            review_id = review_id_of(product_id, who.user_id)
            for _ in range(_ATTEMPTS):
                if await self._reviews.find(review_id):
                    raise AlreadyReviewed("you have reviewed this product", details={"reviewId": review_id})
                standing = await self._standing(product_id)
                review = self._review(who, product_id, standing, wanted)
                try:
                    await self._store(product, review, standing, attempt)
                except _MovedOn:
                    continue
                return review.view()
            raise _busy()

    async def _reviewable(self, who: Principal, product_id: str) -> Product:
        product = await self._products.find(product_id)
        received = product is not None and await self._has_received(who.user_id, product_id)
        if product is None or not (product.live or received):
            raise NotFound.of("product")
        if not received or product.seller_id == who.seller_id:
            raise ReviewNotAllowed("reviews are for buyers to whom this product was delivered")
        return product

    async def _standing(self, product_id: str) -> Standing:
        standing = await self._reviews.standing(product_id)
        if standing is None:
            raise NotFound.of("product")
        return standing

    def _review(self, who: Principal, product_id: str, standing: Standing, wanted: ReviewIn) -> Review:
        return Review(
            review_id=review_id_of(product_id, who.user_id),
            product_id=product_id,
            user_id=who.user_id,
            number=standing.written,
            rating=wanted.rating,
            text=wanted.text,
            created_at=self._clock.now(),
        )

    async def _store(self, product: Product, review: Review, standing: Standing, attempt: Attempt) -> None:
        told = ReviewCreated(
            product_id=product.product_id, seller_id=product.seller_id, user_id=review.user_id, rating=review.rating
        )
        after = replace(
            standing, total=standing.total + review.rating, count=standing.count + 1, written=standing.written + 1
        )

        async def work(unit: Unit) -> None:
            if not await self._reviews.settle(product.product_id, after, unit):
                raise _MovedOn
            await self._reviews.insert(review, unit)
            await self._idempotency.complete(attempt, review.view(), unit)
            unit.record(told, sequence=standing.version + 1)

        try:
            await self._outbox.transact(work)
        finally:
            await self._rendered.forget([product.product_id])

    async def page(self, who: Principal | None, product_id: str, limit: int, cursor: str | None) -> ReviewPage:
        product = await self._products.find(product_id)
        if product is None or not (product.live or (who is not None and who.seller_id == product.seller_id)):
            raise NotFound.of("product")
        standing = await self._standing(product_id)
        number: int = cursors.decode(cursor, _KIND, int)[0] if cursor else standing.written
        found = await self._shown(product_id, min(number, standing.written), limit, all_of=bool(who and who.is_admin))
        more = len(found) == limit and found[-1].number > 0
        return ReviewPage(
            items=tuple(review.view() for review in found),
            next_cursor=cursors.encode(_KIND, found[-1].number) if more else None,
            summary=Rating(average=standing.average, count=standing.count),
        )

    async def _shown(self, product_id: str, number: int, limit: int, *, all_of: bool) -> list[Review]:
        """Hidden ones for those who moderate only."""
        found: list[Review] = []
        for _ in range(_ROUNDS):
            read = await self._reviews.before(product_id, number, limit)
            found += [review for review in read if all_of or not review.hidden]
            number -= limit
            if number <= 0 or len(found) >= limit:
                break
        return found[:limit]

    async def reply(self, who: Principal, product_id: str, review_id: str, text: str) -> ReviewView:
        product = await self._products.find(product_id)
        review = await self._of_product(product_id, review_id)
        if product is None or product.seller_id != who.seller_id:
            raise NotFound.of("review")
        replied = replace(review, reply=text, replied_at=self._clock.now())
        await self._reviews.change(review_id, {"reply": replied.reply, "replied_at": replied.replied_at})
        return replied.view()

    async def _of_product(self, product_id: str, review_id: str) -> Review:
        review = await self._reviews.find(review_id)
        if review is None or review.product_id != product_id:
            raise NotFound.of("review")
        return review

    async def moderate(self, product_id: str, review_id: str, *, hidden: bool) -> ReviewView:
        """The rating follows."""
        for _ in range(_ATTEMPTS):
            review = await self._of_product(product_id, review_id)
            if review.hidden == hidden:
                return review.view()
            try:
                await self._set_hidden(review, hidden=hidden)
            except _MovedOn:
                continue
            return replace(review, hidden=hidden).view()
        raise _busy()

    async def _set_hidden(self, review: Review, *, hidden: bool) -> None:
        product = await self._products.find(review.product_id)
        if product is None:
            raise NotFound.of("review")
        standing = await self._standing(review.product_id)
        sign = -1 if hidden else 1
        after = replace(standing, total=standing.total + sign * review.rating, count=standing.count + sign)
        told = ProductUpdated(product_id=review.product_id, seller_id=product.seller_id, fields=("rating",))

        async def work(unit: Unit) -> None:
            if product.version != standing.version or not await self._reviews.settle(review.product_id, after, unit):
                raise _MovedOn
            await self._reviews.change(review.review_id, {"hidden": hidden}, unit)
            unit.record(told, sequence=standing.version + 1)

        try:
            await self._outbox.transact(work)
        finally:
            await self._rendered.forget([review.product_id])


def _busy() -> Conflict:
    return Conflict("the product is being changed by others at this moment; try again")
