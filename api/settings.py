"""The only reader of the environment. An unset URL means the embedded engine."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_DEFAULT_SECRETS = {"", "change-me", "cohort", "secret"}


class Settings(BaseSettings):
    """Every setting of Cohort; the environment variable is COHORT_ and the upper-cased name."""

    model_config = SettingsConfigDict(env_prefix="COHORT_", env_ignore_empty=True, extra="ignore", frozen=True)

    mode: Literal["demo", "production"] = "demo"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    home: Path = Path(".cohort")
    log_level: str = "INFO"
    crash_at: str | None = None

    mongo_url: SecretStr | None = None
    mongo_prefix: str = "cohort"
    redis_url: SecretStr | None = None
    smtp_url: SecretStr | None = None
    mail_from: str = "Cohort <no-reply@cohort.example>"

    embedding_model: str | None = None
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_model: str | None = None
    llm_fallback_model: str | None = None
    llm_timeout_seconds: float = 30.0

    razorpay_key_id: str | None = None
    razorpay_key_secret: SecretStr | None = None
    razorpay_webhook_secret: SecretStr | None = None
    razorpay_previous_webhook_secret: SecretStr | None = None
    razorpay_base_url: str | None = None
    razorpay_route: bool | None = None

    allowed_origins: tuple[str, ...] = ()
    auto_approve_sellers: bool | None = None
    public_url: str | None = None
    account_pages_url: str | None = None
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    google_issuer: str = "https://accounts.google.com"
    google_return_url: str | None = None
    refresh_grace_seconds: float = Field(default=10.0, ge=0, le=60)
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    order_expiry_minutes: float = 30.0
    approval_minutes: float = 15.0
    low_stock_below: int = 5

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        """Production refuses the sandbox, embedded money and default secrets."""
        if self.mode != "production":
            return self
        missing = [name for name in ("mongo_url", "redis_url", "smtp_url") if getattr(self, name) is None]
        missing += [
            name
            for name in ("razorpay_key_id", "razorpay_key_secret", "razorpay_webhook_secret")
            if _reveal(getattr(self, name)) in _DEFAULT_SECRETS
        ]
        if missing:
            names = ", ".join(f"COHORT_{name.upper()}" for name in missing)
            raise ValueError(f"production mode needs {names} (set to real values, not defaults)")
        return self

    @property
    def demo(self) -> bool:
        return self.mode == "demo"

    @property
    def sandbox(self) -> bool:
        """The sandbox gateway stands in while no Razorpay keys are set."""
        return self.demo and not self.razorpay_key_id

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def outside_url(self) -> str:
        """Where browsers reach this server: what Google sends back to and mailed links begin with."""
        return (self.public_url or self.base_url).rstrip("/")

    @property
    def account_pages(self) -> str:
        """Where the pages of mailed links are."""
        return self.account_pages_url or f"{self.outside_url}/account"

    @property
    def pays_sellers(self) -> bool:
        """Sellers are paid by Razorpay Route: unless said otherwise in the sandbox only."""
        return self.sandbox if self.razorpay_route is None else self.razorpay_route

    @property
    def approves_sellers(self) -> bool:
        return self.demo if self.auto_approve_sellers is None else self.auto_approve_sellers


def _reveal(value: SecretStr | str | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else (value or "")


def reveal(value: SecretStr | None) -> str | None:
    """The secret itself, for the composition root."""
    return None if value is None else value.get_secret_value()
