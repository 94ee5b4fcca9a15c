"""The kinds that a column of a table may have."""

from typing import Final

from ticket_console.forms.fields import FieldKind
from ticket_console.forms.kinds import (
    choice,
    date,
    duration,
    formula,
    moment,
    money,
    number,
    part,
    phone,
    rating,
    scan,
    text,
    yes_no,
)
from ticket_console.forms.kinds.kind import Kind

COLUMN_KINDS: Final[dict[FieldKind, Kind]] = {
    kind.kind: kind
    for kind in (
        text.KIND,
        number.KIND,
        money.KIND,
        date.KIND,
        moment.KIND,
        duration.KIND,
        choice.KIND,
        yes_no.KIND,
        rating.KIND,
        phone.KIND,
        part.KIND,
        scan.KIND,
        formula.KIND,
    )
}
