"""Images of products, put on and taken off one by one."""

from collections.abc import Callable

from services.catalog.adapters.images import ImageStore
from services.catalog.models.image import image_of
from services.catalog.models.product import Product
from services.catalog.repository import ProductRepository
from services.catalog.service.reading import Reading
from services.catalog.service.removing import WasOrdered
from services.catalog.service.rendered import RenderedProducts
from services.contracts.catalog import ProductView, TooManyImages
from services.contracts.events import ProductUpdated
from services.kit.clock import Clock
from services.kit.errors import Conflict, NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

_MOST_IMAGES = 20
_ATTEMPTS = 8
Images = tuple[str, ...]


class _MovedOn(Exception):
    """Somebody changed the product between reading and writing."""


class Picturing:
    def __init__(
        self,
        *,
        products: ProductRepository,
        store: ImageStore,
        outbox: Outbox,
        rendered: RenderedProducts,
        reading: Reading,
        was_ordered: WasOrdered,
        clock: Clock,
    ) -> None:
        self._products = products
        self._store = store
        self._outbox = outbox
        self._rendered = rendered
        self._reading = reading
        self._was_ordered = was_ordered
        self._clock = clock

    async def own(self, who: Principal, product_id: str) -> Product:
        """Raises NotFound."""
        product = await self._products.find(product_id)
        if product is None or product.seller_id != who.seller_id:
            raise NotFound.of("product")
        return product

    async def add(self, who: Principal, product_id: str, content: bytes) -> ProductView:
        _with(await self.own(who, product_id), "")
        url = await self._store.put(product_id, image_of(content))
        return await self._change(who, product_id, lambda product: _with(product, url))

    async def remove(self, who: Principal, product_id: str, url: str) -> ProductView:
        """An upload stays on disk while orders may show it."""
        view = await self._change(who, product_id, lambda product: _without(product, url))
        if not await self._was_ordered(product_id):
            await self._store.remove(product_id, url)
        return view

    async def _change(self, who: Principal, product_id: str, images_of: Callable[[Product], Images]) -> ProductView:
        for _ in range(_ATTEMPTS):
            product = await self.own(who, product_id)
            images = images_of(product)
            try:
                if images != product.images:
                    await self._write(product, images)
            except _MovedOn:
                continue
            return await self._reading.view(await self.own(who, product_id))
        raise Conflict("the product is being changed by others at this moment; try again")

    async def _write(self, product: Product, images: Images) -> None:
        fields = {"images": list(images), "updated_at": self._clock.now(), "content_hash": None}
        told = ProductUpdated(product_id=product.product_id, seller_id=product.seller_id, fields=("images",))

        async def work(unit: Unit) -> None:
            if not await self._products.change(product.product_id, product.version, fields, unit):
                raise _MovedOn
            unit.record(told, sequence=product.version + 1)

        try:
            await self._outbox.transact(work)
        finally:
            await self._rendered.forget([product.product_id])


def _with(product: Product, url: str) -> Images:
    if url in product.images:
        return product.images
    if len(product.images) >= _MOST_IMAGES:
        raise TooManyImages(f"a product has at most {_MOST_IMAGES} images; take one off first")
    return (*product.images, url)


def _without(product: Product, url: str) -> Images:
    if url not in product.images:
        raise NotFound.of("image")
    return tuple(each for each in product.images if each != url)
