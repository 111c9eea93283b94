"""Another reading of docs/roles.md: the same answers as the program, found in another way.

It knows the page and nothing of `healthcert.policy.roles`. Organisations are a list of parents;
whoever asks, what is asked about and what is handed on are plain dictionaries.
"""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"


def table() -> dict[str, dict[str, str]]:
    """Return the columns of each act, by the names that stand at their heads."""
    lines = PAGE.read_text(encoding="utf-8").partition("## The table")[2].strip().splitlines()
    rows = [[cell.strip().strip("`") for cell in line.strip("| ").split("|")] for line in lines]
    head, _rule, *acts = rows
    return {act[0]: dict(zip(head[1:], act[1:], strict=True)) for act in acts}


TABLE = table()


def under(parents: list[int | None], low: int | None, high: int) -> bool:
    """Say whether an organisation is another one or stands below it, walking up by hand."""
    while low is not None:
        if low == high:
            return True
        low = parents[low]
    return False


def allowed(parents, asks, act, thing, handed, moment) -> bool:
    """Say what the page says.

    Args:
        parents: The organisation above each, None at the top.
        asks: ``role`` (a head of the table), ``person``, ``acts_for``, ``site``, ``works_for``.
        act: What they would do.
        thing: ``person``, ``site``, ``of``: whose it is.
        handed: ``act``, ``giver``, ``taker``, ``ends``, ``revoked`` each.
        moment: A number that grows.
    """
    word = TABLE.get(act, {}).get(asks["role"], "nobody")
    if word == "country":
        return True
    if word == "own":
        return thing["person"] in {asks["person"], *asks["acts_for"]} - {None}
    if word == "site":
        return None is not thing["site"] == asks["site"]
    if word != "organisation" or asks["works_for"] is None or thing["of"] is None:
        return False
    tops = [asks["works_for"]]
    for paper in handed:
        over = paper["ends"] <= moment or (
            paper["revoked"] is not None and paper["revoked"] <= moment
        )
        goes_down = paper["giver"] != paper["taker"] and under(
            parents, paper["taker"], paper["giver"]
        )
        if paper["taker"] == asks["works_for"] and paper["act"] == act and goes_down and not over:
            tops.append(paper["giver"])
    return any(under(parents, thing["of"], top) for top in tops)
