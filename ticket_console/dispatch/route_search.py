"""The search behind day routes: parts of a plan are torn out and put back in cheaper, many times over.

What is made small is the time people are out: on the way, at work and waiting at doors, leaving as late as
that costs nothing. The way of tearing out neighbouring strings of stops is Christiaens and Vanden Berghe's
(Slack Induction by String Removals, 2020). Routes never change once they are built, so that what inserting a
stop would cost is reckoned once for each of them. Everything is in whole units of time; equal input gives
equal plans.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Final

# How many stops are torn out at once on average, and the longest string of one route.
_TORN: Final = 10
_LONGEST: Final = 10
# How often the best place of a stop is passed over, so that not every repair is the same.
_BLINK: Final = 0.01
# How often a string is torn out with stops in its middle left standing, and how readily one more is left.
_SPLIT: Final = 0.5
_LEAVE: Final = 0.9
# Worse plans are taken while they cost less than this share of a common way more, which shrinks to the last.
_WARM: Final = 1.0
_COLD: Final = 0.02
# Routes that were built are kept while there are fewer.
_MOST_KEPT: Final = 60_000


@dataclass(frozen=True, slots=True)
class Crew:
    """Somebody within [opens, closes], from one numbered place to another; without goal it ends anywhere."""

    start: int
    goal: int | None
    opens: int
    closes: int
    carries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Work of `lasts` that begins within [opens, latest]; `worth` is lost if none of `crews` goes."""

    place: int
    lasts: int
    opens: int
    latest: int
    crews: frozenset[int]
    takes: tuple[int, ...]
    worth: int


@dataclass(frozen=True, slots=True)
class Field:
    """`ways[a][b]` is the time from a place to another; the last place is no way from any.

    At `refill` anybody gets as much of everything as all stops can ask for, once a route.
    """

    crews: Sequence[Crew]
    stops: Sequence[Stop]
    ways: Sequence[Sequence[int]]
    refill: int | None = None


# A run of stops: how long it takes, and the earliest and latest beginning with which it takes no longer.
_Part = tuple[int, int, int]


@dataclass(slots=True, eq=False)
class _Trip:
    """What one crew does in its order, built once and never changed.

    `nodes` are places with the refill among them at `refill_at`; `before[i]` is all up to node i and
    `after[i]` all from it.
    """

    crew: int
    stops: tuple[int, ...]
    refill_at: int | None
    lasts: int
    places: tuple[int, ...]
    before: tuple[_Part, ...]
    after: tuple[_Part, ...]
    room: tuple[int, ...]
    wishes: "dict[int, tuple[int, int] | None]" = field(default_factory=dict)


@dataclass(slots=True)
class _Plan:
    trips: list[_Trip]
    left: tuple[int, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Tour:
    """What a crew does: its stops in their order, the refill after as many of them, and when it leaves."""

    stops: tuple[int, ...]
    refill_after: int | None
    leaves: int
    lasts: int


def improve(field: Field, begun: Sequence[Sequence[int]], *, rounds: int, seed: int = 0) -> tuple[Tour, ...]:
    """One tour for each crew, after `rounds` of tearing out and repairing `begun`; never a worse plan.

    What of `begun` cannot be walked is taken out first. A stop in no route fitted in nowhere.
    """
    return _Search(field, Random(seed)).run(begun, rounds)


class _Search:
    def __init__(self, field: Field, random: Random) -> None:
        self._field = field
        self._random = random
        self._kept: dict[tuple[int, tuple[int, ...]], _Trip | None] = {}
        stops, ways = field.stops, field.ways
        self._near = [_nearest(stop, stops, ways[stop.place]) for stop in stops]
        self._reach = [
            min((ways[crew.start][stop.place] for crew in field.crews), default=0) for stop in stops
        ]

    def run(self, begun: Sequence[Sequence[int]], rounds: int) -> tuple[Tour, ...]:
        plan = best = self._begin(begun)
        heat = _WARM * self._usual_way()
        cooling = (_COLD / _WARM) ** (1 / max(1, rounds))
        for _ in range(rounds if self._field.stops else 0):
            torn = self._repair(*self._tear(plan))
            if torn.cost < plan.cost - heat * math.log(1 - self._random.random()):
                plan = torn
                if plan.cost < best.cost:
                    best = plan
            heat *= cooling
        return tuple(_tour(trip) for trip in best.trips)

    def _usual_way(self) -> float:
        """What lies between a stop and those near it, the middle of all."""
        stops, ways = self._field.stops, self._field.ways
        found = sorted(
            ways[stop.place][stops[other].place]
            for stop, near in zip(stops, self._near, strict=True)
            for other in near[1:9]
        )
        return max(1.0, float(found[len(found) // 2])) if found else 1.0

    def _begin(self, begun: Sequence[Sequence[int]]) -> _Plan:
        trips, missing = [], set(range(len(self._field.stops)))
        for crew in range(len(self._field.crews)):
            wanted = tuple(begun[crew]) if crew < len(begun) else ()
            trip = self._trip(crew, wanted) or self._empty(crew)
            missing -= set(trip.stops)
            trips.append(trip)
        return self._repair(trips, sorted(missing))

    def _tear(self, plan: _Plan) -> tuple[list[_Trip], list[int]]:
        """The plan without some strings of stops that lie near each other, and everything in no route."""
        random, trips = self._random, list(plan.trips)
        where = {stop: number for number, trip in enumerate(trips) for stop in trip.stops}
        if not where:
            return trips, list(plan.left)
        mean = len(where) / sum(1 for trip in trips if trip.stops)
        longest = min(_LONGEST, mean)
        strings = int(random.uniform(1, 4 * _TORN / (1 + longest)))
        seed = random.randrange(len(self._field.stops))
        torn: list[int] = []
        touched: set[int] = set()
        for stop in self._near[seed]:
            if len(touched) >= strings:
                break
            number = where.get(stop)
            if number is None or number in touched:
                continue
            touched.add(number)
            trip = trips[number]
            length = int(random.uniform(1, min(len(trip.stops), longest) + 1))
            gone = self._string(trip.stops, trip.stops.index(stop), length)
            torn += gone
            trips[number] = self._without(trip, set(gone))
        return trips, [*torn, *plan.left]

    def _string(self, stops: tuple[int, ...], at: int, length: int) -> list[int]:
        """`length` stops around one of a route; at times with some in their midst left standing."""
        random = self._random
        kept = 0
        if 1 < length < len(stops) and random.random() < _SPLIT:
            kept = 1
            while length + kept < len(stops) and random.random() > _LEAVE:
                kept += 1
        span = length + kept
        first = random.randint(max(0, at - span + 1), min(at, len(stops) - span))
        string = list(stops[first : first + span])
        if kept:
            hole = random.randint(0, length)
            del string[hole : hole + kept]
        return string

    def _without(self, trip: _Trip, gone: set[int]) -> _Trip:
        """Fewer stops are never refused: no way is longer than a detour, and parts only become more."""
        stops = tuple(stop for stop in trip.stops if stop not in gone)
        return self._trip(trip.crew, stops) or self._empty(trip.crew)

    def _repair(self, trips: list[_Trip], missing: list[int]) -> _Plan:
        """Everything missing put in where it costs least, one after the other."""
        random = self._random
        self._sort(missing)
        left = []
        for stop in missing:
            best: tuple[int, int, int] | None = None
            for number in self._field.stops[stop].crews:
                trip = trips[number]
                if stop in trip.wishes:
                    wish = trip.wishes[stop]
                else:
                    wish = trip.wishes[stop] = self._wish(trip, stop)
                if wish is not None and (best is None or wish[0] < best[0]) and random.random() >= _BLINK:
                    best = (wish[0], number, wish[1])
            built = None if best is None else self._with(trips[best[1]], stop, best[2])
            if best is None or built is None:
                left.append(stop)
            else:
                trips[best[1]] = built
        cost = sum(trip.lasts for trip in trips) + sum(self._field.stops[stop].worth for stop in left)
        return _Plan(trips, tuple(left), cost)

    def _sort(self, missing: list[int]) -> None:
        """In one of several orders, each of which makes a different repair."""
        stops, random = self._field.stops, self._random
        random.shuffle(missing)
        order = random.random()
        if order < 0.3:
            return
        if order < 0.5:
            missing.sort(key=lambda stop: -self._reach[stop])
        elif order < 0.6:
            missing.sort(key=lambda stop: self._reach[stop])
        elif order < 0.75:
            missing.sort(key=lambda stop: stops[stop].latest - stops[stop].opens)
        elif order < 0.85:
            missing.sort(key=lambda stop: stops[stop].latest)
        else:
            missing.sort(key=lambda stop: (len(stops[stop].crews), -stops[stop].worth))

    def _with(self, trip: _Trip, stop: int, at: int) -> _Trip | None:
        return self._trip(trip.crew, (*trip.stops[:at], stop, *trip.stops[at:]))

    def _wish(self, trip: _Trip, stop: int) -> tuple[int, int] | None:
        """What a stop would add to a route at its best place, and which place among its stops that is."""
        takes = self._field.stops[stop].takes
        fits = all(map(int.__le__, takes, trip.room))
        if fits or trip.refill_at is not None:
            return self._place(trip, stop, 0 if fits else trip.refill_at or 0)
        if self._field.refill is None:
            return None
        return self._place_with_refill(trip, stop)

    def _place(self, trip: _Trip, stop: int, first: int) -> tuple[int, int] | None:
        """The best place at or after the node `first`, which is the refill where parts are short."""
        wanted = self._field.stops[stop]
        ways, here = self._field.ways, wanted.place
        way_from, opens, latest, work = ways[here], wanted.opens, wanted.latest, wanted.lasts
        places, before, after = trip.places, trip.before, trip.after
        best, best_at = -1, 0
        for node in range(first, len(places) - 1):
            lasts, earliest, last = before[node]
            lasts += ways[places[node]][here]
            if earliest + lasts > latest:
                # Whoever cannot be there in time now cannot later either.
                break
            wait = opens - lasts - last
            if wait > 0:
                earliest, last, lasts = last, last, lasts + wait
            else:
                if opens - lasts > earliest:
                    earliest = opens - lasts
                if latest - lasts < last:
                    last = latest - lasts
            lasts += work + way_from[places[node + 1]]
            rest, rest_earliest, rest_latest = after[node + 1]
            if earliest + lasts > rest_latest:
                continue
            wait = rest_earliest - lasts - last
            lasts += rest + max(0, wait)
            if best < 0 or lasts < best:
                best, best_at = lasts, node
        if best < 0:
            return None
        refill = trip.refill_at
        return best - trip.lasts, best_at if refill is None or best_at < refill else best_at - 1

    def _place_with_refill(self, trip: _Trip, stop: int) -> tuple[int, int] | None:
        """As `_place`, for a route that has to go by the refill because of the stop.

        It is looked for right before the stop and where it is the smallest detour.
        """
        refill, places, ways = self._field.refill, trip.places, self._field.ways
        assert refill is not None
        to_refill = ways[refill]
        detours = [
            ways[here][refill] + to_refill[there] - ways[here][there] for here, there in pairwise(places)
        ]
        on_the_way = detours.index(min(detours))
        found = [self._past_refill(trip, stop, on_the_way, len(trip.stops))]
        found += [self._past_refill(trip, stop, at, at) for at in range(len(detours)) if at != on_the_way]
        return min((each for each in found if each is not None), default=None)

    def _past_refill(self, trip: _Trip, stop: int, by: int, until: int) -> tuple[int, int] | None:
        """The best place after as many stops as `by` to `until`, with the refill after `by` of them."""
        refill, places, before, after = self._field.refill, trip.places, trip.before, trip.after
        assert refill is not None
        known, ways = self._field.stops, self._field.ways
        wanted, crew = known[stop], self._field.crews[trip.crew]
        here, work = wanted.place, (wanted.lasts, wanted.opens, wanted.latest)
        best: tuple[int, int] | None = None
        run, last = _join(before[by], ways[places[by]][refill], (0, crew.opens, crew.closes)), refill
        for at in range(by, until + 1):
            if run is not None and at > by:
                passed = known[trip.stops[at - 1]]
                part = (passed.lasts, passed.opens, passed.latest)
                run, last = _join(run, ways[last][passed.place], part), passed.place
            there = run and _join(run, ways[last][here], work)
            if there is None:
                break
            whole = _join(there, ways[here][places[at + 1]], after[at + 1])
            if whole is not None and (best is None or whole[0] - trip.lasts < best[0]):
                best = (whole[0] - trip.lasts, at)
        return best

    def _empty(self, crew: int) -> _Trip:
        trip = self._trip(crew, ())
        assert trip is not None
        return trip

    def _trip(self, crew: int, stops: tuple[int, ...]) -> _Trip | None:
        """The route with its refill where that costs least; None where it cannot be walked."""
        key = (crew, stops)
        if key in self._kept:
            return self._kept[key]
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        trip = self._kept[key] = self._build(crew, stops)
        return trip

    def _build(self, crew: int, stops: tuple[int, ...]) -> _Trip | None:
        room = self._field.crews[crew].carries
        covered = 0
        for stop in stops:
            takes = self._field.stops[stop].takes
            if not all(map(int.__le__, takes, room)):
                break
            room = tuple(map(int.__sub__, room, takes))
            covered += 1
        if covered == len(stops):
            return self._walk(crew, stops, None, room)
        if self._field.refill is None:
            return None
        at = self._refill_at(crew, stops, covered)
        if at is None:
            return None
        room = self._field.crews[crew].carries
        for stop in stops[:at]:
            room = tuple(map(int.__sub__, room, self._field.stops[stop].takes))
        return self._walk(crew, stops, at + 1, room)

    def _refill_at(self, crew: int, stops: tuple[int, ...], covered: int) -> int | None:
        """After how many stops going by the refill costs least; no later than what is on board lasts."""
        refill, ways = self._field.refill, self._field.ways
        assert refill is not None
        places, parts = self._nodes(crew, stops)
        own = parts[0]
        after = self._after(places, parts)
        before: _Part | None = own
        best, best_at = -1, None
        for at in range(covered + 1):
            if at:
                before = before and _join(before, ways[places[at - 1]][places[at]], parts[at])
            if before is None:
                break
            rest = after[at + 1]
            there = _join(before, ways[places[at]][refill], own)
            whole = there and rest and _join(there, ways[refill][places[at + 1]], rest)
            if whole and (best < 0 or whole[0] < best):
                best, best_at = whole[0], at
        return best_at

    def _nodes(self, crew: int, stops: tuple[int, ...]) -> tuple[list[int], list[_Part]]:
        """The places from start to goal, and what happens at each but the goal."""
        person, known = self._field.crews[crew], self._field.stops
        found = [known[stop] for stop in stops]
        # The last place lies no way from anywhere.
        goal = len(self._field.ways) - 1 if person.goal is None else person.goal
        places = [person.start, *[stop.place for stop in found], goal]
        parts = [(0, person.opens, person.closes), *[(stop.lasts, stop.opens, stop.latest) for stop in found]]
        return places, parts

    def _after(self, places: list[int], parts: list[_Part]) -> list[_Part | None]:
        """All from each node on to the goal, which is another one."""
        ways, run = self._field.ways, parts[0]
        after: list[_Part | None] = [run]
        joined: _Part | None = run
        for node in range(len(parts) - 1, -1, -1):
            joined = joined and _join(parts[node], ways[places[node]][places[node + 1]], joined)
            after.append(joined)
        after.reverse()
        return after

    def _walk(
        self, crew: int, stops: tuple[int, ...], refill_at: int | None, room: tuple[int, ...]
    ) -> _Trip | None:
        ways = self._field.ways
        places, parts = self._nodes(crew, stops)
        if refill_at is not None and self._field.refill is not None:
            places.insert(refill_at, self._field.refill)
            parts.insert(refill_at, parts[0])
        run = parts[0]
        before = [run]
        for node in range(1, len(parts)):
            joined = _join(run, ways[places[node - 1]][places[node]], parts[node])
            if joined is None:
                return None
            run = joined
            before.append(run)
        after = [each for each in self._after(places, parts) if each is not None]
        if len(after) <= len(parts):
            return None
        return _Trip(
            crew=crew,
            stops=stops,
            refill_at=refill_at,
            lasts=after[0][0] if stops else 0,
            places=tuple(places),
            before=tuple(before),
            after=tuple(after),
            room=room,
        )


def _tour(trip: _Trip) -> Tour:
    refill_after = None if trip.refill_at is None else trip.refill_at - 1
    return Tour(trip.stops, refill_after, trip.after[0][1], trip.lasts)


def _nearest(stop: Stop, stops: Sequence[Stop], ways: Sequence[int]) -> list[int]:
    """All stops by how near they are, itself among them."""
    return [number for _, number in sorted((ways[other.place], number) for number, other in enumerate(stops))]


def _join(first: _Part, way: int, then: _Part) -> _Part | None:
    """One run of stops after another; None where the second cannot be in time after the first."""
    lasts, earliest, latest = first
    work, opens, closes = then
    lasts += way
    if earliest + lasts > closes:
        return None
    opens -= lasts
    if opens > latest:
        # Whoever leaves as late as possible waits all the same.
        return lasts + work + opens - latest, latest, latest
    closes -= lasts
    return lasts + work, max(earliest, opens), min(latest, closes)
