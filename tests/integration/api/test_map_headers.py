"""What a configured map may be loaded from, and nothing else."""

from ticket_console.api.headers import map_sources, page_policy


def test_without_a_configured_map_nothing_comes_from_elsewhere() -> None:
    assert map_sources("", ("tiles.example.com",)) == ()
    assert "example" not in page_policy(("http://localhost:8000",), ())


def test_a_configured_map_is_loaded_from_its_own_places() -> None:
    maps = map_sources("https://maps.example.com/styles/basic.json?key=1", ("*.tiles.example.com",))
    policy = dict(part.split(" ", 1) for part in page_policy(("http://localhost:8000",), maps).split("; "))

    assert maps == ("https://maps.example.com", "*.tiles.example.com")
    assert policy["img-src"] == "'self' data: blob: https://maps.example.com *.tiles.example.com"
    assert policy["connect-src"].endswith("ws://localhost:8000 https://maps.example.com *.tiles.example.com")
    assert policy["default-src"] == "'self'"
    assert "example" not in policy["script-src"]
