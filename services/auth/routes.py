"""The routes of auth.

The refresh token travels in the cookie `cohort_refresh` alone: httpOnly, SameSite=Strict, for the path of these
routes only. Where that cookie is what authenticates (refresh and logout), a browser must come from this very origin
or one of the allow-list: any other `Origin`, or a `Sec-Fetch-Site` that says cross-site, is refused. Programs send
neither and pass.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.contracts.auth import (
    Address,
    AddressIn,
    AddressPatch,
    AuthPort,
    BadCredentials,
    Device,
    EmailTaken,
    Login,
    OriginRefused,
    ProfilePatch,
    RefreshRefused,
    Register,
    SignedIn,
    TooManyAddresses,
    UserView,
)
from services.kit.errors import Conflict, NotFound, RateLimited, Unauthenticated
from services.kit.principal import Principal
from services.kit.web import User, answer, optional_caller, problems
from services.kit.wire import Page, Wire

COOKIE = "cohort_refresh"
SignedInHook = Callable[[Request, Response, SignedIn], Awaitable[None]]
"""Called after login and registration, before the answer leaves (e.g. to merge a guest's cart)."""


class JsonWebKey(Wire):
    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(Wire):
    keys: list[JsonWebKey]


async def nothing_more(_request: Request, _response: Response, _signed_in: SignedIn) -> None:
    """The hook of a process that adds nothing to a login."""


def device_of(request: Request) -> Device:
    ip = request.client.host if request.client else ""
    return Device(ip=ip, user_agent=request.headers.get("user-agent", "")[:400])


async def leaving(request: Request) -> Principal | None:
    """Whoever logs out: credentials that ended already are nobody's, not an error."""
    try:
        return await optional_caller(request)
    except Unauthenticated:
        return None


FromDevice = Annotated[Device, Depends(device_of)]
Leaving = Annotated[Principal | None, Depends(leaving)]


class RefreshCookie:
    """Sets, reads and clears the cookie, and says from which pages it may be sent."""

    def __init__(self, *, secure: bool, allowed_origins: Collection[str], days: int) -> None:
        self._secure = secure
        self._allowed_origins = frozenset(allowed_origins)
        self._seconds = days * 24 * 3600

    def read(self, request: Request) -> str | None:
        """Raises OriginRefused when there is a cookie and the page that sent it is not ours."""
        token = request.cookies.get(COOKIE)
        if token is not None:
            self._check_origin(request)
        return token

    def put(self, request: Request, response: Response, token: str) -> None:
        response.set_cookie(
            COOKIE, token, max_age=self._seconds, path=_path(request), secure=self._secure, httponly=True,
            samesite="strict",
        )  # fmt: skip

    def clear(self, request: Request, response: Response) -> None:
        response.delete_cookie(COOKIE, path=_path(request), secure=self._secure, httponly=True, samesite="strict")

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("origin")
        ours = {*self._allowed_origins, f"{request.url.scheme}://{request.headers.get('host')}"}
        foreign = origin is not None and origin not in ours
        unnamed = origin is None and request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if foreign or unnamed:
            raise OriginRefused("this page may not use the session's cookie; its origin is not allowed")


def _path(request: Request) -> str:
    """The folder of these routes, under whatever prefix they were called."""
    return request.url.path.partition("/auth/")[0] + "/auth"


def routes(
    auth: AuthPort,
    jwks: Callable[[], dict[str, Any]],
    *,
    secure_cookie: bool,
    allowed_origins: Collection[str],
    session_days: int = 30,
    on_signed_in: SignedInHook = nothing_more,
) -> APIRouter:
    """`jwks` gives the public signing keys; `allowed_origins` are scheme://host[:port] of our pages elsewhere."""
    cookie = RefreshCookie(secure=secure_cookie, allowed_origins=allowed_origins, days=session_days)
    router = APIRouter(prefix="/auth", tags=["auth"])
    _add_sessions(router, auth, cookie, on_signed_in)
    _add_account(router, auth)
    _add_addresses(router, auth)
    _add_keys(router, jwks)
    return router


def _add_sessions(router: APIRouter, auth: AuthPort, cookie: RefreshCookie, on_signed_in: SignedInHook) -> None:
    def signed_in(request: Request, done: SignedIn, status: int = 200) -> Response:
        response = answer(done, status, {"Cache-Control": "no-store"})
        cookie.put(request, response, done.refresh_token)
        return response

    @router.post("/register", status_code=201, response_model=SignedIn, responses=problems(EmailTaken, RateLimited))
    async def register(request: Request, command: Register, device: FromDevice) -> Response:
        """Create an account and log it in."""
        done = await auth.register(command, device)
        response = signed_in(request, done, 201)
        await on_signed_in(request, response, done)
        return response

    @router.post("/login", response_model=SignedIn, responses=problems(BadCredentials, RateLimited))
    async def login(request: Request, command: Login, device: FromDevice) -> Response:
        """Get an access token in the body and a refresh token in a cookie."""
        done = await auth.login(command, device)
        response = signed_in(request, done)
        await on_signed_in(request, response, done)
        return response

    @router.post("/refresh", response_model=SignedIn, responses=problems(RefreshRefused, OriginRefused))
    async def refresh(request: Request, device: FromDevice) -> Response:
        """Trade the refresh cookie for a new access token and a new cookie; each cookie works once."""
        token = cookie.read(request)
        if token is None:
            raise RefreshRefused("there is no session cookie; log in")
        return signed_in(request, await auth.refresh(token, device))

    @router.post("/logout", status_code=204, response_class=Response, responses=problems(OriginRefused))
    async def logout(request: Request, who: Leaving) -> Response:
        """End the session of the cookie and of the access token; repeatable."""
        await auth.logout(cookie.read(request), who)
        response = Response(status_code=204)
        cookie.clear(request, response)
        return response


def _add_account(router: APIRouter, auth: AuthPort) -> None:
    @router.get("/me", response_model=UserView, responses=problems(Unauthenticated, NotFound))
    async def me(who: User) -> Response:
        """The caller's account."""
        return answer(await auth.me(who))

    @router.patch("/users/me", response_model=UserView, responses=problems(Unauthenticated, NotFound))
    async def update_me(who: User, patch: ProfilePatch) -> Response:
        """Change the caller's profile."""
        return answer(await auth.update_me(who, patch))


def _add_addresses(router: APIRouter, auth: AuthPort) -> None:
    path = "/users/me/addresses"

    @router.get(path, response_model=Page[Address], responses=problems(Unauthenticated, NotFound))
    async def list_addresses(who: User) -> Response:
        """The caller's addresses, the default first."""
        return answer(Page[Address](items=await auth.addresses(who)))

    @router.post(
        path,
        status_code=201,
        response_model=Address,
        responses=problems(Unauthenticated, NotFound, TooManyAddresses, Conflict),
    )
    async def add_address(who: User, address: AddressIn) -> Response:
        """Add an address; the first one is the default."""
        return answer(await auth.add_address(who, address), 201)

    @router.patch(
        path + "/{addressId}", response_model=Address, responses=problems(Unauthenticated, NotFound, Conflict)
    )
    async def update_address(who: User, addressId: str, patch: AddressPatch) -> Response:  # noqa: N803 - the wire's name
        """Change an address of the caller."""
        return answer(await auth.update_address(who, addressId, patch))

    @router.delete(
        path + "/{addressId}",
        status_code=204,
        response_class=Response,
        responses=problems(Unauthenticated, NotFound, Conflict),
    )
    async def delete_address(who: User, addressId: str) -> Response:  # noqa: N803 - the wire's name
        """Delete an address; the oldest remaining one becomes the default."""
        await auth.delete_address(who, addressId)
        return Response(status_code=204)


def _add_keys(router: APIRouter, jwks: Callable[[], dict[str, Any]]) -> None:
    @router.get("/.well-known/jwks.json", response_model=JsonWebKeySet)
    async def jwks_json() -> Response:
        """The public keys that access tokens are signed with."""
        headers = {"Cache-Control": "public, max-age=300"}
        return Response(orjson.dumps(jwks()), 200, headers, "application/json")
