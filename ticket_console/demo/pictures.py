"""Pictures that technicians of the demo take as evidence: drawn, so that nobody's photograph is needed."""

import io
from functools import cache
from random import Random
from typing import Final

from PIL import Image, ImageDraw

KINDS: Final = 8
_SIZE: Final = (480, 360)


@cache
def picture(kind: int) -> bytes:
    """One of `KINDS` pictures of a machine on a wall, as JPEG."""
    chance = Random(kind)
    wall = (chance.randint(170, 215), chance.randint(175, 210), chance.randint(175, 205))
    image = Image.new("RGB", _SIZE, wall)
    draw = ImageDraw.Draw(image)
    for row in range(0, _SIZE[1], 45):
        draw.line((0, row, _SIZE[0], row), fill=tuple(value - 12 for value in wall), width=2)
    left, top = chance.randint(60, 140), chance.randint(50, 110)
    body = (chance.randint(60, 240), chance.randint(80, 235), chance.randint(90, 235))
    draw.rounded_rectangle((left, top, left + 230, top + 150), 14, fill=body, outline=(60, 66, 74), width=3)
    for slot in range(6):
        line = top + 96 + slot * 8
        draw.line((left + 20, line, left + 210, line), fill=(70, 76, 84), width=2)
    draw.ellipse((left + 190, top + 16, left + 206, top + 32), fill=(52, 168, 83))
    draw.line((left + 40, top + 150, left + 40, _SIZE[1]), fill=(150, 98, 60), width=9)
    kept = io.BytesIO()
    image.save(kept, format="JPEG", quality=80)
    return kept.getvalue()
