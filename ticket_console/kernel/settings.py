"""What the surroundings decide, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A setting that cannot be used; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str
    redis_url: str
    public_url: str
    port: int
    secret_key: str
    attachments_dir: Path
    demo: bool
    simulator: bool
    worker: bool
    session_hours: int
    max_body_bytes: int
    max_attachment_bytes: int
    intake_per_minute: int
    log_level: str

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the console over HTTPS, so that cookies may be marked Secure."""
        return self.public_url.startswith("https://")

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The exact origins that may open a websocket with somebody's cookie."""
        local = (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}")
        return tuple(dict.fromkeys((self.public_url, *local)))


_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises BadSetting naming the variable and what would be right."""
    port = _whole(environ, "PORT", 8000, low=1, high=65535)
    data_dir = Path(environ.get("DATA_DIR", "data")).absolute()
    return Settings(
        database_url=_database_url(environ.get("DATABASE_URL", f"sqlite:///{data_dir / 'console.db'}")),
        redis_url=_url(environ, "REDIS_URL", "", schemes=("redis", "rediss")),
        public_url=_url(environ, "PUBLIC_URL", f"http://localhost:{port}", schemes=("http", "https")),
        port=port,
        secret_key=_secret(environ, data_dir),
        attachments_dir=Path(environ.get("ATTACHMENTS_DIR", str(data_dir / "attachments"))).absolute(),
        demo=_flag(environ, "DEMO", default=True),
        simulator=_flag(environ, "SIMULATOR", default=False),
        worker=_flag(environ, "WORKER", default=True),
        session_hours=_whole(environ, "SESSION_HOURS", 12, low=1, high=24 * 90),
        max_body_bytes=_whole(environ, "MAX_BODY_BYTES", 262_144, low=1_024, high=64 << 20),
        max_attachment_bytes=_whole(environ, "MAX_ATTACHMENT_BYTES", 10 << 20, low=1_024, high=256 << 20),
        intake_per_minute=_whole(environ, "INTAKE_PER_MINUTE", 60_000, low=1, high=10_000_000),
        log_level=_choice(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    return load_settings(os.environ)


def _database_url(raw: str) -> str:
    scheme, separator, rest = raw.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise BadSetting(
            f"DATABASE_URL is {raw!r}: it must start with sqlite:/// or postgresql://, "
            "for example sqlite:////var/lib/console/console.db"
        )
    return f"{_SCHEMES[scheme]}://{rest}"


def _url(environ: Mapping[str, str], name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    raw = environ.get(name, default).rstrip("/")
    if raw and (urlsplit(raw).scheme not in schemes or not urlsplit(raw).hostname):
        raise BadSetting(f"{name} is {raw!r}: it must be an address such as {schemes[0]}://host")
    return raw


def _whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    raw = environ.get(name, "") or str(default)
    if not raw.isdecimal() or not low <= int(raw) <= high:
        raise BadSetting(f"{name} is {raw!r}: it must be a whole number from {low} to {high}")
    return int(raw)


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    raw = environ.get(name)
    if raw is None:
        return default
    if raw.lower() not in _TRUE | _FALSE:
        raise BadSetting(f"{name} is {raw!r}: it must be 1 or 0")
    return raw.lower() in _TRUE


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    raw = environ.get(name, default).lower()
    if raw not in allowed:
        raise BadSetting(f"{name} is {raw!r}: it must be one of {', '.join(allowed)}")
    return raw


def _secret(environ: Mapping[str, str], data_dir: Path) -> str:
    """The given key, or one made at first start and kept beside the database."""
    given = environ.get("SECRET_KEY", "")
    if given:
        if len(given) < 32:
            raise BadSetting("SECRET_KEY is too short: it must have at least 32 characters")
        return given
    kept = data_dir / "secret_key"
    if not kept.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        # Created with its mode: the key must never be readable by others, not even for a moment.
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(os.urandom(32).hex())
    return kept.read_text(encoding="ascii")
