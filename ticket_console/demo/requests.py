"""What comes in: a request as a customer or a resident would make it, in the words of its channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from ticket_console.demo import material
from ticket_console.demo.cast import Caller, Cast
from ticket_console.demo.places import BOSTON, point_near

# Every message of the demo carries a number of this form, by which its tickets are known again.
NUMBER_PREFIX: Final = "DEMO-"
_CHANNELS: Final = (("phone", 35), ("website", 30), ("api", 20), ("event", 5), ("wechat", 3))
_CITY_SHARE: Final = 0.08


@dataclass(frozen=True, slots=True)
class Request:
    channel: str
    payload: dict[str, Any]


def next_request(cast: Cast, chance: Random, *, at: datetime, number: str) -> Request:
    """A request that is new under its number; the same dice give the same request."""
    if chance.random() < _CITY_SHARE:
        return _of_a_resident(chance, number)
    scene = _weighted(chance, [(scene, scene["weight"]) for scene in material.scenes()])
    caller = _caller_for(cast, chance, scene)
    channel = _weighted(chance, list(_CHANNELS))
    if channel == "wechat" and scene["template"] != "inspection":
        return _by_wechat(caller, scene, number)
    return _in_standard_shape(chance, "api" if channel == "wechat" else channel, caller, scene, at, number)


def _weighted(chance: Random, choices: list[tuple[Any, int]]) -> Any:
    return chance.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]


def _caller_for(cast: Cast, chance: Random, scene: dict[str, Any]) -> Caller:
    """Somebody of the right kind who owns what the request is about, where anybody does."""
    wanted = {"person": False, "company": True}.get(scene["customer"])
    fitting = [caller for caller in cast.callers if wanted in (None, caller.is_company)] or list(cast.callers)
    owners = [caller for caller in fitting if scene["category"] and caller.owned(scene["category"])]
    return chance.choice(owners or fitting)


def _in_standard_shape(
    chance: Random, channel: str, caller: Caller, scene: dict[str, Any], at: datetime, number: str
) -> Request:
    payload: dict[str, Any] = {
        "template": scene["template"],
        "title": scene["title"],
        "description": scene["description"],
        "values": _values(chance, caller, scene, at),
        "customer": {"name": caller.name, "phone": caller.phone},
        "site": caller.site_code,
        "address": caller.address,
        "external_id": number,
    }
    if scene["urgency"] > 1:
        payload |= {"urgency": scene["urgency"], "impact": scene["impact"]}
    if channel == "phone":
        payload |= {"call_id": number, "caller": caller.phone}
    return Request(channel, payload)


def _values(chance: Random, caller: Caller, scene: dict[str, Any], at: datetime) -> dict[str, Any]:
    """What the sender fills in of the template's fields."""
    template, category = scene["template"], scene["category"]
    values: dict[str, Any] = {}
    if template in {"repair", "install", "inspection"} and category and scene["says_category"]:
        values["category"] = category
    asset = caller.owned(category) if category else None
    if template == "repair" and asset is not None and chance.random() < 0.7:
        in_warranty = asset.warranty_until is not None and asset.warranty_until > at.date()
        values |= {"model": asset.model, "serial": asset.serial, "under_warranty": in_warranty}
    if template in {"repair", "install"} and chance.random() < 0.5:
        wish = at + timedelta(days=chance.choice((1, 1, 2)))
        values["preferred_time"] = wish.replace(minute=0, second=0, microsecond=0)
    if template == "install":
        values["quantity"] = chance.choice((4, 6)) if caller.is_company else 1
    if template == "consult":
        values["topic"] = scene["work"]["topic"]
    if template == "inspection":
        values["inspection_plan"] = f"PM-{at:%Y%m}-{chance.randint(1, 99):02}"
    if template == "complaint":
        values["demand"] = scene["description"]
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def _by_wechat(caller: Caller, scene: dict[str, Any], number: str) -> Request:
    """A line of text to the official account: nothing but words, and a name the account knows."""
    return Request(
        "wechat",
        {
            "FromUserName": caller.wechat,
            "MsgType": "text",
            "MsgId": number,
            "Content": f"{scene['title']}，{scene['description']}",
        },
    )


def _of_a_resident(chance: Random, number: str) -> Request:
    scene = _weighted(chance, [(scene, scene["weight"]) for scene in material.city_scenes()])
    names = material.names()
    lat, lon = point_near(BOSTON, chance, spread=0.025)
    payload = {
        "template": "general",
        "title": scene["title"],
        "description": scene["description"],
        "customer": {
            "name": f"{chance.choice(names['boston_first'])} {chance.choice(names['boston_last'])}",
            "phone": f"+1617555{chance.randint(100, 199):04}",
        },
        "address": f"{chance.randint(10, 480)} {chance.choice(BOSTON.roads)}",
        "latitude": lat,
        "longitude": lon,
        "region": BOSTON.code,
        "department": scene["department"],
        "external_id": number,
        "urgency": scene["urgency"],
        "impact": scene["impact"],
    }
    return Request("api", payload)


def scene_of(title: str, template: str) -> dict[str, Any]:
    """The scene behind a ticket, by its title; for one that is of no scene, the first of its template."""
    every = [*material.scenes(), *material.city_scenes()]
    for scene in every:
        if title.startswith(scene["title"]):
            return scene
    return next((scene for scene in every if scene.get("template", "general") == template), every[0])
