"""What the command line can do to a shop, over an opened container. Each command yields its steps as JSON values."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from api.container import Container
from api.demo import load as demo
from services.catalog.adapters.import_mapping import mapping_from
from services.catalog.adapters.product_file import ProductFile
from services.contracts.catalog import ImportReport
from services.kit.errors import Invalid, NotFound
from services.kit.ids import is_id, seller_id_of
from services.kit.principal import SYSTEM

Step = dict[str, Any]
Command = Callable[..., AsyncIterator[Step]]
DEMO_SEED = 7
DEMO_SELLER = "seller1@demo.cohort.example"
_TICK_SECONDS = 0.25
_PROBLEMS_SHOWN = 20


async def run(container: Container, name: str, arguments: dict[str, Any]) -> AsyncIterator[Step]:
    """Raises NotFound for a command there is not, and what the command raises."""
    command = COMMANDS.get(name)
    if command is None:
        raise NotFound.of("command")
    async for step in command(container, **arguments):
        yield step


async def import_products(
    container: Container, file: str, mapping: str | None = None, seller: str | None = None, *, wait: bool = True
) -> AsyncIterator[Step]:
    """Upsert a file's products for a seller; then follow the vectors until all are there.

    Safe to stop at any moment and to run again: what is there and unchanged is skipped.
    """
    source = _product_file(file, mapping)
    seller_id = await _seller_id(container, seller)
    work = asyncio.create_task(container.shop.catalog.import_lines(seller_id, source.lines()))
    try:
        while not work.done():
            yield {"stage": "import", "done": source.position, "of": source.size}
            await asyncio.wait([work], timeout=_TICK_SECONDS)
        yield {"report": _brief(await work)}
    finally:
        work.cancel()
    if wait:
        async for step in follow_index(container):
            yield step


def _product_file(file: str, mapping: str | None) -> ProductFile:
    path = Path(file)
    if not path.is_file():
        raise Invalid(f"there is no file {path}; give the path of a .jsonl or .jsonl.gz file", field="file")
    if mapping is None:
        return ProductFile(path)
    rules = Path(mapping)
    if not rules.is_file():
        raise Invalid(f"there is no mapping file {rules}", field="mapping")
    return ProductFile(path, mapping_from(rules.read_text("utf-8")))


async def _seller_id(container: Container, seller: str | None) -> str:
    """By id or e-mail; the first demo seller when none is named in demo mode."""
    if seller is None and not container.settings.demo:
        raise Invalid("say whose products these are: --seller e-mail or sel_…", field="seller")
    named = seller or DEMO_SELLER
    if is_id(named, "sel"):
        return named
    user = await container.shop.auth.find_user(SYSTEM, named)
    if user is None or "seller" not in user.roles:
        raise Invalid(f"there is no seller {named}; register one with the role SELLER first", field="seller")
    return seller_id_of(user.user_id)


def _brief(report: ImportReport) -> Step:
    whole = report.to_wire()
    return {**whole, "problems": whole["problems"][:_PROBLEMS_SHOWN]}


async def index_status(container: Container) -> AsyncIterator[Step]:
    yield {"index": (await container.shop.catalog.index_status()).to_wire()}


async def follow_index(container: Container) -> AsyncIterator[Step]:
    """Until every product can be found by keyword and has its meaning vector."""
    status = await container.shop.catalog.index_status()
    total = max(status.missing_dense, 1)
    while status.missing_dense:
        yield {"stage": "vectors", "done": total - status.missing_dense, "of": total}
        await asyncio.sleep(_TICK_SECONDS * 2)
        status = await container.shop.catalog.index_status()
        total = max(total, status.missing_dense)
    yield {"stage": "vectors", "done": total, "of": total}
    yield {"index": status.to_wire()}


async def load_demo(container: Container, *, reset: bool = False, orders: int = demo.ORDERS) -> AsyncIterator[Step]:
    """Make the demo world; repeatable. `reset` drops a demo home's data first."""
    targets = demo_targets(container)
    if reset:
        await demo.drop_demo(targets)
        yield {"said": "the demo data is dropped"}
    said: asyncio.Queue[str] = asyncio.Queue()
    work = asyncio.create_task(
        demo.load_demo(targets, DEMO_SEED, container.ground.clock.now(), said.put_nowait, orders=orders)
    )
    while not work.done() or not said.empty():
        waiting = asyncio.create_task(said.get())
        await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            yield {"said": waiting.result()}
        else:
            waiting.cancel()
    summary = await work
    yield {"accounts": list(summary.accounts)}


async def create_admin(container: Container, email: str, password: str, name: str = "Admin") -> AsyncIterator[Step]:
    user = await container.shop.auth.create_admin(email, password, name)
    yield {"said": f"{user.email} is an admin ({user.user_id})"}


async def rotate_keys(container: Container) -> AsyncIterator[Step]:
    """Sign with a new key from now on; the old ones verify until their last token has expired."""
    key_id = container.keys.rotate()
    container.keys.reload()
    others = len(container.keys.jwks()["keys"]) - 1
    yield {"said": f"access tokens are signed with {key_id}; {others} older keys still verify"}


async def dead_letters(container: Container, replay: str | None = None) -> AsyncIterator[Step]:
    """List what queues gave up on, or give one back to its queue."""
    if replay is not None:
        await container.broker.replay(replay)
    letters = await container.broker.dead_letters()
    for letter in letters:
        yield {"letter": letter.to_wire()}
    yield {"said": f"{len(letters)} dead letters"}


COMMANDS: dict[str, Command] = {
    "catalog.import": import_products,
    "index.status": index_status,
    "demo": load_demo,
    "admin.create": create_admin,
    "admin.rotate-keys": rotate_keys,
    "events.dead": dead_letters,
}


def demo_targets(container: Container) -> demo.DemoTargets:
    shop = container.shop
    return demo.DemoTargets(
        auth=shop.auth, catalog=shop.catalog, orders=shop.orders, sellers=shop.sellers, mongo=container.ground.mongo,
        bundled_model=container.settings.embedding_model is None,
    )  # fmt: skip


async def first_demo(container: Container, say: Callable[[str], None]) -> list[str]:
    """Load the demo world into a home that has none yet; returns the accounts to log in with."""
    accounts: list[str] = []
    async for step in load_demo(container):
        if "said" in step:
            say(step["said"])
        accounts = step.get("accounts", accounts)
    return accounts
