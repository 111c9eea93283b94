"""Pictures as files: one that an SVG of ours describes, and any at all in any form."""

from __future__ import annotations

import io
import re

from PIL import Image


def drawn(svg: str) -> bytes:
    """Return the picture an SVG of ours describes, 4 pixels a module."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    picture = Image.new("L", (side, side), 255)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        picture.paste(0, (int(x), int(y), int(x) + int(length), int(y) + 1))
    return saved(picture.resize((4 * side, 4 * side), Image.Resampling.NEAREST))


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()
