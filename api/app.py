"""The HTTP process: every service's routes, the chat doors, health, and the background work of the one-process form."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response

from api import errors, rbac
from api.account_pages import account_pages
from api.admin import dead_letter_routes
from api.chat import ChatDoor
from api.chat import routes as chat_routes
from api.container import Container
from api.limits import RateLimits, class_of
from api.middleware import BodyLimit, RequestContext
from api.worker import Worker
from services.auth import routes as auth_routes
from services.cart import routes as cart_routes
from services.catalog import routes as catalog_routes
from services.contracts.auth import SignedIn
from services.kit.errors import CohortError
from services.kit.principal import Principal
from services.kit.web import Problem
from services.notifications import routes as notification_routes
from services.orders import routes as order_routes
from services.payments import routes as payment_routes
from services.payments.adapters.sandbox import create_router
from services.sellers import routes as seller_routes

MEDIA = Path(__file__).parent / "demo" / "media"
IMPORT_BYTES = 200 * 1_048_576
IMAGE_BYTES = 6 * 1_048_576


def create_app(container: Container, *, background: bool = True) -> FastAPI:
    """The application over an opened container. `background` runs relays, consumers and clocks in this process."""
    door = container.door
    app = FastAPI(
        title="Cohort",
        version="0.1.0",
        summary="An AI-first marketplace: search by meaning, fill the cart, order and pay, always with consent.",
        lifespan=_lifespan(container, door, background=background),
        default_response_class=JSONResponse,
    )
    app.state.authenticate = container.authenticator
    errors.install(app)
    _add_middleware(app, container)
    for router in _routers(container, door):
        app.include_router(router)
        app.include_router(router, prefix="/v1", include_in_schema=False)
    if container.sandbox is not None:
        app.include_router(create_router(container.sandbox), prefix="/sandbox/razorpay", include_in_schema=False)
    app.include_router(_operation(container))
    app.include_router(account_pages())
    app.mount("/media/demo", StaticFiles(directory=MEDIA), name="media")
    uploads = container.ground.home.folder("media")
    app.mount("/media/products", StaticFiles(directory=uploads / "products", check_dir=False), name="uploads")
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _routers(container: Container, door: ChatDoor) -> list[APIRouter]:
    shop, settings = container.shop, container.settings
    signed_in = _guest_merge(container)
    return [
        auth_routes.routes(
            shop.auth, container.keys.jwks, container.csrf, secure_cookie=not settings.demo,
            session_days=settings.refresh_token_days, on_signed_in=signed_in, guest_of=_guest_of(container),
            google_return_url=settings.google_return_url,
        ),
        auth_routes.operator_routes(shop.auth),
        catalog_routes.routes(shop.catalog),
        cart_routes.routes(shop.cart),
        order_routes.routes(shop.orders),
        payment_routes.routes(shop.payments),
        notification_routes.routes(shop.notifications),
        seller_routes.routes(shop.sellers),
        seller_routes.operator_routes(shop.sellers),
        dead_letter_routes(container.broker),
        chat_routes(door),
    ]  # fmt: skip


def _guest_of(container: Container) -> Callable[[Request], str | None]:
    def guest_id(request: Request) -> str | None:
        guest = container.authenticator.guest_of(request)
        return guest.user_id if guest else None

    return guest_id


def _guest_merge(container: Container) -> Callable[[Request, Response, SignedIn], Awaitable[None]]:
    """At login the guest's cart and conversations become the user's; a failure never stops the login."""

    async def merge(request: Request, response: Response, signed_in: SignedIn) -> None:
        guest = container.authenticator.guest_of(request)
        if guest is None:
            return
        who = Principal(user_id=signed_in.user.user_id, roles=frozenset(signed_in.user.roles))
        try:
            await container.shop.cart.merge_guest(who, guest)
            await container.session.conversations.adopt(guest, who)
        except CohortError as error:
            errors.log.warning("guest_merge_failed", code=error.code)
        del response

    return merge


def _add_middleware(app: FastAPI, container: Container) -> None:
    """The last one added is the outermost."""
    app.add_middleware(BodyLimit, larger={"/products/import": IMPORT_BYTES, "/products/*/images": IMAGE_BYTES})
    app.add_middleware(GZipMiddleware, minimum_size=1_024)
    app.add_middleware(
        RateLimits, redis=container.ground.redis, clock=container.ground.clock, verifier=container.verifier,
        exempt_loopback=container.settings.demo, name=container.settings.mongo_prefix + ":",
    )  # fmt: skip
    if container.settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(container.settings.allowed_origins), allow_credentials=True,
            allow_methods=["GET", "POST", "PATCH", "DELETE"], expose_headers=[
                "x-request-id", "Idempotent-Replayed", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining",
                "RateLimit-Reset", "ETag",
            ],
            allow_headers=[
                "authorization", "content-type", "idempotency-key", "if-none-match", "traceparent", "x-csrf-token",
                "x-request-id",
            ],
        )  # fmt: skip
    app.add_middleware(RequestContext)


def _lifespan(container: Container, door: ChatDoor, *, background: bool) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker = Worker(container.jobs if background else {})
        await container.broker.start()
        await worker.start()
        try:
            yield
        finally:
            await door.drain(8.0)
            await worker.stop()
            await container.broker.close()

    return lifespan


def _operation(container: Container) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health")
    async def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/ready", responses={503: {"description": "a dependency is away"}})
    async def ready() -> JSONResponse:
        """Whether the parts this process needs are there, each by name."""
        parts = await _parts(container)
        ok = all(state == "ok" for state in parts.values())
        return JSONResponse({"status": "ok" if ok else "degraded", "parts": parts}, 200 if ok else 503)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/docs")

    return router


async def _parts(container: Container) -> dict[str, str]:
    parts = {}
    try:
        await container.ground.mongo.ping()
        parts["documents"] = "ok"
    except CohortError as error:
        parts["documents"] = error.code
    try:
        await container.ground.redis.ping()
        parts["cache"] = "ok"
    except Exception as error:  # noqa: BLE001 - whatever the client raises, the part is away
        parts["cache"] = type(error).__name__
    return parts


def _document_everywhere(schema: dict[str, Any]) -> None:
    """What every route may answer besides its own errors; a guest's cookie, where one counts, must be meant."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            answers = {"429": "rate_limited", "503": "unavailable"} if class_of(method.upper(), path) else {}
            if method not in {"get", "head"} and path.startswith(("/cart", "/chat")):
                answers |= {"403": "csrf_refused, origin_refused", "415": "unsupported_media_type"}
            for status, codes in answers.items():
                operation["responses"].setdefault(status, {"description": codes, "content": content})


def _openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI with the problem schema every route's errors refer to; made once."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        problem = Problem.model_json_schema(by_alias=True)
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problem
        _document_everywhere(schema)
        rbac.document(schema)
        app.openapi_schema = schema
    return app.openapi_schema
