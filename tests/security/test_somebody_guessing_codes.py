"""However many guess at once, five guesses of a code are compared; the rest meets nothing."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from healthcert.data.limits import limits
from healthcert.services import access, codes, messages
from tests.factories import NOW
from tests.services.clinic import PEPPER
from tests.threads import at_once

BORN = "1980-05-17"
THREADS = 64
GUESSES = int(os.environ.get("HEALTHCERT_GUESSES", "8"))  # of each thread; 1,000 by night
MILLION = 10**6


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_sixty_four_threads_of_many_guesses_get_exactly_five_compared(clinic, say):
    mine = clinic.book(clinic.slot())
    claim = access.Claim(mine.reference, BORN)
    asked = {"vault": clinic.vault, "pepper": PEPPER, "claim": claim, "now": NOW}
    clinic.doors.run(lambda db: access.request_code(db, **asked))
    with clinic.doors.reading() as db:
        [sent] = messages.outbox(db, vault=clinic.vault, limit=2)[:1]
    right = int(sent.text.partition("code is ")[2][:6])

    def guess(thread: int) -> list[access.Answer]:
        wrong = [(right + 1 + thread * GUESSES + turn) % MILLION for turn in range(GUESSES)]
        return [
            clinic.doors.run(lambda db, code=code: access.redeem(db, code=f"{code:06}", **asked))
            for code in wrong
        ]

    answers = [each for some in at_once(THREADS, guess) for each in some]
    assert len(answers) == THREADS * GUESSES
    assert sum(answer.compared for answer in answers) == codes.MOST_TRIES
    late = clinic.doors.run(lambda db: access.redeem(db, code=f"{right:06}", **asked))
    assert not late.compared
    say(f"{len(answers)} guesses by {THREADS} threads: {codes.MOST_TRIES} compared")


def test_what_a_million_guesses_may_win_is_bounded_and_takes_long(say):
    """One code in a million is right: what bounds a guesser is how many are compared."""
    a_day, limit = codes.MOST_A_DAY * codes.MOST_TRIES, limits()["redeem_code"]["network"]
    one_person = a_day / MILLION
    per_day = limit.most * timedelta(days=1) / timedelta(seconds=limit.within)
    days = MILLION / per_day
    say(
        f"at one person: at most {a_day} guesses a day are compared, {one_person:.5f} expected"
        f" successes; a million guesses from one network last {days:.0f} days and win at most"
        f" {1 - (1 - 1 / MILLION) ** MILLION:.2f} sessions, spread over {MILLION // a_day:,}"
        " people whose reference and birth date must be known"
    )
    assert one_person <= 1 / 20_000
    assert days >= 28
