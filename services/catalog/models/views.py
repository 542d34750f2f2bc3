"""Products as callers see them, and back from the JSON everybody may see."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.catalog.models.product import Product, Variant, cheapest
from services.contracts.catalog import Card, PricedLine, ProductView, Rating, SellerBrief, VariantView
from services.kit.money import Money

_NO_VARIANTS = "a product without variants has no card"


def money(paise: int) -> Money:
    return Money(amount=paise)


def card(product: Product, matching: Sequence[Variant]) -> Card:
    """The product with the lowest price among `matching`, and what is left of those."""
    return Card(**_card_fields(product, matching))


def product_view(product: Product, seller_name: str) -> ProductView:
    return ProductView(
        **_card_fields(product, product.offered),
        description=product.description,
        variants=tuple(variant_view(variant) for variant in product.offered),
        images=product.images,
        seller=SellerBrief(seller_id=product.seller_id, name=seller_name),
        created_at=product.created_at,
        updated_at=product.updated_at,
        version=product.version,
    )


def variant_view(variant: Variant) -> VariantView:
    return VariantView(
        variant_id=variant.variant_id,
        sku=variant.sku,
        options=dict(variant.options),
        price=money(variant.price),
        compare_at_price=_optional_money(variant.compare_at_price),
        available=variant.available,
    )


def priced_line(product: Product, variant: Variant) -> PricedLine:
    return PricedLine(
        variant_id=variant.variant_id,
        product_id=product.product_id,
        seller_id=product.seller_id,
        title=product.title,
        category=product.category,
        brand=product.brand,
        image=_image(product),
        options=dict(variant.options),
        sku=variant.sku,
        price=money(variant.price),
        available=variant.available,
        active=variant.live and product.live,
        product_version=product.version,
    )


def _card_fields(product: Product, matching: Sequence[Variant]) -> dict[str, Any]:
    if not matching:
        raise ValueError(_NO_VARIANTS)
    shown = cheapest(matching)
    return {
        "product_id": product.product_id,
        "title": product.title,
        "price": money(shown.price),
        "compare_at_price": _optional_money(shown.compare_at_price),
        "category": product.category,
        "brand": product.brand,
        "attributes": dict(product.attributes),
        "rating": Rating(average=product.rating_average, count=product.rating_count),
        "available": sum(max(0, variant.available) for variant in matching),
        "image": _image(product),
        "seller_id": product.seller_id,
        "colours": product.colours,
        "sizes": product.sizes,
        "status": product.status,
    }


def _optional_money(paise: int | None) -> Money | None:
    return None if paise is None else money(paise)


def _image(product: Product) -> str | None:
    return product.images[0] if product.images else None


def product_from_public(body: Mapping[str, Any]) -> Product:
    """The product as far as buyers see it: of its stock what is available, of its variants those on offer."""
    return Product(
        product_id=body["productId"],
        seller_id=body["sellerId"],
        title=body["title"],
        description=body["description"],
        category=body["category"],
        brand=body["brand"],
        attributes=body["attributes"],
        images=tuple(body["images"]),
        status=body["status"],
        rating_average=body["rating"]["average"],
        rating_count=body["rating"]["count"],
        external_id=None,
        content_hash=None,
        created_at=body["createdAt"],
        updated_at=body["updatedAt"],
        version=body["version"],
        variants=tuple(_public_variant(body, place, each) for place, each in enumerate(body["variants"])),
    )


def _public_variant(body: Mapping[str, Any], place: int, variant: Mapping[str, Any]) -> Variant:
    compare_at = variant["compareAtPrice"]
    return Variant(
        variant_id=variant["variantId"],
        product_id=body["productId"],
        seller_id=body["sellerId"],
        sku=variant["sku"],
        options=variant["options"],
        price=variant["price"]["amount"],
        compare_at_price=compare_at["amount"] if compare_at else None,
        on_hand=variant["available"],
        place=place,
    )
