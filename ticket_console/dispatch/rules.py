"""What a manager decides about dispatch: who may be sent, who is preferred, and how the choice is made.

The document of a policy is plain JSON; `read_terms` refuses what nobody could dispatch by, naming every
field, and `DispatchPolicy.as_json` spells the same document again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from ticket_console.kernel.errors import FieldProblem, InvalidInput

Choice = TypeVar("Choice", bound=StrEnum)

BUILT_IN: Final = "standard"
MOST_WEIGHT: Final = 100
MOST_BANDS: Final = 8
FARTHEST_M: Final = 2_000_000


class BadTerms(InvalidInput):
    """A policy nobody could dispatch by; every problem is named with its field."""

    code = "dispatch.bad_terms"


class Mode(StrEnum):
    """What happens to a task that wants somebody."""

    ASSIGN = "assign"
    OFFER = "offer"
    QUEUE = "queue"
    VENDOR = "vendor"


class BrandRule(StrEnum):
    """What a certificate for the make of the device counts for."""

    OFF = "off"
    REQUIRE = "require"


class ShiftEnd(StrEnum):
    """What is done about somebody whose presence ends before the job would."""

    IGNORE = "ignore"
    WARN = "warn"
    REFUSE = "refuse"


class Vendors(StrEnum):
    """Whether technicians of vendors may be sent."""

    NONE = "none"
    ALLOWED = "allowed"
    ONLY = "only"


class OfferedTo(StrEnum):
    """Who is asked: those who are fit, or the best one together with the crew."""

    FIT = "fit"
    CREW = "crew"


class Term(StrEnum):
    """What is weighed, in the order in which points and weights are listed."""

    DISTANCE = "distance"
    NEAR = "near"
    LOAD = "load"
    LEVEL = "level"
    HARD = "hard"
    INCOME = "income"
    CONTINUITY = "continuity"
    SLACK = "slack"


TERMS: Final = tuple(Term)
# The weight of each term, in the order of TERMS.
Weights = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """The hard filters a policy may set; all others always hold.

    `least_level` is asked of the skill, or of the person where no skill is needed. `overlap` keeps out who
    has a visit in the way. `standby` opens the pool of vendors that are held in reserve.
    """

    brand: BrandRule = BrandRule.OFF
    least_level: int = 0
    territory: bool = True
    shift_end: ShiftEnd = ShiftEnd.IGNORE
    overlap: bool = True
    vendors: Vendors = Vendors.ALLOWED
    standby: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A ring of preference: people up to and including `within_m` metres away, to the metre.

    None is any distance, and the only ring for a task or person whose place is unknown. `certified` asks
    for a certificate of the device's make where that is known. Whoever is in an earlier band comes before
    everybody of a later one, whatever their points.
    """

    within_m: int | None = None
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Scales:
    """What the points of a term are read from.

    At `half_way_m` metres the distance earns half its points; within `near_m` the nearness earns all of
    its own, beyond it none; `top_level` is the skill level that earns all; a task is reached at
    `travel_kmh`, and `ample_minutes` left until it is due earn all points of the slack.
    """

    half_way_m: int = 5_000
    near_m: int = 3_000
    top_level: int = 5
    travel_kmh: int = 25
    ample_minutes: int = 240


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """To how many people a task is offered at once, for how long, and how many circles are asked before it
    is the dispatcher's. A crew's task is offered to the best technician with their lead and storekeeper."""

    size: int = 3
    seconds: int = 300
    rounds: int = 2
    to: OfferedTo = OfferedTo.FIT


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights read off the history, with what they were learned from."""

    weights: Weights
    seed: int
    report: Mapping[str, Any] = field(default_factory=dict, compare=False)


STANDARD_WEIGHTS: Final[Weights] = (45, 10, 30, 15, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """How tasks of one business line and region are dispatched.

    `bands` are a preference: people of no band come last, or are kept out where `bands_limit` says so.
    `vip_weights` weigh tasks of important customers; `learned` replaces `weights` while `use_learned`.
    A step that went through more than `most_handoffs` hands, or that nobody had for `nobody_minutes`, is
    told to a dispatcher.
    """

    code: str = BUILT_IN
    version: int = 1
    mode: Mode = Mode.ASSIGN
    filters: Filters = Filters()
    bands: tuple[Band, ...] = ()
    bands_limit: bool = False
    weights: Weights = STANDARD_WEIGHTS
    vip_weights: Weights | None = None
    scales: Scales = Scales()
    offer: OfferTerms = OfferTerms()
    learned: Learned | None = None
    use_learned: bool = False
    most_handoffs: int = 3
    nobody_minutes: int = 15
    strategies: tuple[int, ...] = ()

    @property
    def reference(self) -> str:
        """Which policy, version and temporary changes a decision was made by."""
        return "-".join((self.code, str(self.version), *(f"s{each}" for each in self.strategies)))

    def weights_for(self, *, is_vip: bool) -> Weights:
        if is_vip and self.vip_weights is not None:
            return self.vip_weights
        return self.learned.weights if self.use_learned and self.learned is not None else self.weights

    def as_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode.value,
            "filters": _spelled(self.filters),
            "bands": [_spelled(band) for band in self.bands],
            "bands_limit": self.bands_limit,
            "weights": spell_weights(self.weights),
            "vip_weights": None if self.vip_weights is None else spell_weights(self.vip_weights),
            "scales": _spelled(self.scales),
            "offer": _spelled(self.offer),
            "learned": None
            if self.learned is None
            else {
                "weights": spell_weights(self.learned.weights),
                "seed": self.learned.seed,
                "report": dict(self.learned.report),
            },
            "use_learned": self.use_learned,
            "most_handoffs": self.most_handoffs,
            "nobody_minutes": self.nobody_minutes,
        }


STANDARD: Final = DispatchPolicy()


def spell_weights(weights: Weights) -> dict[str, int]:
    return {term.value: weight for term, weight in zip(TERMS, weights, strict=True)}


def read_terms(document: Mapping[str, Any], *, code: str = BUILT_IN, version: int = 1) -> DispatchPolicy:
    """The policy a document describes; what it leaves out is as in the standard. Raises BadTerms."""
    return _read(STANDARD, document, code=code, version=version)


def overlaid(policy: DispatchPolicy, overlay: Mapping[str, Any], *, strategy_id: int) -> DispatchPolicy:
    """The policy with a temporary change: groups are changed field by field, bands replaced as a whole."""
    changed = _read(policy, overlay, code=policy.code, version=policy.version)
    return replace(changed, strategies=(*policy.strategies, strategy_id))


def _read(base: DispatchPolicy, document: Mapping[str, Any], *, code: str, version: int) -> DispatchPolicy:
    reading = _Reading(document)
    bands = reading.bands("bands", base.bands)
    found = DispatchPolicy(
        code=code,
        version=version,
        mode=reading.one_of("mode", Mode, base.mode),
        filters=reading.filters(base.filters),
        bands=bands,
        bands_limit=reading.flag("bands_limit", base.bands_limit),
        weights=reading.weights("weights", base.weights) or base.weights,
        vip_weights=reading.weights("vip_weights", base.vip_weights),
        scales=reading.scales(base.scales),
        offer=reading.offer(base.offer),
        learned=reading.learned(base.learned),
        use_learned=reading.flag("use_learned", base.use_learned),
        most_handoffs=reading.whole("most_handoffs", base.most_handoffs, 1, 100),
        nobody_minutes=reading.whole("nobody_minutes", base.nobody_minutes, 1, 10_080),
        strategies=base.strategies,
    )
    known = {each.name for each in fields(DispatchPolicy)} - {"code", "version", "strategies"}
    reading.refuse_unknown("", document, known)
    if reading.problems:
        raise BadTerms(tuple(reading.problems))
    return found


class _Reading:
    """One document being read: what is wrong with it is gathered, not raised."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.problems: list[FieldProblem] = []

    def wrong(self, path: str, code: str, **params: Any) -> None:
        self.problems.append(FieldProblem(path, f"dispatch.terms.{code}", params))

    def refuse_unknown(self, path: str, part: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(str(each) for each in part if each not in known):
            self.wrong(f"{path}{key}", "unknown", name=key)

    def one_of(
        self, path: str, choices: type[Choice], default: Choice, part: Mapping[str, Any] | None = None
    ) -> Choice:
        value = (self.document if part is None else part).get(path.rpartition(".")[2], default)
        if isinstance(value, str) and value in set(choices):
            return choices(value)
        self.wrong(path, "choice", choices=", ".join(choices))
        return default

    def flag(self, path: str, default: bool, part: Mapping[str, Any] | None = None) -> bool:
        value = (self.document if part is None else part).get(path.rpartition(".")[2], default)
        if isinstance(value, bool):
            return value
        self.wrong(path, "flag")
        return default

    def number(self, path: str, value: Any, default: int, least: int, most: int) -> int:
        """A whole number within its bounds; never infinite, not a number, or a yes and no."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value != int(value) or not least <= value <= most:
            self.wrong(path, "number", least=least, most=most)
            return default
        return int(value)

    def whole(
        self, path: str, default: int, least: int, most: int, part: Mapping[str, Any] | None = None
    ) -> int:
        value = (self.document if part is None else part).get(path.rpartition(".")[2], default)
        return self.number(path, value, default, least, most)

    def group(self, path: str) -> Mapping[str, Any]:
        part = self.document.get(path, {})
        if isinstance(part, Mapping):
            return part
        self.wrong(path, "group")
        return {}

    def filters(self, base: Filters) -> Filters:
        part = self.group("filters")
        self.refuse_unknown("filters.", part, {each.name for each in fields(Filters)})
        return Filters(
            brand=self.one_of("filters.brand", BrandRule, base.brand, part),
            least_level=self.whole("filters.least_level", base.least_level, 0, 10, part),
            territory=self.flag("filters.territory", base.territory, part),
            shift_end=self.one_of("filters.shift_end", ShiftEnd, base.shift_end, part),
            overlap=self.flag("filters.overlap", base.overlap, part),
            vendors=self.one_of("filters.vendors", Vendors, base.vendors, part),
            standby=self.flag("filters.standby", base.standby, part),
        )

    def bands(self, path: str, base: tuple[Band, ...]) -> tuple[Band, ...]:
        listed = self.document.get(path)
        if listed is None:
            return base
        if isinstance(listed, str) or not isinstance(listed, Sequence) or len(listed) > MOST_BANDS:
            self.wrong(path, "bands", most=MOST_BANDS)
            return base
        return tuple(self._band(f"{path}.{index}", each) for index, each in enumerate(listed))

    def _band(self, path: str, part: Any) -> Band:
        if not isinstance(part, Mapping):
            self.wrong(path, "group")
            return Band()
        self.refuse_unknown(f"{path}.", part, {each.name for each in fields(Band)})
        within = part.get("within_m")
        return Band(
            within_m=None
            if within is None
            else self.number(f"{path}.within_m", within, FARTHEST_M, 1, FARTHEST_M),
            certified=self.flag(f"{path}.certified", False, part),
        )

    def weights(self, path: str, base: Weights | None) -> Weights | None:
        part = self.document.get(path, {})
        if part is None:
            return None
        if not isinstance(part, Mapping):
            self.wrong(path, "group")
            return base
        return self._weights(path, part, base)

    def _weights(self, path: str, part: Mapping[str, Any], base: Weights | None) -> Weights | None:
        if not part:
            return base
        self.refuse_unknown(f"{path}.", part, set(TERMS))
        before = base or tuple(0 for _ in TERMS)
        found = tuple(
            self.number(f"{path}.{term}", part.get(term.value, default), default, 0, MOST_WEIGHT)
            for term, default in zip(TERMS, before, strict=True)
        )
        if not any(found):
            self.wrong(path, "all_nought")
        return found

    def scales(self, base: Scales) -> Scales:
        part = self.group("scales")
        self.refuse_unknown("scales.", part, set(_SCALES))
        found = {
            name: self.whole(f"scales.{name}", getattr(base, name), least, most, part)
            for name, (least, most) in _SCALES.items()
        }
        return Scales(**found)

    def offer(self, base: OfferTerms) -> OfferTerms:
        part = self.group("offer")
        self.refuse_unknown("offer.", part, {each.name for each in fields(OfferTerms)})
        return OfferTerms(
            size=self.whole("offer.size", base.size, 1, 50, part),
            seconds=self.whole("offer.seconds", base.seconds, 10, 86_400, part),
            rounds=self.whole("offer.rounds", base.rounds, 1, 20, part),
            to=self.one_of("offer.to", OfferedTo, base.to, part),
        )

    def learned(self, base: Learned | None) -> Learned | None:
        if "learned" not in self.document:
            return base
        part = self.document["learned"]
        if part is None:
            return None
        if not isinstance(part, Mapping) or not isinstance(part.get("weights"), Mapping):
            self.wrong("learned", "group")
            return base
        report = part.get("report", {})
        weights = self._weights("learned.weights", part["weights"], None)
        return Learned(
            weights=weights or STANDARD_WEIGHTS,
            seed=self.number("learned.seed", part.get("seed", 0), 0, 0, 2**31 - 1),
            report=report if isinstance(report, Mapping) else {},
        )


# The least and the most of each scale.
_SCALES: Final[Mapping[str, tuple[int, int]]] = {
    "half_way_m": (100, 200_000),
    "near_m": (100, 200_000),
    "top_level": (1, 10),
    "travel_kmh": (1, 120),
    "ample_minutes": (1, 10_080),
}


def _spelled(part: Any) -> dict[str, Any]:
    return {each.name: getattr(part, each.name) for each in fields(part)}
