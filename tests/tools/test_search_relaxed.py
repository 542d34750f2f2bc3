"""A search whose conditions find nothing drops the least of them and says which."""

from typing import Any, cast

from services.contracts.catalog import CatalogPort, ProductPage, ProductQuery
from services.kit.principal import Principal
from tests.fakes.assistant import ASHA
from tools.catalogue import SearchArguments, tools
from tools.kinds import Call, ToolResult
from tools.registry import Registry


class Shelf:
    """Finds something only once none of `unmet` is asked for any more."""

    def __init__(self, *unmet: str) -> None:
        self.unmet = unmet
        self.asked: list[ProductQuery] = []

    async def search(self, query: ProductQuery) -> ProductPage:
        self.asked.append(query)
        found = not any(getattr(query, name) for name in self.unmet)
        return ProductPage.model_construct(items=(Card(),) if found else (), next_cursor=None)


class Card:
    def to_wire(self) -> dict[str, Any]:
        return {"productId": "prd_1"}


async def search(shelf: Shelf, who: Principal = ASHA, **wish: Any) -> ToolResult:
    registry = Registry(tools(cast("CatalogPort", shelf)))
    tool = registry.find("search_products")
    assert tool is not None
    return await registry.run(tool, SearchArguments(**wish), Call(who=who, key=""))


async def test_what_fits_is_given_as_it_is() -> None:
    shelf = Shelf()
    result = await search(shelf, query="shoes", max_price=900, size="8")
    assert "relaxed" not in result.data
    assert len(shelf.asked) == 1


async def test_one_condition_is_dropped_and_named() -> None:
    result = await search(Shelf("colour"), query="shoes", colour="blue", max_price=900, min_rating=4)
    assert result.data["relaxed"] == ["colour"]
    assert result.data["items"]


async def test_when_no_single_one_helps_all_are_dropped_and_named() -> None:
    result = await search(Shelf("colour", "max_price"), query="shoes", colour="blue", max_price=900)
    assert set(result.data["relaxed"]) == {"colour", "max_price"}


async def test_what_is_not_wanted_stays_out() -> None:
    shelf = Shelf("exclude")
    result = await search(shelf, query="shoes", max_price=900, exclude={"material": ["leather"]})
    assert result.data["items"] == []
    assert all(query.exclude for query in shelf.asked)
