"""The figures of a period beside those of the one before."""

from collections.abc import Sequence
from datetime import date

from services.contracts.catalog import CatalogPort
from services.contracts.sellers import Dashboard, Grain, Period, TopProduct
from services.kit.clock import Clock
from services.kit.errors import Invalid, NotFound
from services.kit.money import inr
from services.kit.principal import Principal
from services.sellers.models.facts import Tally
from services.sellers.models.figures import best_sellers, figures, series, within
from services.sellers.models.periods import days, indian_day, resolve
from services.sellers.repository import BookRepository
from services.sellers.service.profiles import shop_of


class Dashboards:
    def __init__(self, books: BookRepository, catalog: CatalogPort, clock: Clock) -> None:
        self._books = books
        self._catalog = catalog
        self._clock = clock

    async def show(self, who: Principal, period: str, grain: Grain, compare: str | None) -> Dashboard:
        seller_id = shop_of(who)
        if compare not in {None, "previous_period"}:
            raise Invalid("compare is previous_period or left out", field="compare")
        asked, before = resolve(period, indian_day(self._clock.now()))
        tallies = await self._tallies(seller_id, [asked, before] if compare else [asked])
        tally = within(tallies, asked)
        return Dashboard(
            period=asked,
            figures=figures(tally),
            previous_period=before if compare else None,
            previous=figures(within(tallies, before)) if compare else None,
            series=series(tallies, asked, grain),
            top_products=await self._top_products(who, tally),
        )

    async def _tallies(self, seller_id: str, periods: Sequence[Period]) -> dict[date, Tally]:
        months = {f"{day:%Y-%m}" for period in periods for day in days(period)}
        return await self._books.days(seller_id, sorted(months))

    async def _top_products(self, who: Principal, tally: Tally) -> tuple[TopProduct, ...]:
        best = best_sellers(tally)
        titles = {card.product_id: card.title for card in await self._catalog.many(best)} if best else {}
        return tuple(
            [
                TopProduct(
                    product_id=product_id,
                    title=titles.get(product_id) or await self._own_title(who, product_id),
                    revenue=inr(tally.product_revenue[product_id]),
                    units=tally.product_units[product_id],
                )
                for product_id in best
            ]
        )

    async def _own_title(self, who: Principal, product_id: str) -> str:
        """Of a product that is not for sale any more."""
        try:
            return (await self._catalog.get(product_id, who)).title
        except NotFound:
            return ""
