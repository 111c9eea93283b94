"""What is told of a reaction, news of a case, and why a report should not stand, as forms."""

from collections.abc import Mapping

from healthcert.i18n import Lazy
from healthcert.i18n import lazy as _
from healthcert.models.adverse_event import ERROR_REASONS
from healthcert.web import labels
from healthcert.web.answers import Answers, Choice, Line, Radios, needed, options
from healthcert.web.forms import DayField


class Words(Answers):
    """What is told of a reaction and sealed; the names are those of `reactions.TOLD`."""

    onset_time = Line(_("At what time did it begin?"))
    narrative = Line(_("Signs, and what was done"))
    history = Line(_("Illnesses, allergies and medicines from before"))
    pregnant = Choice(
        _("Are they pregnant or breastfeeding?"), choices=options(labels.PREGNANT), default=""
    )
    patient_place = Line(_("Town or village where they live"))
    other_vaccines = Line(_("Other vaccines shortly before"))
    elsewhere = Line(_("Vaccine, lot, day and time, if that dose is not on our record"))
    diluent_lot = Line(_("Lot of the diluent"))
    reporter_name = Line(_("Name of who tells of it"))
    reporter_position = Line(_("Their work and place of work"))
    reporter_contact = Line(_("Their phone number or mail address"))


class Told(Words):
    """What is reported of a reaction: the coded variables of the WHO too."""

    dose = Choice(_("After which dose?"), [needed])
    term = Radios(_("What happened?"), choices=options(labels.EVENTS))
    onset_on = DayField(_("On which day did it begin?"))
    seriousness = Radios(_("How grave is it?"), choices=options(labels.SERIOUSNESS))
    outcome = Radios(_("How are they now?"), choices=options(labels.EVENT_OUTCOMES))
    reporter = Radios(_("Who tells of it?"), choices=options(labels.DECIDERS))


def _news(asked: Lazy, told: Mapping[str, Lazy]) -> Choice:
    return Choice(asked, choices=options({"": _("Nothing new"), **told}), default="")


class More(Words):
    """What was learned since, the coded variables that a site may tell anew among it."""

    seriousness = _news(_("How grave is it?"), {
        code: words for code, words in labels.SERIOUSNESS.items() if code != "not_serious"
    })  # fmt: skip
    outcome = _news(_("How are they now?"), labels.EVENT_OUTCOMES)


class Mistaken(Answers):
    """Why a report should not stand."""

    reason = Radios(_("What is wrong with this report?"), choices=options(
        {why: labels.EVENTS_IN_ERROR[why] for why in ERROR_REASONS}
    ))  # fmt: skip


class Step(Answers):
    """What was found out about a case; empty where nothing is new."""

    state = Choice(_("Move the case on"), choices=list(labels.CASES))
    causality = _news(_("What caused it?"), labels.CAUSES)
    outcome = _news(_("How are they now?"), labels.EVENT_OUTCOMES)
    seriousness = _news(_("How grave is it?"), labels.SERIOUSNESS)
