"""The pages that mailed links lead to while the storefront has none of its own (COHORT_ACCOUNT_PAGES_URL)."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

_FOLDER = Path(__file__).parent / "pages"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def account_pages() -> APIRouter:
    router = APIRouter(prefix="/account", include_in_schema=False)

    @router.get("/reset-password")
    async def reset_password() -> Response:
        return FileResponse(_FOLDER / "reset-password.html", headers=_HEADERS)

    @router.get("/verify-email")
    async def verify_email() -> Response:
        return FileResponse(_FOLDER / "verify-email.html", headers=_HEADERS)

    @router.get("/link.js")
    async def script() -> Response:
        return FileResponse(_FOLDER / "link.js", headers=_HEADERS)

    return router
