"""The settings of the API: ``API_*`` in the environment; ``settings.example.env`` shows all."""

from typing import Self

from pydantic import Field, HttpUrl, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.access.loopback import is_loopback
from api.access.person import Role
from api.access.tokens import Algorithm, Provider
from schemas.errors import ConfigError


class ApiSettings(BaseSettings):
    """How the API listens and what one request may take. The database is ``ERTIS_DSN``."""

    model_config = SettingsConfigDict(
        env_prefix="API_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    host: str = Field(default="127.0.0.1", description="loopback unless set")
    port: int = Field(default=8000, ge=0, lt=65536, description="0: any free port")
    threads: int = Field(
        default=8, ge=2, le=64, description="requests at the database at one time; the rest queue"
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, le=3600, description="the longest that one query may take [s]"
    )
    rows_max: int = Field(
        default=10_000_000, ge=1_000, description="the largest row budget that a request may set"
    )
    tick_s: float = Field(
        default=0.25, ge=0.05, le=60, description="the live stream is computed this often [s]"
    )
    kpi_tick_s: float = Field(
        default=2.0, ge=0.05, le=60, description="its KPIs are computed this often [s]"
    )
    live_tags_max: int = Field(default=3_000, ge=1, description="tags of one live stream")
    alarms: bool = Field(
        default=True, description="evaluate the alarms; of several processes one does"
    )
    catalogue_s: float = Field(
        default=5.0, ge=0, description="a changed plant model is seen within this time [s]"
    )
    keyless_role: Role | None = Field(
        default=None, description="of callers on this machine without a key; nobody if left out"
    )
    keyless_anywhere: bool = Field(
        default=False, description="callers without a key from other machines too"
    )
    rate_per_s: float = Field(default=50.0, gt=0, description="requests of one caller [1/s]")
    rate_burst: int = Field(default=500, ge=1, description="requests of one caller at once")
    cors_origins: list[str] = Field(
        default=[], description="web pages elsewhere that may ask, as https://scada.example"
    )
    oidc_issuer: str | None = Field(default=None, description="whose bearer tokens are taken")
    oidc_audience: str | None = Field(default=None, description="as which the tokens name us")
    oidc_jwks_url: HttpUrl | None = Field(default=None, description="where the issuer's keys are")
    oidc_algorithms: list[Algorithm] = Field(default=["RS256", "ES256"], min_length=1)
    oidc_role_claim: str = Field(
        default="roles", description="claim with the role or roles; dots lead inwards"
    )
    oidc_roles: dict[str, Role] = Field(
        default={}, description="the issuer's words for our roles; our own if left out"
    )
    oidc_areas_claim: str | None = Field(
        default=None, description="claim with the areas; the whole plant if left out"
    )

    @model_validator(mode="after")
    def _check_provider(self) -> Self:
        given = (self.oidc_issuer, self.oidc_audience, self.oidc_jwks_url)
        if any(given) and not all(given):
            raise ValueError("API_OIDC_ISSUER, _AUDIENCE and _JWKS_URL belong together")
        return self

    def check_exposure(self) -> None:
        """`ConfigError` if callers without a key would come from elsewhere unasked."""
        if self.keyless_role and not self.keyless_anywhere and not is_loopback(self.host):
            raise ConfigError(
                "API_KEYLESS_ROLE",
                self.keyless_role.value,
                f"on {self.host} that answers anybody: listen on 127.0.0.1, or leave it out and "
                "create keys, or set API_KEYLESS_ANYWHERE=true",
            )

    @property
    def provider(self) -> Provider | None:
        """The OpenID provider whose tokens are taken; None if there is none."""
        if self.oidc_issuer is None or self.oidc_audience is None or self.oidc_jwks_url is None:
            return None
        return Provider(
            issuer=self.oidc_issuer,
            audience=self.oidc_audience,
            jwks_url=str(self.oidc_jwks_url),
            algorithms=tuple(self.oidc_algorithms),
            role_claim=self.oidc_role_claim,
            roles=self.oidc_roles or None,
            areas_claim=self.oidc_areas_claim,
        )
