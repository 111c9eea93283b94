"""Names as the machine-readable zone of a passport writes them: A-Z and the filler ``<``.

Sources: ICAO Doc 9303 part 3, sections 4.6 (what becomes of blanks, hyphens and apostrophes)
and 6 (transliteration); EU DCC schema 1.3.3, ``fnt`` and ``gnt``. A name that stands in the
holder's travel document is taken from there; this is for those who have none.
"""

import re
import string
import unicodedata
from dataclasses import dataclass

from healthcert.hcert.scripts import (
    AT_THE_START,
    BY_LANGUAGE,
    FINAL_TEH_MARBUTA,
    LETTERS,
    TOGETHER,
)

LONGEST = 80

_APART = re.compile(r"[\s,\-\u00ad\u058a\u2010-\u2015\u2212]+")
_AS_WRITTEN_TOGETHER = re.compile("[\ufb00-\uffef]")  # ligatures and wide forms
_SHADDA, _TEH_MARBUTA, _MICRO = "\u0651", "\u0629", "\u00b5"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate speaks of."""

    family: str  # in its own script; of someone with one name, that name
    given: str  # in their own script, or empty
    birth_date: str  # ``YYYY``, ``YYYY-MM``, ``YYYY-MM-DD``, or empty where nobody knows
    family_latin: str = ""  # as the travel document or the ID spells it in Latin letters, or empty
    given_latin: str = ""  # the same for the given names
    language: str = ""  # ISO 639-1; a letter may be Ukrainian or Russian


def standardise(name: str, *, language: str | None = None) -> str:
    """Return a name in A-Z and ``<``, at most 80 characters; empty where no letter has a table.

    Blanks and hyphens become ``<``, apostrophes and all other signs are left out. A letter
    that the published tables do not know is left out too: `left_out` names it.

    Args:
        name: The name in its own script.
        language: ISO 639-1; tells Ukrainian from Russian where they write one letter two ways.
    """
    written = (_component(part, language or "")[0] for part in _components(name))
    return "<".join(part for part in written if part)[:LONGEST].rstrip("<")


def left_out(name: str) -> str:
    """Return the letters of a name that no published table knows, each once, in their order."""
    missing = "".join(_component(part, "")[1] for part in _components(name))
    return "".join(dict.fromkeys(missing))


def names_of(holder: Holder) -> dict[str, str]:
    """Return ``nam``: the names as their holder writes them, and as a passport would.

    The Latin spelling of the holder's document goes before our own transliteration. What is
    empty is left out, but ``fnt``: schemas before 1.3.2 want it of everybody.
    """
    family = standardise(holder.family_latin or holder.family, language=holder.language)
    given = standardise(holder.given_latin or holder.given, language=holder.language)
    named = {
        "fn": composed(holder.family),
        "fnt": family,
        "gn": composed(holder.given),
        "gnt": given,
    }
    return {key: name for key, name in named.items() if name or key == "fnt"}


def composed(text: str) -> str:
    """Return a text as it is signed: composed (NFC), at most 80 characters."""
    return unicodedata.normalize("NFC", text)[:LONGEST]


def _components(name: str) -> list[str]:
    """Return the parts of a name between blanks and hyphens, composed and in upper case."""
    plain = _AS_WRITTEN_TOGETHER.sub(lambda m: unicodedata.normalize("NFKC", m[0]), name)
    upper = plain.replace(_MICRO, "").upper()  # its upper case would be a Greek letter
    return _APART.split(unicodedata.normalize("NFC", upper))


def _component(part: str, language: str) -> tuple[str, str]:
    """Return one part as A-Z, and the letters of it that no table knows."""
    if part.isascii() and part.isalpha():
        return part, ""
    letters = {**LETTERS, **BY_LANGUAGE.get(language, {})}
    for pattern, replacement in TOGETHER:
        part = pattern.sub(replacement, part)
    written: list[str] = []
    missing = ""
    for letter in part:
        if letter == _SHADDA and written:
            written.append(written[-1])  # it doubles the letter it stands above
            continue
        first = AT_THE_START.get(language, {}).get(letter) if not written else None
        found = first or _letter(letter, letters)
        written.extend([found] if found else [])
        missing += letter if not found and _has_no_table(letter, letters) else ""
    if written and unicodedata.normalize("NFD", part).rstrip(_MARKS)[-1:] == _TEH_MARBUTA:
        written[-1] = FINAL_TEH_MARBUTA
    return "".join(written), missing


_MARKS = "".join(chr(code) for code in range(0x064B, 0x0653))  # Arabic vowel signs


def _letter(letter: str, letters: dict[str, str]) -> str:
    """Return a letter as A-Z, with or without its marks; empty when it is left out."""
    if letter in letters:
        return letters[letter]
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base in string.ascii_uppercase else letters.get(base, "")


def _has_no_table(letter: str, letters: dict[str, str]) -> bool:
    base = unicodedata.normalize("NFD", letter)[0]
    is_letter = unicodedata.category(letter) in ("Lu", "Ll", "Lt", "Lo")  # Lm are signs
    return is_letter and not {letter, base} & letters.keys()
