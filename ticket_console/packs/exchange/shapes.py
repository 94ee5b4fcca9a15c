"""What the files of every kind have in common."""

from typing import Annotated

from pydantic import Field

from ticket_console.kernel.errors import InvalidInput

NameText = dict[Annotated[str, Field(pattern="^(zh|en)$")], Annotated[str, Field(max_length=200)]]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class BadDefinition(InvalidInput):
    """A file whose outer shape is wrong, before its room looks at what it holds."""

    code = "exchange.bad_definition"
