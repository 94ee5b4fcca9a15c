"""Settings: what is taken from the environment, and one clear sentence for everything that cannot be."""

import multiprocessing
import re
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ticket_console.kernel.datums import Datum
from ticket_console.kernel.settings import BadSetting, Settings, load_settings

KEY = "k" * 32


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path), "SECRET_KEY": KEY}


def test_nothing_but_a_folder_is_needed(tmp_path: Path) -> None:
    loaded = load_settings({"DATA_DIR": str(tmp_path)})

    assert loaded == Settings(
        database_url=f"sqlite:///{tmp_path}/console.db",
        redis_url="",
        public_url="http://localhost:8000",
        port=8000,
        secret_key=(tmp_path / "secret_key").read_text("ascii"),
        attachments_dir=tmp_path / "attachments",
        exports_dir=tmp_path / "exports",
        templates_dir=tmp_path / "templates",
        demo=True,
        simulator=False,
        worker=True,
        session_hours=12,
        max_body_bytes=262_144,
        max_attachment_bytes=10_485_760,
        intake_per_minute=60_000,
        outbound_hosts=(),
        smtp_url="",
        mail_from="",
        sms_gateway_url="",
        map_style_url="",
        map_hosts=(),
        map_datum=Datum.WGS84,
        travel_speed_kmh=30,
        travel_detour_percent=130,
        plan_every_minutes=0,
        log_level="info",
    )


def test_a_variable_left_empty_is_one_that_was_not_set(given: dict[str, str]) -> None:
    names = (
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "PORT",
        "ATTACHMENTS_DIR",
        "DEMO",
        "SIMULATOR",
        "WORKER",
        "SESSION_HOURS",
        "MAX_BODY_BYTES",
        "MAX_ATTACHMENT_BYTES",
        "INTAKE_PER_MINUTE",
        "OUTBOUND_HOSTS",
        "SMTP_URL",
        "MAIL_FROM",
        "SMS_GATEWAY_URL",
        "MAP_STYLE_URL",
        "MAP_HOSTS",
        "MAP_DATUM",
        "PLAN_EVERY_MINUTES",
        "LOG_LEVEL",
    )

    assert load_settings({**given, **dict.fromkeys(names, "")}) == load_settings(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("OUTBOUND_HOSTS", "https://crm.example.com"),
        ("SMTP_URL", "mail.example.com"),
        ("MAIL_FROM", "the console"),
        ("SMS_GATEWAY_URL", "ftp://sms.example.com"),
        ("MAP_STYLE_URL", "maps/style.json"),
        ("MAP_HOSTS", "https://tiles.example.com"),
        ("MAP_DATUM", "bd09"),
        ("OUTBOUND_HOSTS", "crm.example.com, *"),
        ("DATABASE_URL", "mysql://host/db"),
        ("DATABASE_URL", "console.db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("REDIS_URL", "http://host"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://host:99999"),
        ("PUBLIC_URL", "console.example"),
        ("PUBLIC_URL", "ftp://console.example"),
        ("PUBLIC_URL", "http://"),
        ("PUBLIC_URL", "http://[::1"),
        ("PUBLIC_URL", "https://console.example:99999"),
        ("PUBLIC_URL", "https://console.example:port"),
        ("PUBLIC_URL", "https://console.example/desk"),
        ("PUBLIC_URL", "https://console.example?x=1"),
        ("PUBLIC_URL", "https://user:word@console.example"),
        ("DEMO", "maybe"),
        ("SIMULATOR", "2"),
        ("WORKER", "ja"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "2161"),
        ("MAX_BODY_BYTES", "1023"),
        ("MAX_ATTACHMENT_BYTES", "268435457"),
        ("INTAKE_PER_MINUTE", "0"),
        ("LOG_LEVEL", "loud"),
        ("SECRET_KEY", "short"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(
    given: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings({**given, name: value})

    assert re.fullmatch(rf"{name} is [^\n]+: it must [^\n]+", str(refusal.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresqll://li:hunter2@host/db"),
        ("REDIS_URL", "redis://li:hunter2@host:x"),
        ("PUBLIC_URL", "https://li:hunter2@host"),
    ],
)
def test_a_sentence_never_shows_a_password(given: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings({**given, name: value})

    assert "hunter2" not in str(refusal.value)
    assert "host" in str(refusal.value)


def test_the_key_that_is_too_short_is_not_shown(given: dict[str, str]) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings({**given, "SECRET_KEY": "my-own-little-key"})

    assert "my-own-little-key" not in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ("postgresql://li@host/db", "postgresql+psycopg://li@host/db"),
        ("postgresql+psycopg://li@host/db", "postgresql+psycopg://li@host/db"),
        ("sqlite:////var/lib/console.db", "sqlite:////var/lib/console.db"),
    ],
)
def test_a_database_is_named_by_its_usual_address(given: dict[str, str], value: str, used: str) -> None:
    assert load_settings({**given, "DATABASE_URL": value}).database_url == used


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_yes_has_several_spellings(given: dict[str, str], value: str) -> None:
    assert load_settings({**given, "SIMULATOR": value}).simulator is True


@pytest.mark.parametrize("value", ["0", "False", "no", "OFF"])
def test_no_has_several_spellings(given: dict[str, str], value: str) -> None:
    assert load_settings({**given, "DEMO": value}).demo is False


@pytest.mark.parametrize(
    ("public_url", "origin", "is_secure"),
    [
        ("https://console.example", "https://console.example", True),
        ("https://console.example/", "https://console.example", True),
        ("HTTPS://Console.Example", "https://console.example", True),
        ("https://console.example:443", "https://console.example", True),
        ("http://console.example:80", "http://console.example", False),
        ("http://console.example:8080", "http://console.example:8080", False),
    ],
)
def test_the_public_address_is_spelled_as_browsers_spell_an_origin(
    given: dict[str, str], public_url: str, origin: str, is_secure: bool
) -> None:
    loaded = load_settings({**given, "PUBLIC_URL": public_url, "PORT": "9000"})

    assert loaded.public_url == origin
    assert loaded.is_secure is is_secure
    assert loaded.allowed_origins == (origin, "http://localhost:9000", "http://127.0.0.1:9000")


def test_an_origin_is_listed_once(given: dict[str, str]) -> None:
    assert load_settings(given).allowed_origins == ("http://localhost:8000", "http://127.0.0.1:8000")


def test_a_given_key_is_used_and_nothing_is_written(given: dict[str, str], tmp_path: Path) -> None:
    assert load_settings(given).secret_key == KEY
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    environ = {"DATA_DIR": str(tmp_path / "new" / "folder")}

    first, second = load_settings(environ), load_settings(environ)

    kept = tmp_path / "new" / "folder" / "secret_key"
    assert first.secret_key == second.secret_key == kept.read_text("ascii")
    assert re.fullmatch(r"[0-9a-f]{64}", first.secret_key)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [each.name for each in kept.parent.iterdir()] == ["secret_key"]


def _start(folder: str, together: Barrier, answers: "multiprocessing.Queue[str]") -> None:
    together.wait()
    answers.put(load_settings({"DATA_DIR": folder}).secret_key)


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    starting = multiprocessing.get_context("fork")
    for attempt in range(5):
        together, answers = starting.Barrier(4), starting.Queue()
        processes = [
            starting.Process(target=_start, args=(str(tmp_path / str(attempt)), together, answers))
            for _ in range(4)
        ]
        for process in processes:
            process.start()
        keys = {answers.get(timeout=20) for _ in processes}
        for process in processes:
            process.join()

        assert len(keys) == 1
        assert re.fullmatch(r"[0-9a-f]{64}", keys.pop())


def test_a_key_that_was_cut_short_by_a_crash_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("", "ascii")

    with pytest.raises(BadSetting, match=r"^DATA_DIR is .*secret_key"):
        load_settings({"DATA_DIR": str(tmp_path)})


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "ascii")

    with pytest.raises(BadSetting, match=r"^DATA_DIR is [^\n]+: it must [^\n]+$"):
        load_settings({"DATA_DIR": str(tmp_path / "file")})
