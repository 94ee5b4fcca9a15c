"""How a refusal is kept in the raw log, and told again when the same message is sent again."""

from collections.abc import Mapping
from typing import Any

from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput


class UnreadableBody(ConsoleError):
    """Something that is not a JSON object at all."""

    code = "intake.unreadable_body"
    http_status = 400


class KeyMissing(ConsoleError):
    """Neither an idempotency key nor the source's own number: a repetition could not be recognised."""

    code = "intake.key_missing"


class KeyMalformed(ConsoleError):
    code = "intake.key_malformed"


class KeyReused(ConsoleError):
    """The key of an earlier message came with another content."""

    code = "intake.key_reused"
    http_status = 409


class LooksAutomatic(ConsoleError):
    """A form filled in where no person would: the field that the page hides."""

    code = "intake.looks_automatic"
    http_status = 422


class GaveUp(ConsoleError):
    """Creating the ticket broke down again and again; somebody has to look at it."""

    code = "intake.gave_up"
    http_status = 500


def reason_of(refusal: ConsoleError) -> dict[str, Any]:
    """What the raw log keeps of a refusal, enough for `refusal_of` to tell it again."""
    reason: dict[str, Any] = {
        "code": refusal.code,
        "status": refusal.http_status,
        "params": refusal.params,
    }
    if isinstance(refusal, InvalidInput):
        reason["problems"] = [
            {"path": each.path, "code": each.code, "params": dict(each.params)} for each in refusal.problems
        ]
    return reason


def refusal_of(reason: Mapping[str, Any]) -> ConsoleError:
    """The refusal that was kept, equal in code, status, parameters and problems."""
    # Code and status belong to the class of a refusal, and the class it had may be gone by now.
    told = {"code": reason["code"], "http_status": reason["status"]}
    params: dict[str, Any] = dict(reason["params"])
    refusal: ConsoleError
    if "problems" in reason:
        params.pop("count", None)
        refusal = type("KeptRefusal", (InvalidInput,), told)(problems_of(reason), **params)
    else:
        refusal = type("KeptRefusal", (ConsoleError,), told)(**params)
    return refusal


def problems_of(reason: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    kept = reason.get("problems", ())
    return tuple(FieldProblem(each["path"], each["code"], each["params"]) for each in kept)
