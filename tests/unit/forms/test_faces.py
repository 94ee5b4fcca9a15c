"""The icons a form can have are drawn by the designer as well as by the pages."""

import re
from pathlib import Path

import pytest

from ticket_console.designer.form import form_designer
from ticket_console.forms.faces import FACE_ICONS
from ticket_console.packs import contents

DRAWN = set(
    re.findall(r"\b[A-Z]\w+", Path(form_designer.__file__).with_name("icons.js").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("icon", FACE_ICONS)
def test_the_designer_draws_every_icon_a_form_can_have(icon: str) -> None:
    assert "".join(part.capitalize() for part in icon.split("-")) in DRAWN


def test_forms_that_come_with_the_console_have_such_an_icon() -> None:
    templates = [
        template for pack in contents.pack_codes() for template in contents.read_pack(pack).templates
    ]
    assert {each.face.icon for each in templates} - set(FACE_ICONS) == set()
