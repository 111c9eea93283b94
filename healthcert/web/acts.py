"""The act that each endpoint is; one that is not named here is refused to everyone."""

from collections.abc import Iterator, Mapping

# By act, in the order of the table of roles: of each blueprint its views; v1 are programs' deeds.
BY_ACT: Mapping[str, str] = {
    "read_public_page": "about_api: openapi page; health: alive ready; public: home draws "
    "draw_file; room: page ask line availability; styleguide; dev: outbox; v1: draws draw "
    "availability",
    "read_metrics": "metrics: metrics",
    "verify_certificate": "verify: page check bundle part; api: verify verify_batch",
    "search_places": "booking: start slots second; v1: sites site programmes slots second",
    "book_appointment": "booking: who details check hold without book done calendar_file; waiting: "
    "ask join; v1: hold confirm let_go enter calendar_of_party",
    "ask_for_code": "citizen: sign_in ask_code; v1: ask_code",
    "sign_in": "national: start back; citizen: code redeem; staff: sign_in ask_passkey "
    "with_passkey with_password to_provider from_provider; account: invitation redeem enrol "
    "ask_passkey add_passkey add_password; dev: sign_in become; v1: sign_in",
    "sign_out": "staff: lock sign_out; v1: sign_out",
    "see_own_record": "citizen: overview why; appointments: calendar_file; rights: record as_json "
    "as_pdf seen; v1: appointments appointment calendar certificates doses whole_record seen "
    "on_paper decisions",
    "see_own_certificate": "citizen: certificate certificate_file; rights: certificate; v1: "
    "certificate code picture paper",
    "erase_own_record": "rights: foresee confirm erase; v1: erase foresee_erasure",
    "keep_family": "family: page look_after child invite join end; v1: family_of enrol_child "
    "let_act begin_to_act end_acting",
    "keep_waiting": "waiting: mine begin leave answer; v1: waits join leave accept decline",
    "cancel_own_appointment": "appointments: cancel; v1: cancel",
    "move_own_appointment": "appointments: move; v1: move",
    "see_day_list": "clinic: day find; care: observed; v1: day_list observed",
    "see_patient": "clinic: appointment; people: find person; care: left; doses: recorded; v1: "
    "patient recorded find person left",
    "register_arrival": "clinic: arrive; v1: arrive",
    "book_for_someone": "desk: start slots second who details check hold without book done "
    "calendar_file find; v1: slots_at_desk second_at_desk hold_at_desk confirm_at_desk "
    "let_go_at_desk offers_at_desk accept_at_desk decline_at_desk; people: answer",
    "help_in_person": "clinic: document card assist; people: assist; v1: add_document "
    "new_card assist assist_known",
    "record_consent": "care: consent; unbooked: consent; v1: consent consent_unbooked",
    "screen_patient": "care: questions; v1: questions screen questions_unbooked screen_unbooked",
    "keep_stock": "stock: shelves receive move lay read vial today; entries: every; v1: shelves "
    "fridges receive move_stock transfer lay read_fridge read_monitor open_vials open_vial "
    "discard_vial entries",
    "make_calls": "calls: every tell; v1: calls told_by_call not_reached",
    "record_dose": "doses: ask record; unbooked: dose; v1: record_dose write_down",
    "record_not_vaccinated": "care: not_vaccinated; v1: not_vaccinated",
    "triage_patient": "care: decision; unbooked: decision; v1: decide decide_unbooked",
    "offer_standby": "closing: standby; v1: open_today standby",
    "settle_stock": "entries: one correct; stock: settle; v1: settle add_fridge retire_fridge "
    "correct_entry",
    "plan_sessions": "planning: every preview make resize; holidays: every; v1: sessions resize "
    "templates preview make closures site_hours holidays country_holidays",
    "close_site": "planning: foresee close foresee_one cancel foresee_end end; hours: show begin; "
    "v1: foresee_closure close_day open_day foresee_cancel cancel_session foresee_end "
    "end_template foresee_hours begin_hours",
    "see_lots": "lots: every; v1: known_lots lot recall",
    "order_lots": "lots: exhaust order set_aside foresee recall; v1: order_lot exhaust",
    "hold_draw": "draws: ask announce run foresee give_up; v1: announce_draw give_up_draw run_draw",
    "keep_opening": "opening: ask announce foresee take_away; v1: set_opening take_opening_away",
    "mark_dose_in_error": "doses: correct mark_in_error; v1: mark_in_error judge_dose correct",
    "mark_finding_in_error": "people: mark_in_error; v1: finding_in_error",
    "mark_reaction_in_error": "reactions: mark_in_error; v1: reaction_in_error",
    "report_adverse_event": "reactions: report more; v1: report_event tell_more",
    "record_finding": "people: test recovery; v1: record_test record_recovery",
    "count_stock": "closing: page count; v1: sums count",
    "close_session": "closing: close open_again; v1: close_session open_session",
    "see_adverse_events": "reactions: cases case; v1: cases case",
    "assess_adverse_event": "reactions: move export; v1: assess export_cases",
    "see_service_state": "draws: every show; opening: page; admin: state; v1: alarms opening "
    "opening_state",
    "see_organisations": "team: members; admin: organisations held; v1: held organisations "
    "delegations",
    "settle_alarm": "admin: alarm; v1: settle_alarm",
    "delegate": "admin: delegate revoke; v1: delegate revoke",
    "end_work": "team: end_work",
    "invite_staff": "team: invite",
    "recover_staff": "team: recover grant",
    "end_sessions": "team: sign_out",
    "release_certificates": "admin: release; v1: release",
    "see_requests": "contested: every one; v1: requests request",
    "decide_requests": "contested: decide; v1: decide_request",
    "keep_sites": "sites: every show keep; v1: kept_sites kept_site make_site change_site",
    "declare_holiday": "holidays: foresee declare confirm withdraw; v1: foresee_holiday "
    "declare_holiday withdraw_holiday",
    "manage_own_account": "account: own tokens change",
    "prove_again": "staff: again",
}


def endpoints(told: str) -> Iterator[str]:
    """Give the endpoints that a row of `BY_ACT` names."""
    for group in told.split("; "):
        door, _colon, names = group.partition(": ")
        yield from [f"{door}.{name}" for name in names.split()] or [door]


ACTS: Mapping[str, str] = {
    endpoint: act for act, told in BY_ACT.items() for endpoint in endpoints(told)
}
# Answered without looking who asks: no session is read, and no form token is asked for,
# because nothing is changed by them for anybody.
STATELESS = frozenset({"verify_certificate", "read_public_page", "read_metrics"})
