"""What the surroundings decide, read once from the environment."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from ticket_console.kernel.datums import Datum


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
    exports_dir: Path
    templates_dir: Path
    demo: bool
    simulator: bool
    worker: bool
    session_hours: int
    max_body_bytes: int
    max_attachment_bytes: int
    intake_per_minute: int
    outbound_hosts: tuple[str, ...]
    smtp_url: str
    mail_from: str
    sms_gateway_url: str
    map_style_url: str
    map_hosts: tuple[str, ...]
    map_datum: Datum
    travel_speed_kmh: int
    travel_detour_percent: int
    plan_every_minutes: int
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
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_KEY_LENGTH = 32


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings, an empty variable like one that is not set.

    Raises BadSetting naming the variable and what would be right.
    """
    given = {name: value for name, value in environ.items() if value}
    port = _whole(given, "PORT", 8000, low=1, high=65535)
    data_dir = Path(given.get("DATA_DIR", "data")).absolute()
    return Settings(
        database_url=_database_url(given.get("DATABASE_URL", f"sqlite:///{data_dir / 'console.db'}")),
        redis_url=_address(given, "REDIS_URL", schemes=("redis", "rediss")) if "REDIS_URL" in given else "",
        public_url=_origin(given) if "PUBLIC_URL" in given else f"http://localhost:{port}",
        port=port,
        secret_key=_secret(given, data_dir),
        attachments_dir=Path(given.get("ATTACHMENTS_DIR", str(data_dir / "attachments"))).absolute(),
        exports_dir=Path(given.get("EXPORTS_DIR", str(data_dir / "exports"))).absolute(),
        templates_dir=Path(given.get("TEMPLATES_DIR", str(data_dir / "templates"))).absolute(),
        demo=_flag(given, "DEMO", default=True),
        simulator=_flag(given, "SIMULATOR", default=False),
        worker=_flag(given, "WORKER", default=True),
        session_hours=_whole(given, "SESSION_HOURS", 12, low=1, high=24 * 90),
        max_body_bytes=_whole(given, "MAX_BODY_BYTES", 262_144, low=1_024, high=64 << 20),
        max_attachment_bytes=_whole(given, "MAX_ATTACHMENT_BYTES", 10 << 20, low=1_024, high=256 << 20),
        intake_per_minute=_whole(given, "INTAKE_PER_MINUTE", 60_000, low=1, high=10_000_000),
        outbound_hosts=_hosts(given, "OUTBOUND_HOSTS"),
        smtp_url=_address(given, "SMTP_URL", schemes=("smtp", "smtps")) if "SMTP_URL" in given else "",
        mail_from=_mail_from(given),
        sms_gateway_url=_address(given, "SMS_GATEWAY_URL", schemes=("https", "http"))
        if "SMS_GATEWAY_URL" in given
        else "",
        map_style_url=_address(given, "MAP_STYLE_URL", schemes=("https", "http"))
        if "MAP_STYLE_URL" in given
        else "",
        map_hosts=_hosts(given, "MAP_HOSTS"),
        map_datum=Datum(_choice(given, "MAP_DATUM", Datum.WGS84, tuple(Datum))),
        travel_speed_kmh=_whole(given, "TRAVEL_SPEED_KMH", 30, low=1, high=300),
        travel_detour_percent=_whole(given, "TRAVEL_DETOUR_PERCENT", 130, low=100, high=500),
        plan_every_minutes=_whole(given, "PLAN_EVERY_MINUTES", 0, low=0, high=24 * 60),
        log_level=_choice(given, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    return load_settings(os.environ)


def _database_url(raw: str) -> str:
    scheme, separator, rest = raw.partition("://")
    is_known = bool(separator) and scheme in _SCHEMES
    # A database in memory would be another one in every thread.
    if not is_known or (scheme == "sqlite" and rest.removeprefix("/") in ("", ":memory:")):
        raise BadSetting(
            f"DATABASE_URL is {_without_password(raw)!r}: it must start with sqlite:/// or postgresql:// and "
            "name a database, for example sqlite:////var/lib/console/console.db"
        )
    return f"{_SCHEMES[scheme]}://{rest}"


def _without_password(address: str) -> str:
    return re.sub(r"//.*@", "//...@", address)


def _address(given: Mapping[str, str], name: str, *, schemes: tuple[str, ...]) -> str:
    raw = given[name].rstrip("/")
    try:
        parts = urlsplit(raw)
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise BadSetting(
            f"{name} is {_without_password(raw)!r}: it must be an address such as {schemes[0]}://host"
        )
    return raw


def _origin(given: Mapping[str, str]) -> str:
    """The public address as browsers spell it when they say where a page comes from."""
    raw = _address(given, "PUBLIC_URL", schemes=tuple(_DEFAULT_PORTS))
    parts = urlsplit(raw)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadSetting(
            f"PUBLIC_URL is {_without_password(raw)!r}: it must be a host and nothing behind it, "
            "such as https://console.example"
        )
    host = parts.netloc.lower()
    if parts.port == _DEFAULT_PORTS[parts.scheme]:
        host = host.rpartition(":")[0]
    return f"{parts.scheme}://{host}"


_MAIL_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def _mail_from(given: Mapping[str, str]) -> str:
    """Whom e-mails come from; whoever names a server names that too."""
    raw = given.get("MAIL_FROM", "").strip()
    if raw and not _MAIL_ADDRESS.fullmatch(raw):
        raise BadSetting(f"MAIL_FROM is {raw!r}: it must be an address such as console@example.com")
    if "SMTP_URL" in given and not raw:
        raise BadSetting(
            "MAIL_FROM is empty: with SMTP_URL it must be an address such as console@example.com"
        )
    return raw


def _whole(given: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    raw = given.get(name, str(default))
    if not raw.isdecimal() or not low <= int(raw) <= high:
        raise BadSetting(f"{name} is {raw!r}: it must be a whole number from {low} to {high}")
    return int(raw)


_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")


def _hosts(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    entries = [entry.strip().lower() for entry in given.get(name, "").split(",")]
    for entry in filter(None, entries):
        if not _HOST.fullmatch(entry):
            raise BadSetting(
                f"{name} is {given[name]!r}: it must list hosts such as crm.example.com, "
                "crm.example.com:8443 or *.example.com, with commas between them"
            )
    return tuple(dict.fromkeys(filter(None, entries)))


def _flag(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    raw = given.get(name)
    if raw is None:
        return default
    if raw.lower() not in _TRUE | _FALSE:
        raise BadSetting(f"{name} is {raw!r}: it must be 1 or 0")
    return raw.lower() in _TRUE


def _choice(given: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    raw = given.get(name, default).lower()
    if raw not in allowed:
        raise BadSetting(f"{name} is {raw!r}: it must be one of {', '.join(allowed)}")
    return raw


def _secret(given: Mapping[str, str], data_dir: Path) -> str:
    """The given key, or one made at first start and kept beside the database."""
    if "SECRET_KEY" in given:
        if len(given["SECRET_KEY"]) < _KEY_LENGTH:
            raise BadSetting(f"SECRET_KEY is too short: it must have at least {_KEY_LENGTH} characters")
        return given["SECRET_KEY"]
    kept = data_dir / "secret_key"
    try:
        if not kept.exists():
            _make_key(kept)
        key = kept.read_text(encoding="ascii")
    except OSError as failure:
        raise BadSetting(
            f"DATA_DIR is {str(data_dir)!r}: it must be a folder that can be written to ({failure.strerror})"
        ) from failure
    if len(key) < _KEY_LENGTH:
        raise BadSetting(
            f"DATA_DIR is {str(data_dir)!r}: it must hold a whole key in secret_key, or no such file at all"
        )
    return key


def _make_key(kept: Path) -> None:
    """Write a new key whole and then give it its name: of processes that start at once, one key wins."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_name(f".secret_key.{os.getpid()}.{os.urandom(4).hex()}")
    # Created with its mode: the key must never be readable by others, not even for a moment.
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(os.urandom(32).hex())
        with suppress(FileExistsError):
            os.link(unfinished, kept)
    finally:
        unfinished.unlink()
