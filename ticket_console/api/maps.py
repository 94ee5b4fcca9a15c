"""What maps are drawn from, and where devices tell that they are."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import orjson
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from ticket_console.access import places
from ticket_console.api.bodies import Body, Query
from ticket_console.api.routing import Call, route
from ticket_console.desk import on_map
from ticket_console.kernel.boxes import read_box
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import at_once, off_loop, reading
from ticket_console.kernel.datums import Datum, shown_at
from ticket_console.kernel.settings import settings
from ticket_console.people import hiring, positions
from ticket_console.people.positions import Reported
from ticket_console.reports import sites

_GEOJSON: Final = "application/geo+json"


@dataclass(frozen=True, slots=True)
class MapSetup:
    style: str
    datum: Datum


class MapQuery(Query):
    """`bbox` is west,south,east,north in the datum of the configured map."""

    bbox: Annotated[str, Field(max_length=120)] = "-180,-90,180,90"


class TrackQuery(Query):
    """A day in the zone of the technician's region; today where none is named."""

    day: date | None = None


class PositionBody(Body):
    """Where a device was at a moment, in WGS84, and how sure it is of that, in metres."""

    device: Annotated[str, Field(min_length=1, max_length=positions.DEVICE_LENGTH)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=positions.LEAST_ACCURATE_M)]
    taken_at: AwareDatetime


async def read_setup(call: Call[None]) -> MapSetup:
    """What maps are drawn on: a configured style, or the outlines that come along where there is none."""
    return MapSetup(settings().map_style_url, settings().map_datum)


async def read_map(call: Call[None]) -> Response:
    """Open tickets, technicians, sites and territories in a box of the map, as GeoJSON."""
    box = read_box(call.query.bbox)

    def read() -> bytes:
        with reading() as connection:
            found = on_map.window(connection, call.actor, box, at=call.at, datum=settings().map_datum)
        return orjson.dumps(found)

    return Response(await off_loop(read), media_type="application/json")


async def read_sites(call: Call[None]) -> Response:
    """Every site of ours with what is open, late and unassigned there, and how fast work begins."""
    datum = settings().map_datum

    def read() -> bytes:
        with reading() as connection:
            found = sites.site_overview(connection, call.actor, at=call.at)
        shown = []
        for site in found.sites:
            lat, lon = shown_at(datum, site.lat, site.lon)
            shown.append({**asdict(site), "lat": round(lat, 6), "lon": round(lon, 6)})
        return orjson.dumps({"at": instant_text(found.at), "sites": shown, "elsewhere": found.elsewhere})

    return Response(await off_loop(read), media_type="application/json")


async def read_track(call: Call[None]) -> Response:
    """Where a technician went on a day, as GeoJSON: one line for each part that is known."""

    def read() -> bytes:
        with reading() as connection:
            technician_id = call.path_param("technician_id")
            region_id = hiring.region_of(connection, call.actor.org_id, technician_id)
            zone = ZoneInfo(places.region(connection, region_id).tz)
            day = call.query.day or call.at.astimezone(zone).date()
            found = positions.track(
                connection,
                call.actor,
                technician_id,
                since=_midnight(day, zone),
                until=_midnight(day + timedelta(days=1), zone),
            )
        return orjson.dumps(_lines(found, day, zone))

    return Response(await off_loop(read), media_type=_GEOJSON)


async def report_position(call: Call[PositionBody]) -> Reported:
    """Tell where the caller's own device is; only while on duty, and only with consent."""
    body = call.body
    return await at_once(
        positions.report_position,
        actor=call.actor,
        at=call.at,
        device=body.device,
        lat=body.lat,
        lon=body.lon,
        accuracy_m=body.accuracy_m,
        taken_at=body.taken_at.astimezone(UTC),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _lines(track: positions.Track, day: date, zone: ZoneInfo) -> dict[str, Any]:
    datum = settings().map_datum
    lines = []
    for part in track.parts:
        places_shown = [shown_at(datum, each.lat, each.lon) for each in part]
        points = [[round(lon, 6), round(lat, 6)] for lat, lon in places_shown]
        lines.append(
            {
                "type": "Feature",
                "properties": {"times": [instant_text(each.taken_at) for each in part]},
                # A single point is a line that goes nowhere.
                "geometry": {"type": "LineString", "coordinates": points if len(points) > 1 else points * 2},
            }
        )
    return {
        "type": "FeatureCollection",
        "name": track.name,
        "technician_id": track.technician_id,
        "day": day.isoformat(),
        "tz": zone.key,
        "features": lines,
    }


endpoints: Final = (
    route("/api/v1/map/setup", read_setup, permission="ticket.view", answer=MapSetup, tag="map"),
    route("/api/v1/map", read_map, permission="board.view", query=MapQuery, answer=dict[str, Any], tag="map"),
    route("/api/v1/sites", read_sites, permission="dashboard.view", answer=dict[str, Any], tag="map"),
    route(
        "/api/v1/technicians/{technician_id:id}/track",
        read_track,
        permission="ticket.act",
        query=TrackQuery,
        answer=dict[str, Any],
        produces=_GEOJSON,
        tag="map",
    ),
    route(
        "/api/v1/positions",
        report_position,
        method="POST",
        permission="ticket.act",
        body=PositionBody,
        answer=Reported,
        tag="map",
    ),
)
