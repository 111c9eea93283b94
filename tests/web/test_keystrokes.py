"""How long the entry of a dose takes a practised nurse, reckoned from the pages as they are.

Keystroke-level model: Card, Moran and Newell, "The keystroke-level model for user performance time
with interactive systems", Communications of the ACM 23(7), 1980. K is that of an average typist
(40 words a minute); a press and a release of the button (B) are those of Kieras, 1993. An M stands
before each act, which is more than the heuristics of the model ask for.
"""

from __future__ import annotations

import re

from tests.web.test_clinic import given

ON = "sqlite"  # the pages are the same on each engine

K, P, B, H, M = 0.28, 1.1, 0.1, 0.4, 1.35  # seconds
CLICK = M + P + 2 * B
MOST_ACTS, MOST_SECONDS = 6, 12.0
_INPUT = re.compile(r"<(?:input|select|textarea)\b[^>]*>")
_SELECT = re.compile(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', re.DOTALL)
_NAME = re.compile(r'\bname="([^"]+)"')


def needed(page: str) -> list[str]:
    """Return the fields of the form of the dose that stand neither filled in nor chosen."""
    form = page[page.index("/dose") : page.rindex("</form>")]
    form = form[form.index('name="csrf_token"') :]
    fields: dict[str, bool] = {}
    for tag in _INPUT.findall(form):
        name = _NAME.search(tag)
        if name and 'type="hidden"' not in tag and "<select" not in tag:
            chosen = " checked" in tag if "radio" in tag or "checkbox" in tag else "value=" in tag
            fields[name[1]] = fields.get(name[1], False) or chosen
    for name, inside in _SELECT.findall(form):
        fields[name] = bool(re.search(r'value="[^"]+" selected', inside))
    return [name for name, done in fields.items() if not done]


def test_a_returning_persons_dose_takes_six_acts_and_twelve_seconds_at_most(
    book, staff, clinic, capsys
):
    nurse = staff("nurse")
    paths = []
    for number in range(2):
        _visitor, reference = book(identity_value=f"K{number}", slot=number)
        page = nurse.post("/clinic/", {"find": reference}).text
        paths.append(re.search(r"/clinic/appointments/[0-9a-f-]+", page)[0])
    # The first person of the shift: from now on the lot is known; the second returns, and agreed.
    nurse.post(f"{paths[0]}/dose", given(clinic))
    agreed = {"decision": "given", "decided_by": "self"}
    nurse.post(f"{paths[1]}/consent", agreed, page=paths[1])
    day = nurse.get("/clinic/").text
    page = nurse.get(f"{paths[1]}/dose").text
    open_fields = needed(page)
    assert set(open_fields) == {"identity", "all_no"}  # a box each, and nothing to type
    acts = ["open the form from the list", *open_fields, "save"]
    assert f"{paths[1]}/dose" in day  # the list leads a nurse to the form itself
    typed = {"identity": "y", "all_no": "y"} | chosen(page)
    assert nurse.post(f"{paths[1]}/dose", typed).status_code == 303
    seconds = H + len(acts) * CLICK
    with capsys.disabled():
        print(f"\nkeystroke-level model: {len(acts)} acts, {seconds:.1f} s")  # noqa: T201 - a figure
    assert len(acts) <= MOST_ACTS
    assert seconds <= MOST_SECONDS


def chosen(page: str) -> dict[str, str]:
    """Return what stands chosen or filled in on the page, as a browser sends it."""
    found = {}
    for tag in _INPUT.findall(page):
        name, value = _NAME.search(tag), re.search(r'\bvalue="([^"]*)"', tag)
        known = " checked" in tag or "datetime-local" in tag or 'name="product"' in tag
        if name and value and known:
            found[name[1]] = value[1]
    for name, inside in _SELECT.findall(page):
        if picked := re.search(r'value="([^"]*)" selected', inside):
            found[name] = picked[1]
    return found
