"""Small harms to texts, bytes and trees: each takes something and gives it spoilt."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import cbor2

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:aé\n\0\u0661\U0001f4a3\ud800"
_EDGES = bytes((0x00, 0x1B, 0x3B, 0x40, 0x5B, 0x7B, 0x80, 0x9B, 0x9F, 0xA0, 0xBB, 0xD2, 0xF7, 0xFF))
_HOSTILE: list[Callable[[Random], object]] = [
    lambda _: None,
    lambda chance: chance.getrandbits(64) - (1 << 63),
    lambda chance: chance.choice([True, -1, 0, 1, 2**64 - 1, -(2**64), 2**70, 9, 80]),
    lambda chance: chance.choice([0.5, 1e308, float("nan"), float("inf"), -0.0, 2.0]),
    lambda chance: chance.choice(
        ["", "v", "1.3.3", "1.0.0", "2026-02-30", "<", "\0", "\ud7ff", "٣"]
    ),
    lambda chance: chance.choice("K1é<-.") * chance.choice([1, 50, 51, 80, 81, 900, 9000]),
    lambda chance: chance.randbytes(chance.choice([0, 1, 8, 64, 3000])),
    lambda chance: [chance.getrandbits(8)] * chance.choice([0, 1, 2, 1000]),
    lambda chance: {chance.choice([1, 4, 6, -260, "v", "nam", "ci", b"k", 1.5]): 0},
    lambda chance: dict.fromkeys(range(chance.choice([0, 3, 600]))),
    lambda chance: _deep(chance.randrange(16)),
    lambda chance: cbor2.CBORTag(chance.choice([0, 1, 2, 18, 28, 35, 61, 258, 55799]), "2026"),
    lambda _: cbor2.undefined,
]


def spoil_text(text: str, chance: Random) -> str:
    """Return a text with a few letters changed, lost, doubled or moved."""
    letters = list(text)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(letters) + 1)
        end = start + chance.choice([0, 1, 2, 3, 30, len(letters)])
        match chance.randrange(4):
            case 0:
                letters[start : start + 1] = chance.choice(_LETTERS)
            case 1:
                del letters[start:end]
            case 2:
                letters[start:start] = letters[start:end]
            case _:
                letters[start:start] = chance.choices(_LETTERS, k=chance.choice([1, 3, 500]))
    return "".join(letters)


def spoil_bytes(data: bytes, chance: Random) -> bytes:
    """Return bytes with bits turned, pieces lost, doubled or made up."""
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(spoilt) + 1)
        end = start + chance.choice([0, 1, 2, 8, 60, len(spoilt)])
        match chance.randrange(6):
            case 0 if start < len(spoilt):
                spoilt[start] ^= 1 << chance.randrange(8)
            case 1:
                spoilt[start : start + 1] = bytes((chance.choice(_EDGES),))
            case 2:
                del spoilt[start:end]
            case 3:
                spoilt[start:start] = spoilt[start:end]
            case 4:
                spoilt[start:start] = chance.randbytes(chance.choice([1, 4, 300]))
            case _:
                spoilt[start:end] = b"\x7f" + b"\xff" * chance.choice([3, 7])
    return bytes(spoilt)


def spoil_tree(tree: Any, chance: Random, hostile: Callable[[Random], object] | None = None) -> Any:
    """Return a tree of lists and dicts in which one node is lost, doubled, renamed or replaced."""
    make = hostile or (lambda chance: chance.choice(_HOSTILE)(chance))
    inner = (
        list(tree)
        if isinstance(tree, dict)
        else list(range(len(tree)))
        if isinstance(tree, list)
        else []
    )
    if not inner or chance.random() < 0.15:
        return make(chance)
    place = chance.choice(inner)
    spoilt = tree.copy()
    match chance.randrange(12):
        case 0:
            del spoilt[place]
        case 1 if isinstance(spoilt, list):
            spoilt.insert(place, spoilt[place])
        case 2 if isinstance(spoilt, dict):
            spoilt[chance.choice([0, 1, 4, "v", "t", "r", "ver", ""])] = spoilt.pop(place)
        case _:
            spoilt[place] = spoil_tree(tree[place], chance, hostile)
    return spoilt


def _deep(levels: int) -> object:
    return [_deep(levels - 1)] if levels else {}
