"""Reading a definition out of JSON: every wrong place is named by its path and a code."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ticket_console.kernel.errors import FieldProblem, InvalidInput

_CODES = {
    "missing": "input.missing",
    "extra_forbidden": "input.unknown_key",
    "enum": "input.not_allowed",
    "literal_error": "input.not_allowed",
    "string_too_short": "input.too_short",
    "string_too_long": "input.too_long",
    "too_long": "input.too_long",
    "string_pattern_mismatch": "input.bad_format",
    "greater_than_equal": "input.out_of_range",
    "less_than_equal": "input.out_of_range",
}


class JsonForm(BaseModel):
    """The JSON form of a definition: strict about types, and about keys it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def read(cls, data: object, refusal: type[InvalidInput]) -> Self:
        """The form of plain JSON data (mappings, lists, scalars); raises `refusal` with every problem."""
        try:
            return cls.model_validate(data)
        except ValidationError as invalid:
            raise refusal(tuple(_problem(error) for error in invalid.errors(include_url=False))) from None

    def plain(self) -> dict[str, Any]:
        """The shortest JSON that reads back equal: what holds its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _problem(error: Any) -> FieldProblem:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    context = error.get("ctx", {})
    limits = {key: value for key, value in context.items() if isinstance(value, int | float | str)}
    return FieldProblem(path, _CODES.get(error["type"], "input.wrong_type"), limits)
