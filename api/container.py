"""The composition root: the only file that names concrete classes.

`open_container(settings)` builds everything once, passes dependencies as arguments and closes in reverse.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from agents.consent import Consents
from agents.memory import Conversations, StatedPreferences
from agents.models.calling import ChatModels
from agents.models.offline import OfflinePlanner
from agents.session import Checkpoints, ShopperSession, open_saver
from agents.shopper import graph as shopper_graph
from agents.vault import Vault
from api.chat import ChatDoor
from api.engines import Engines
from api.guests import GuestSigner
from api.security import Authenticator
from api.settings import Settings, reveal
from api.worker import Job, every
from prompts import load
from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.google import GoogleSignIn
from services.auth.adapters.keys import KeyRing
from services.auth.adapters.lockout import LoginLockout
from services.auth.adapters.passwords import PasswordHashing
from services.auth.adapters.revoked import RevokedSessions
from services.auth.repository import AuthRepository
from services.auth.service import AuthService, SignInLimits
from services.cart import consumers as cart_consumers
from services.cart.repository import CartRepository
from services.cart.service import CartService
from services.catalog import consumers as catalog_consumers
from services.catalog.adapters.conditions import PRODUCT_FIELDS
from services.catalog.adapters.images import ImageFolder
from services.catalog.adapters.search_index import ProductIndex
from services.catalog.repository import LedgerRepository, ProductRepository, ReviewRepository, StockRepository
from services.catalog.service import CatalogService
from services.contracts.catalog import Vocabulary
from services.contracts.notifications import AccountMail, AccountMailPort, NotificationView
from services.kit.broker import RetryPolicy, Subscription
from services.kit.cache import Cache, TokenBucket, open_redis
from services.kit.clock import Clock, SystemClock
from services.kit.csrf import CsrfGuard
from services.kit.delivery import EmbeddedBroker
from services.kit.embedded import Home
from services.kit.faults import CrashPoints
from services.kit.idempotency import Idempotency
from services.kit.ids import Ids, RandomIds, named_id
from services.kit.inbox import Inbox
from services.kit.mongo import Mongo, open_mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.relay import Relay
from services.kit.tokens import TokenVerifier
from services.notifications import consumers as notification_consumers
from services.notifications.adapters.mail_folder import MailFolder
from services.notifications.adapters.message_folder import PushFolder, SmsFolder
from services.notifications.adapters.smtp import SmtpMailer, SmtpServer
from services.notifications.adapters.templates import Templates
from services.notifications.repository import NotificationRepository
from services.notifications.service import NotificationsService
from services.orders import consumers as orders_consumers
from services.orders.repository import OrderRepository
from services.orders.service import OrdersService
from services.payments import consumers as payments_consumers
from services.payments.adapters.razorpay import RazorpayGateway
from services.payments.adapters.sandbox import MongoStore, SandboxGateway, new_razorpay_id
from services.payments.repository import PaymentRepository
from services.payments.service import AccountOf, PaymentsService
from services.sellers import consumers as sellers_consumers
from services.sellers.service import SellersService
from tools import registry
from vectorstore.bulk import BulkEmbedder
from vectorstore.edge import EdgeIndex
from vectorstore.embeddings import Embedder, Matrix
from vectorstore.onnx_embedder import OnnxEmbedder
from vectorstore.st_embedder import SentenceTransformerEmbedder

_SERVICES = ("auth", "catalog", "cart", "orders", "payments", "notifications", "sellers")
_VOCABULARY_SECONDS = 20.0
_SUGGESTIONS_SECONDS = 600.0


@dataclass(frozen=True)
class Ground:
    """What every service stands on."""

    settings: Settings
    home: Home
    mongo: Mongo
    redis: Any
    clock: Clock
    ids: Ids
    crash: CrashPoints
    outboxes: Mapping[str, Outbox]
    engines: Engines

    def idempotency(self, service: str) -> Idempotency:
        return Idempotency(self.mongo.database(service), self.ids, self.clock)

    def inbox(self, service: str, queue: str) -> Inbox:
        return Inbox(self.outboxes[service], queue, self.clock)


@dataclass(frozen=True)
class Shop:
    """The services of one process."""

    auth: AuthService
    catalog: CatalogService
    cart: CartService
    orders: OrdersService
    payments: PaymentsService
    notifications: NotificationsService
    sellers: SellersService
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True)
class Container:
    """Everything a process needs, built."""

    ground: Ground
    shop: Shop
    session: ShopperSession
    authenticator: Authenticator
    verifier: TokenVerifier
    keys: KeyRing
    guests: GuestSigner
    csrf: CsrfGuard
    sandbox: SandboxGateway | None
    broker: EmbeddedBroker
    relays: tuple[Relay, ...]
    jobs: Mapping[str, Job]
    model_name: str
    door: ChatDoor
    mail_folder: Path | None

    @property
    def settings(self) -> Settings:
        return self.ground.settings

    async def settle(self) -> None:
        """Deliver every event there is, with what follows from it (for commands and shutdown)."""
        for relay in self.relays:
            await relay.settle()


class Pushes:
    """In-app notifications go to the user's open chat sockets; one about an order brings the order along."""

    def __init__(self) -> None:
        self.door: ChatDoor | None = None
        self.orders: OrdersService | None = None

    async def __call__(self, user_id: str, notification: NotificationView) -> None:
        if self.door is None:
            return
        order_id = notification.data.get("orderId")
        if order_id and self.orders:
            order = await self.orders.get(Principal(user_id=user_id), order_id)
            await self.door.push_order(user_id, order.to_wire())
        await self.door.push(user_id, notification)


@asynccontextmanager
async def open_container(
    settings: Settings, *, engines: Engines | None = None, clock: Clock | None = None, ids: Ids | None = None
) -> AsyncIterator[Container]:
    """Open the home, start the engines it owns, build the shop and the agent.

    Raises HomeInUse, HomeBroken, EngineMissing, EngineFailed: each message says what to do.
    """
    async with AsyncExitStack() as stack:
        engines = engines or Engines(settings)
        stack.push_async_callback(engines.stop)
        ground = await _ground(settings, engines, clock or SystemClock(), ids or RandomIds(), stack)
        yield await _build(ground, stack)


async def _ground(settings: Settings, engines: Engines, clock: Clock, ids: Ids, stack: AsyncExitStack) -> Ground:
    mongo_url, redis_url = await engines.ready()
    mongo = open_mongo(mongo_url, prefix=settings.mongo_prefix)
    stack.callback(mongo.close)
    redis = open_redis(redis_url)
    stack.push_async_callback(redis.aclose)
    outboxes = {name: Outbox(mongo, name, ids, clock) for name in _SERVICES}
    crash = CrashPoints(settings.crash_at)
    ground = Ground(settings, engines.home, mongo, redis, clock, ids, crash, outboxes, engines)
    await _prepare_ground(ground)
    return ground


async def _prepare_ground(ground: Ground) -> None:
    await asyncio.gather(
        *(outbox.prepare() for outbox in ground.outboxes.values()),
        *(ground.inbox(name, "any").prepare() for name in _SERVICES),
        *(ground.idempotency(name).prepare() for name in ("catalog", "orders", "payments")),
    )


async def _build(ground: Ground, stack: AsyncExitStack) -> Container:
    settings = ground.settings
    embedder = await _embedder(settings, stack)
    index = await _product_index(ground, embedder, stack)
    token_life = timedelta(minutes=settings.access_token_minutes + 5)
    keys = KeyRing(ground.home.folder("keys"), ground.clock, retire_after=token_life)
    pushes = Pushes()
    shop = _shop(ground, keys, index, pushes, stack)
    sandbox = _sandbox(ground) if settings.sandbox else None
    await _prepare(ground, shop, sandbox)
    guests = GuestSigner(ground.home.secret("guests"), ground.ids)
    csrf = CsrfGuard(
        ground.home.secret("csrf"), allowed_origins=settings.allowed_origins, secure=not settings.demo
    )  # fmt: skip
    verifier = TokenVerifier(keys.public_keys, ground.clock)
    vocabulary = LiveVocabulary(shop.catalog.vocabulary)
    await vocabulary.refresh()
    models = _chat_models(settings, vocabulary, embedder)
    session = await _session(ground, shop, models, stack)
    door = _door(ground, shop, session, verifier, guests, models.name)
    pushes.door, pushes.orders = door, shop.orders
    broker = EmbeddedBroker(ground.mongo.database("events"), shop.subscriptions, RetryPolicy(), ground.clock)
    relays = tuple(Relay(outbox, broker, ground.clock) for outbox in ground.outboxes.values())
    named = zip(ground.outboxes, relays, strict=True)
    return Container(
        ground=ground, shop=shop, session=session, verifier=verifier, keys=keys, guests=guests, csrf=csrf,
        authenticator=Authenticator(verifier, shop.auth.is_live, guests, csrf), broker=broker, relays=relays,
        jobs=_jobs(shop, named, sandbox, vocabulary) | {"keys": every(60.0, keys.refresh)},
        model_name=models.name, door=door, sandbox=sandbox,
        mail_folder=None if settings.smtp_url else ground.home.folder("mail"),
    )  # fmt: skip


def _door(
    ground: Ground, shop: Shop, session: ShopperSession, verifier: TokenVerifier, guests: GuestSigner, model_name: str
) -> ChatDoor:
    settings = ground.settings
    return ChatDoor(
        session=session, ids=ground.ids, clock=ground.clock, redis=ground.redis, verifier=verifier,
        is_live=shop.auth.is_live, guests=guests, model_name=model_name, secure_cookies=not settings.demo,
        allowed_origins=(settings.base_url, *settings.allowed_origins),
    )  # fmt: skip


async def _embedder(settings: Settings, stack: AsyncExitStack) -> Embedder:
    if settings.embedding_model:
        named = await SentenceTransformerEmbedder.open(settings.embedding_model)
        stack.push_async_callback(named.close)
        return named
    bundled = OnnxEmbedder()
    stack.push_async_callback(bundled.close)
    return bundled


class _InProcess:
    """Bulk embedding by the same embedder, for models that have no process of their own."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def embed(self, texts: Sequence[str]) -> Matrix:
        return await self._embedder.embed_documents(texts)


async def _product_index(ground: Ground, embedder: Embedder, stack: AsyncExitStack) -> ProductIndex:
    """One folder per model, so that another model never meets foreign vectors."""
    folder = ground.home.folder("index") / named_id("idx", embedder.name)
    index = await EdgeIndex.open(folder, embedder.dim, PRODUCT_FIELDS)
    stack.push_async_callback(index.close)
    if isinstance(embedder, OnnxEmbedder):
        bulk = BulkEmbedder()
        stack.push_async_callback(bulk.close)
        return ProductIndex(index, embedder, bulk)
    return ProductIndex(index, embedder, _InProcess(embedder))


def _shop(ground: Ground, keys: KeyRing, index: ProductIndex, pushes: Pushes, stack: AsyncExitStack) -> Shop:
    postbox = _Postbox()
    auth = _auth(ground, keys, postbox)
    sellers = _Later()
    catalog = _catalog(ground, index, sellers)
    sellers.service = _sellers(ground, auth, catalog)
    cart = CartService(CartRepository(ground.mongo.database("cart"), ground.clock), ground.outboxes["cart"], catalog)
    orders = sellers.orders = OrdersService(
        OrderRepository(ground.mongo.database("orders")), ground.outboxes["orders"], ground.idempotency("orders"),
        ground.clock, cart=cart, catalog=catalog, auth=auth, sellers=sellers.service,
        quote_secret=ground.home.secret("quotes"), expiry_minutes=ground.settings.order_expiry_minutes,
        crash=ground.crash,
    )  # fmt: skip
    payments = _payments(ground, orders, sellers.service, stack)
    notifications = postbox.service = _notifications(ground, auth, pushes)
    subscriptions = (
        catalog_consumers.subscription(catalog),
        cart_consumers.subscription(cart, ground.inbox("cart", cart_consumers.QUEUE)),
        orders_consumers.subscription(orders),
        payments_consumers.subscription(payments),
        notification_consumers.subscription(notifications),
        sellers_consumers.subscription(sellers.service),
    )
    return Shop(auth, catalog, cart, orders, payments, notifications, sellers.service, subscriptions)


class _Later:
    """Sellers and orders stand on the catalogue, which asks them back when it is called, not before."""

    service: SellersService
    orders: OrdersService

    async def names(self, seller_ids: Iterable[str]) -> dict[str, str]:
        profiles = await self.service.profiles(list(seller_ids))
        return {seller_id: profile.name for seller_id, profile in profiles.items()}

    async def status(self, seller_id: str) -> str | None:
        profile = (await self.service.profiles([seller_id])).get(seller_id)
        return profile.status if profile else None

    async def was_ordered(self, product_id: str) -> bool:
        return await self.orders.was_ordered(product_id)

    async def has_received(self, user_id: str, product_id: str) -> bool:
        return await self.orders.has_received(user_id, product_id)


class _Postbox(AccountMailPort):
    """Notifications ask auth for contacts, and auth asks them for mail about accounts: later, when both are there."""

    service: NotificationsService

    async def send_account_mail(self, user_id: str, template: AccountMail, data: dict[str, str], *, key: str) -> None:
        await self.service.send_account_mail(user_id, template, data, key=key)


def _google(ground: Ground) -> GoogleSignIn | None:
    settings = ground.settings
    if not settings.google_client_id:
        return None
    return GoogleSignIn(
        settings.google_client_id, reveal(settings.google_client_secret), clock=ground.clock,
        redirect_uri=f"{settings.outside_url}/auth/google/callback", issuer=settings.google_issuer,
    )  # fmt: skip


def _auth(ground: Ground, keys: KeyRing, mail: AccountMailPort) -> AuthService:
    settings = ground.settings

    def limits(name: str, per_account: bool) -> SignInLimits:
        bucket = TokenBucket(ground.redis, per_second=0.5, burst=20, name=f"{name}:ip", fail_open=False)
        account = TokenBucket(ground.redis, per_second=0.1, burst=10, name=f"{name}:account", fail_open=False)
        return SignInLimits(bucket, account if per_account else None, exempt_loopback=settings.demo)

    return AuthService(
        AuthRepository(ground.mongo.database("auth")), ground.outboxes["auth"],
        tokens=AccessTokens(keys, ground.clock, lifetime_minutes=settings.access_token_minutes),
        passwords=PasswordHashing(),
        revoked=RevokedSessions(ground.redis, keep_seconds=settings.access_token_minutes * 60),
        mail=mail, ids=ground.ids, clock=ground.clock, random_bytes=secrets.token_bytes,
        login_limits=limits("login", per_account=True), register_limits=limits("register", per_account=False),
        reset_limits=limits("reset", per_account=True), lockout=LoginLockout(ground.redis), google=_google(ground),
        pages=settings.account_pages, session_days=settings.refresh_token_days,
        race_grace_ms=round(settings.refresh_grace_seconds * 1000),
    )  # fmt: skip


def _catalog(ground: Ground, index: ProductIndex, sellers: _Later) -> CatalogService:
    database = ground.mongo.database("catalog")
    return CatalogService(
        products=ProductRepository(database), stock=StockRepository(database),
        ledger=LedgerRepository(database), reviews=ReviewRepository(database), was_ordered=sellers.was_ordered,
        has_received=sellers.has_received, images=ImageFolder(ground.home.folder("media") / "products"),
        outbox=ground.outboxes["catalog"],
        idempotency=ground.idempotency("catalog"), index=index, cache=Cache(ground.redis, "product:"),
        seller_names=sellers.names, seller_status=sellers.status, clock=ground.clock, crash=ground.crash,
        low_stock_units=ground.settings.low_stock_below,
    )  # fmt: skip


def _sellers(ground: Ground, auth: AuthService, catalog: CatalogService) -> SellersService:
    settings = ground.settings
    return SellersService(
        ground.outboxes["sellers"], auth=auth, catalog=catalog, clock=ground.clock,
        auto_approve=settings.approves_sellers, low_stock_units=settings.low_stock_below,
    )  # fmt: skip


def _gateway_keys(ground: Ground) -> tuple[str, str, list[str], str | None]:
    """Key id, key secret, webhook secrets and base URL: the sandbox's own while no Razorpay keys are set."""
    settings = ground.settings
    if settings.sandbox:
        secret = ground.home.secret("sandbox").hex()
        url = f"{settings.base_url}/sandbox/razorpay"
        return "rzp_test_cohortsandbox", secret, [ground.home.secret("sandbox_webhook").hex()], url
    webhook_secrets = [reveal(settings.razorpay_webhook_secret), reveal(settings.razorpay_previous_webhook_secret)]
    return (
        settings.razorpay_key_id or "", reveal(settings.razorpay_key_secret) or "",
        [each for each in webhook_secrets if each], settings.razorpay_base_url,
    )  # fmt: skip


def _account_of(ground: Ground, sellers: SellersService) -> AccountOf | None:
    """Where a seller's money goes: the account of the profile; in the sandbox everybody has one."""
    if not ground.settings.pays_sellers:
        return None

    async def account_of(seller_id: str) -> str | None:
        profile = (await sellers.profiles([seller_id])).get(seller_id)
        if profile and profile.payout_account:
            return profile.payout_account
        return f"acc_{seller_id.removeprefix('sel_')[:14]}" if ground.settings.sandbox else None

    return account_of


def _payments(ground: Ground, orders: OrdersService, sellers: SellersService, stack: AsyncExitStack) -> PaymentsService:
    key_id, key_secret, webhook_secrets, base_url = _gateway_keys(ground)
    gateway = RazorpayGateway(key_id, key_secret, base_url)
    stack.callback(gateway.close)
    return PaymentsService(
        PaymentRepository(ground.mongo.database("payments")), ground.outboxes["payments"],
        ground.idempotency("payments"), orders=orders, gateway=gateway, clock=ground.clock,
        webhook_secrets=webhook_secrets, account_of=_account_of(ground, sellers), crash=ground.crash,
    )  # fmt: skip


def _sandbox(ground: Ground) -> SandboxGateway:
    key_id, key_secret, webhook_secrets, _ = _gateway_keys(ground)
    return SandboxGateway(
        MongoStore(ground.mongo.database("sandbox")), (key_id, key_secret), webhook_secrets[0],
        f"{ground.settings.base_url}/payments/razorpay/webhook", clock=ground.clock.now, ids=new_razorpay_id,
    )  # fmt: skip


def _notifications(ground: Ground, auth: AuthService, pushes: Pushes) -> NotificationsService:
    settings = ground.settings
    smtp = reveal(settings.smtp_url)
    mailer = (
        SmtpMailer(SmtpServer.parse(smtp), sender=settings.mail_from)
        if smtp
        else MailFolder(ground.home.folder("mail"), sender=settings.mail_from)
    )
    return NotificationsService(
        NotificationRepository(ground.mongo.database("notifications")),
        ground.inbox("notifications", notification_consumers.QUEUE), auth=auth, mailer=mailer, templates=Templates(),
        texts=SmsFolder(ground.home.folder("sms")), devices=PushFolder(ground.home.folder("push")),
        clock=ground.clock, push=pushes, crash=ground.crash,
    )  # fmt: skip


async def _prepare(ground: Ground, shop: Shop, sandbox: SandboxGateway | None) -> None:
    database = ground.mongo.database
    await asyncio.gather(
        AuthRepository(database("auth")).prepare(),
        ProductRepository(database("catalog")).prepare(),
        LedgerRepository(database("catalog")).prepare(),
        ReviewRepository(database("catalog")).prepare(),
        CartRepository(database("cart"), ground.clock).prepare(),
        OrderRepository(database("orders")).prepare(),
        PaymentRepository(database("payments")).prepare(),
        NotificationRepository(database("notifications")).prepare(),
        shop.sellers.prepare(),
    )
    if sandbox is not None:
        await sandbox.prepare()


class LiveVocabulary:
    """The catalogue's words, at hand without waiting; a job keeps them fresh."""

    def __init__(self, read: Callable[[], Awaitable[Vocabulary]]) -> None:
        self._read = read
        self._now = Vocabulary(categories=(), brands=(), colours=(), sizes=())

    def __call__(self) -> Vocabulary:
        return self._now

    async def refresh(self) -> None:
        fresh = await self._read()
        if fresh != self._now:
            self._now = fresh


def _chat_models(settings: Settings, vocabulary: LiveVocabulary, embedder: Embedder) -> ChatModels:
    """The offline planner, or any OpenAI-compatible server with an optional stand-in."""
    if not settings.llm_model:
        encode = embedder.embed_now if isinstance(embedder, OnnxEmbedder) else None
        return ChatModels("offline", OfflinePlanner(vocabulary=vocabulary, encode=encode))

    from agents.models.openai import openai_model  # 1.2 s of CPU that only a served model is worth

    def served(name: str) -> Any:
        return openai_model(
            name,
            base_url=settings.llm_base_url,
            api_key=reveal(settings.llm_api_key),
            timeout=settings.llm_timeout_seconds,
        )

    fallback = served(settings.llm_fallback_model) if settings.llm_fallback_model else None
    return ChatModels(settings.llm_model, served(settings.llm_model), fallback, timeout=settings.llm_timeout_seconds)


async def _session(ground: Ground, shop: Shop, models: ChatModels, stack: AsyncExitStack) -> ShopperSession:
    database = ground.mongo.database("chat")
    preferences = StatedPreferences(database)
    consents = Consents(database, ground.ids, ground.clock, minutes=ground.settings.approval_minutes)
    conversations = Conversations(database, ground.ids, ground.clock)
    vault = Vault(database, base64.urlsafe_b64encode(ground.home.secret("vault", 32)), ground.clock)
    await asyncio.gather(consents.prepare(), conversations.prepare(), vault.prepare())
    client = ground.mongo.blocking_client()
    stack.callback(client.close)
    saver = await asyncio.to_thread(open_saver, client, f"{ground.mongo.prefix}_chat")
    toolbox = registry.build(
        catalog=shop.catalog, baskets=shop.cart, order_desk=shop.orders, payments=shop.payments, auth=shop.auth,
        sellers=shop.sellers, preferences=preferences,
    )  # fmt: skip
    prompt = load("shopper").text
    graph = shopper_graph.build(
        models=models, registry=toolbox, consents=consents, prompt=lambda: prompt, checkpointer=saver
    )
    return ShopperSession(
        graph=graph, checkpoints=Checkpoints(saver, database), conversations=conversations, consents=consents,
        vault=vault, preferences=preferences, clock=ground.clock,
    )  # fmt: skip


def _jobs(
    shop: Shop, relays: Iterable[tuple[str, Relay]], sandbox: SandboxGateway | None, vocabulary: LiveVocabulary
) -> dict[str, Job]:
    """Every clock and loop of an installation that must run once."""
    jobs: dict[str, Job] = {f"relay:{name}": relay.run for name, relay in relays}
    jobs |= {
        "inventory": shop.catalog.inventory_loop,
        "vectors": shop.catalog.embedding_loop,
        "vocabulary": every(_VOCABULARY_SECONDS, vocabulary.refresh),
        "suggestions": every(_SUGGESTIONS_SECONDS, shop.catalog.refresh_suggestions),
        "expiry": every(5.0, shop.orders.expire_due),
        "payments": shop.payments.run,
        "mail": every(2.0, shop.notifications.deliver_pending),
        "account-mail": every(1.0, shop.auth.send_requested_mail),
        "revocations": every(10.0, shop.auth.mirror_revocations),
    }
    if sandbox is not None:
        jobs["sandbox"] = lambda: sandbox.run_deliveries(asyncio.Event())
    return jobs
