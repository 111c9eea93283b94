"""Settings: read once from the environment, checked, frozen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from healthcert.errors import BadSettings

Environment = Literal["development", "training", "production"]

_PREFIX = "HEALTHCERT_"
_ROOT = Path(__file__).resolve().parent.parent
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


@dataclass(frozen=True, slots=True)
class Oidc:
    """An identity provider: its issuer address, our name there, the file of our secret."""

    issuer: str
    client_id: str
    secret_file: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides."""

    env: Environment  # ``development`` runs on generated keys and answers loopback only
    host: str  # address to listen on
    port: int  # TCP port to listen on
    data_dir: Path  # folder of the embedded database, of the bundle and of the rules taken in
    database_url: str  # SQLAlchemy address; ``postgres://`` and ``postgresql://`` mean psycopg 3
    keys_dir: Path  # folder of keys and of the public anchors in ``trust/``
    bundle: Path  # file of the offline bundle
    country: str  # two letters (ISO 3166-1) of the issuing country; ``XX`` is the demo country
    languages: tuple[str, ...]  # enabled languages, the first one is the default
    base_url: str  # address that people type, without a slash at the end
    secret_file: Path  # file with the secret from which session, form and code secrets are derived
    mail_url: str = ""  # ``smtp://host:port`` of the relay; empty: messages stay here
    sms_url: str = ""  # ``smpp://host:port`` of the gateway; empty: messages stay here
    crowd: int = 2  # requests of the public at once in a web process, 6 at most: ADR 29
    core: int | None = None  # the processor core that one web process keeps to; None: any
    trusted_proxies: int = 0  # reverse proxies whose forwarding headers are believed
    metrics_token: str = ""  # opens ``/metrics`` to other machines; empty: closed to them
    log_level: str = "INFO"  # least level that is logged
    staff_oidc: Oidc | None = None  # the identity provider of staff, where there is one
    citizen_oidc: Oidc | None = None  # the identity provider of citizens, where there is one

    @property
    def development(self) -> bool:
        """Say whether this is a developer's or demonstration's machine."""
        return self.env == "development"

    @property
    def pins_dir(self) -> Path:
        """Return the folder of the two pinned bundle keys."""
        return self.keys_dir / "trust" / "bundle"

    @property
    def rules_dir(self) -> Path:
        """Return the folder of the entry rules that were taken in."""
        return self.data_dir / "rules"

    @property
    def draws_dir(self) -> Path:
        """Return the folder of the public files of draws."""
        return self.data_dir / "draws"

    @property
    def seals_dir(self) -> Path:
        """Return the folder in which the seals of the audit are kept outside the database."""
        return self.data_dir / "audit"

    @property
    def room_dir(self) -> Path:
        """Return the folder of the waiting room and of where places are left."""
        return self.data_dir / "room"

    @classmethod
    def from_env(cls, env: Mapping[str, str], root: Path = _ROOT) -> Self:
        """Return the settings that ``HEALTHCERT_*`` variables ask for, paths from `root` on.

        Raises:
            BadSettings: A value cannot be read, or is unsafe for its environment.
        """
        read = _Reader(env, root)
        data_dir = read.path("DATA_DIR", "var")
        keys_dir = read.path("KEYS_DIR", "keys")
        port = read.number("PORT", 8000)
        environment = read.choice("ENV", ("development", "training", "production"))
        settings = cls(
            env=environment,
            host=read.text("HOST", "127.0.0.1"),
            port=port,
            data_dir=data_dir,
            database_url=_address(
                read.text("DATABASE_URL", f"sqlite:///{data_dir / 'healthcert.db'}")
            ),
            keys_dir=keys_dir,
            bundle=read.path("BUNDLE", str(data_dir / "bundle.hcb")),
            country=read.matching("COUNTRY", "XX", r"[A-Z]{2}"),
            languages=tuple(
                read.matching("LANGUAGES", "en,fr,ar", r"[a-z]{2}(,[a-z]{2})*").split(",")
            ),
            base_url=read.text("BASE_URL", f"http://localhost:{port}").rstrip("/"),
            secret_file=read.path("SECRET_FILE", str(keys_dir / environment / "secret")),
            mail_url=read.text("MAIL_URL", ""),
            sms_url=read.text("SMS_URL", ""),
            crowd=int(read.matching("CROWD", "2", r"[1-6]")),
            core=int(core) if (core := read.matching("CORE", "", r"\d{0,4}")) else None,
            trusted_proxies=read.number("TRUSTED_PROXIES", 0),
            metrics_token=read.matching("METRICS_TOKEN", "", r"[!-~]{32,}|"),
            log_level=read.matching("LOG_LEVEL", "INFO", r"DEBUG|INFO|WARNING|ERROR"),
            staff_oidc=read.oidc("STAFF"),
            citizen_oidc=read.oidc("CITIZEN"),
        )
        settings._refuse_unsafe()
        return settings

    def at(self, **changes: object) -> Self:
        """Return a copy with some values changed; for tests and commands."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def _refuse_unsafe(self) -> None:
        if self.development and not _is_loopback(self.host):
            raise BadSettings(
                f"HEALTHCERT_HOST is {self.host}, but development listens on this machine only: "
                "use 127.0.0.1, or set HEALTHCERT_ENV=production."
            )
        if self.env == "production" and urlsplit(self.base_url).scheme != "https":
            raise BadSettings(
                f"HEALTHCERT_BASE_URL is {self.base_url}: production needs an https address."
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return _DRIVERS.get(scheme, scheme) + separator + rest


@dataclass(frozen=True, slots=True)
class _Reader:
    env: Mapping[str, str]
    root: Path

    def text(self, name: str, default: str) -> str:
        return self.env.get(_PREFIX + name, "").strip() or default

    def path(self, name: str, default: str) -> Path:
        return self.root / Path(self.text(name, default)).expanduser()

    def number(self, name: str, default: int) -> int:
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise BadSettings(f"{_PREFIX}{name} is {text!r}: it must be a whole number.")
        return int(text)

    def matching(self, name: str, default: str, pattern: str) -> str:
        text = self.text(name, default)
        if not re.fullmatch(pattern, text):
            raise BadSettings(f"{_PREFIX}{name} is {text!r}: it must look like {default!r}.")
        return text

    def oidc(self, whose: str) -> Oidc | None:
        names = [f"{whose}_OIDC_{part}" for part in ("ISSUER", "CLIENT_ID", "SECRET_FILE")]
        issuer, client_id, secret_file = (self.text(name, "") for name in names)
        if not issuer:
            return None
        place = urlsplit(issuer)
        safe = place.scheme == "https" or (
            place.scheme == "http" and _is_loopback(place.hostname or "")
        )
        if not (safe and client_id and secret_file):
            raise BadSettings(f"{_PREFIX}{names[0]} needs https, and {names[1]} and {names[2]}.")
        return Oidc(issuer, client_id, self.path(names[2], ""))

    def choice(self, name: str, values: tuple[Environment, ...]) -> Environment:
        text = self.text(name, values[0])
        for value in values:
            if text == value:
                return value
        raise BadSettings(f"{_PREFIX}{name} is {text!r}: it must be one of {', '.join(values)}.")
