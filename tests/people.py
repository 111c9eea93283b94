"""People who do not exist, from a seed: four scripts, single names, birth dates in part."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from healthcert.data import vaccines, value_sets
from healthcert.hcert import uvci, writing
from healthcert.hcert.names import Holder

SEED = 20210701
LETTERS = {
    "latin": "abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþßāčđęğħıłńőřšťůžŵ",
    "arabic": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويپچڤگ",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґљњћђџ",
    "greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
}
_LANGUAGES = {"latin": "fr", "arabic": "ar", "cyrillic": "uk", "greek": "el"}
_BETWEEN = (" ", "-", "'", "’", "\u00a0", " d'", ". ")
_FIRST_DAY = date(2021, 1, 1)


@dataclass(frozen=True)
class Fiction:
    """Somebody and what is certified of them: ``v``, ``t`` or ``r``."""

    holder: Holder
    kind: str
    certificate: dict[str, Any]


def people(count: int, *, seed: int = SEED) -> Iterator[Fiction]:
    """Give so many people, the same ones for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        holder = _holder(dice)
        kind = dice.choice("vtr")
        yield Fiction(holder, kind, _MAKE[kind](dice, holder))


def _holder(dice: random.Random) -> Holder:
    script = dice.choice(list(LETTERS))
    family, given = _name(dice, script), _name(dice, script)
    if dice.random() < 0.1:  # one name alone, held as either
        family, given = dice.choice([(family, ""), ("", given)])
    on_paper = dice.random() < 0.2
    return Holder(
        family=family, given=given,
        birth_date=dice.choice([_born(dice), _born(dice)[:7], _born(dice)[:4], ""]),
        family_latin=_name(dice, "latin") if on_paper and family else "",
        given_latin=_name(dice, "latin") if on_paper and given else "", language=_LANGUAGES[script],
    )  # fmt: skip


def _name(dice: random.Random, script: str) -> str:
    words = [
        "".join(dice.choices(LETTERS[script], k=dice.randint(1, 14))).title()
        for _ in range(dice.choice([1, 1, 1, 2, 2, 3, 9]))
    ]
    return "".join(dice.choice(_BETWEEN) + word for word in words).strip(" -'’.\u00a0")


def _born(dice: random.Random) -> str:
    return (date(1900, 1, 1) + timedelta(days=dice.randrange(46_000))).isoformat()


def _day(dice: random.Random) -> date:
    return _FIRST_DAY + timedelta(days=dice.randrange(1_900))


def _statement(dice: random.Random) -> writing.Statement:
    country = dice.choice(list(value_sets()["country-2-codes"]))
    issuer = dice.choice(["Ministère de la Santé", "وزارة الصحة العامة", "Υπουργείο Υγείας"])
    identifier = uvci.new(country, "HC", dice.randbytes(15))
    return writing.Statement("840539006", country, issuer, identifier)


def _vaccination(dice: random.Random, holder: Holder) -> dict[str, Any]:
    product, codes = dice.choice(
        [(code, codes) for code, codes in vaccines().items() if not codes.withdrawn]
    )
    return writing.of_vaccination(
        holder, _statement(dice), product=product, authorisation=codes.holder,
        prophylaxis=dice.choice(codes.kinds), dose=dice.randint(1, 12), series=dice.randint(1, 3),
        given_on=_day(dice), vaccines=vaccines(),
    )  # fmt: skip


def _test(dice: random.Random, holder: Holder) -> dict[str, Any]:
    rapid = dice.random() < 0.5
    devices = list(value_sets()["covid-19-lab-test-manufacturer-and-name"])
    sampled = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(150_000_000))
    return writing.of_test(
        holder, _statement(dice),
        test_type=writing.RAPID_ANTIGEN if rapid else writing.NUCLEIC_ACID,
        result=dice.choice(list(value_sets()["covid-19-lab-result"])), sampled_at=sampled,
        centre=dice.choice(["", "Centre de dépistage"]),
        name="" if rapid else dice.choice(["", "Laboratory RT-PCR"]),
        device=dice.choice(devices) if rapid else "",
    )  # fmt: skip


def _recovery(dice: random.Random, holder: Holder) -> dict[str, Any]:
    return writing.of_recovery(holder, _statement(dice), first_positive=_day(dice))


_MAKE = {"v": _vaccination, "t": _test, "r": _recovery}
