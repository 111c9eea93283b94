"""How names sound across scripts and spellings, and how alike two of them are.

A code keeps the consonants of one part of a name by the kind of their sound: no vowels, no h,
no doubling, since Arabic does not write the first, French not hear the second, and nobody
agrees on the third. A letter that stands for several sounds gives several codes:

    Mohamed, Muhammad, Mohammed, محمد   MT        Gamal, Djamel, جمال   JML (and KML)
    Othman, Osman, عثمان                ASMN      Khoury, El-Khouri, الخوري   KR
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, product

from healthcert.hcert.names import standardise

_APART = re.compile(r"[\s,.\-\u00ad\u2010-\u2015]+")
_ARABIC = str.maketrans(
    {
        **dict.fromkeys("اأإآٱعءىة", "a"), **dict.fromkeys("حهھ", "h"),
        **dict.fromkeys("ذضظ", "dh"), **dict.fromkeys("تط", "t"), **dict.fromkeys("سص", "s"),
        **dict.fromkeys("كک", "k"), **dict.fromkeys("بپ", "b"),
        **dict.fromkeys("فڤ", "f"), **dict.fromkeys("جژ", "dj"),
        **dict.fromkeys("يیئ", "i"), **dict.fromkeys("وؤ", "u"), **dict.fromkeys("گ", "g"),
        "ث": "th", "خ": "kh", "ش": "sh", "غ": "gh", "چ": "ch", "د": "d", "ر": "r", "ز": "z",
        "ق": "q", "ل": "l", "م": "m", "ن": "n",
    }
)  # fmt: skip
_MARKED = str.maketrans(
    {"č": "ch", "š": "sh", "ž": "zh", "ç": "s", "ş": "sh", "đ": "dj", "ł": "l", "ø": "o",
     "æ": "e", "œ": "e", "\u0131": "i", "ð": "dh", "þ": "th"}
)  # fmt: skip
_PARTICLE = re.compile(
    "[aeiu]l|abd([aeiu]l)?|abed|be[ni]|beni|bint?|bi?nt|bn|i?bn|abn|abu|a?bou|del?|della|d[aeiou]s?"
    "|l[ae]s?|van|von|de[nr]|ter|y|e|zu"
)
# What stands joined before some names, and may as well be written apart or not at all.
_JOINED = re.compile(r"(?:abd(?:[aeiou]+[lrnszdt]?)?|[aeiu]l|ab[ou]+|bou|ben|bin)(?=[^aeiou].{2})")
_SOUNDS: dict[str, tuple[str, ...]] = {
    "tsch": ("S",), "tch": ("S",), "sch": ("S",), "sh": ("S",), "ts": ("S",), "tz": ("S",),
    "ch": ("S", "K"), "kh": ("K", ""), "gh": ("K",), "ck": ("K",), "qu": ("K",), "x": ("KS",),
    "zh": ("S", "J"), "dzh": ("J",), "dj": ("J",), "j": ("J", ""), "g": ("K", "J"),
    "dh": ("T", "S"), "th": ("T", "S"), "z": ("S", "T"), "ph": ("F",), "w": ("", "F"),
    **dict.fromkeys("bp", ("B",)), **dict.fromkeys("fv", ("F",)), **dict.fromkeys("td", ("T",)),
    **dict.fromkeys("ckq", ("K",)), **{letter: (letter.upper(),) for letter in "lmnrs"},
}  # fmt: skip
_SOFT_C = re.compile(r"c(?=[eiy])")  # not in ch, which is another sound
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)) + "|.")
_MOST_CODES = 16
_SOUNDS_ALIKE = 0.8


def parts(*names: str) -> list[str]:
    """Return the parts of names in a-z, each once, without particles such as ``al`` or ``de``."""
    found = [_latin(part) for name in names for part in _APART.split(name)]
    whole = list(dict.fromkeys(part for part in found if part))
    return [part for part in whole if part[1:] and not _PARTICLE.fullmatch(part)] or whole


@lru_cache(maxsize=4096)
def codes(part: str) -> frozenset[str]:
    """Return the codes of one part of a name, as `parts` gives it."""
    return frozenset(
        _code(sounds)
        for stem in {part, _JOINED.sub("", part, count=1) if _JOINED.match(part) else part}
        for sounds in islice(product(*_heard(stem)), _MOST_CODES)
    )


def likeness(typed: Sequence[str], told: Sequence[str]) -> float:
    """Return how alike two names are, 0 to 1: the mean of what each typed part comes nearest to."""
    best = [max((_alike(one, other) for other in told), default=0.0) for one in typed]
    return sum(best) / len(best) if best else 0.0


def nearness(one: str, other: str) -> float:
    """Return 1 for equal texts, less for each letter put in, left out, changed or swapped."""
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, start=1):
        row = [i]
        for j, right in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and right == one[i - 2]:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return 1 - rows[-1][-1] / max(len(one), len(other), 1)


@lru_cache(maxsize=4096)
def _alike(one: str, other: str) -> float:
    ours, theirs = codes(one), codes(other)
    if ours & theirs:
        return max(_SOUNDS_ALIKE, nearness(one, other))
    sounds = max(nearness(code, another) for code in ours for another in theirs)
    return max(nearness(one, other), _SOUNDS_ALIKE * sounds)


def _latin(part: str) -> str:
    small = unicodedata.normalize("NFC", part).casefold().translate(_ARABIC).translate(_MARKED)
    plain = "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))
    foreign = any(letter.isalpha() and not letter.isascii() for letter in plain)
    return re.sub("[^a-z]", "", standardise(part).lower() if foreign else plain)


def _heard(stem: str) -> list[tuple[str, ...]]:
    return [_SOUNDS.get(letters, ("",)) for letters in _SOUND.findall(_SOFT_C.sub("s", stem))]


def _code(sounds: Sequence[str]) -> str:
    spoken = ("A" if not sounds[0] else "") + "".join(sounds)
    return re.sub(r"(.)\1+", r"\1", spoken)
