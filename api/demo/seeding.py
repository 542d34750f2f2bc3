"""The demo world as the services take it. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from api.demo.model import DemoAddress, DemoOrder, DemoOrderLine, DemoProduct, DemoSeller, DemoWorld
from services.contracts.auth import Address, SeedUser
from services.contracts.catalog import SeedProduct, SeedVariant
from services.contracts.events import OrderEvent
from services.contracts.orders import SeedLine, SeedOrder
from services.contracts.sellers import Profile, StockLevel
from services.kit.events import Envelope
from services.kit.ids import named_id


def users(world: DemoWorld) -> list[SeedUser]:
    admin = world.admin
    found = [_user(admin.user_id, admin.name, admin.email, admin.created_at, "admin")]
    found += [_user(each.user_id, each.name, each.email, each.created_at, "seller") for each in world.sellers]
    for buyer in world.buyers:
        user = _user(buyer.user_id, buyer.name, buyer.email, buyer.created_at)
        found.append(user.model_copy(update={"addresses": (address(buyer.address),)}))
    return found


def _user(user_id: str, name: str, email: str, created_at: datetime, *roles: str) -> SeedUser:
    return SeedUser(user_id=user_id, name=name, email=email, roles=("customer", *roles), created_at=created_at)


def profile(seller: DemoSeller) -> Profile:
    return Profile(
        seller_id=seller.seller_id, name=seller.shop_name, status="approved", state=seller.state, gstin=seller.gstin
    )


def address(where: DemoAddress) -> Address:
    return Address(
        address_id=where.address_id,
        name=where.name,
        phone=where.phone,
        street=where.street,
        city=where.city,
        state=where.state,
        country=where.country,
        zip_code=where.zip_code,
        is_default=True,
    )


def category_of(product: DemoProduct) -> str:
    return " > ".join(product.category)


def product_seed(product: DemoProduct) -> SeedProduct:
    return SeedProduct(
        product_id=product.product_id,
        seller_id=product.seller_id,
        title=product.title,
        description=product.description,
        category=category_of(product),
        brand=product.brand,
        attributes=product.attributes,
        images=product.images,
        variants=tuple(
            SeedVariant(each.variant_id, each.sku, each.options, each.price, each.compare_at_price, each.stock)
            for each in product.variants
        ),
        rating_average=product.rating_average,
        rating_count=product.rating_count,
        created_at=product.created_at,
    )


def order_seeds(world: DemoWorld) -> Iterator[SeedOrder]:
    catalogue = {product.product_id: product for product in world.products}
    addresses = {buyer.user_id: address(buyer.address) for buyer in world.buyers}
    for order in world.orders:
        yield SeedOrder(
            order_id=order.order_id,
            user_id=order.user_id,
            status=order.status,
            payment_status=order.payment_status,
            payment_method="cod" if order.payment_method == "cod" else "razorpay",
            address=addresses[order.user_id],
            lines=tuple(_line(line, catalogue) for line in order.lines),
            placed_at=order.created_at,
            confirmed_at=order.confirmed_at,
            shipped_at=order.shipped_at,
            delivered_at=order.delivered_at,
            cancelled_at=order.cancelled_at,
            expired_at=order.expired_at,
            returned_at=order.returned_at,
        )


def _line(line: DemoOrderLine, catalogue: Mapping[str, DemoProduct]) -> SeedLine:
    product = catalogue[line.product_id]
    variant = next(each for each in product.variants if each.variant_id == line.variant_id)
    return SeedLine(
        product_id=line.product_id,
        variant_id=line.variant_id,
        seller_id=line.seller_id,
        title=line.title,
        category=category_of(product),
        brand=product.brand,
        options=dict(variant.options),
        sku=variant.sku,
        image=product.images[0],
        qty=line.qty,
        unit_price=line.price,
    )


def stock_levels(world: DemoWorld) -> list[StockLevel]:
    return [
        StockLevel(variant.variant_id, product.product_id, product.seller_id, variant.stock)
        for product in world.products
        for variant in product.variants
    ]


def event_of(order: DemoOrder, last: OrderEvent) -> Envelope:
    """The last event of an order's life; it has the same id however often the demo is loaded."""
    return Envelope(
        id=named_id("evt", order.order_id, last.TYPE),
        type=last.TYPE,
        source="/cohort/demo",
        time=_last_step(order),
        subject=order.order_id,
        sequence=last.version,
        dataschema=f"urn:cohort:event:{last.TYPE}:1",
        data=last.to_wire(),
    )


def _last_step(order: DemoOrder) -> datetime:
    steps = {
        "confirmed": order.confirmed_at,
        "shipped": order.shipped_at,
        "delivered": order.delivered_at,
        "cancelled": order.cancelled_at,
        "expired": order.expired_at,
        "returned": order.returned_at,
    }
    return steps[order.status] or order.created_at
