"""The act that each deed of a program is: the names of deeds by act."""

from __future__ import annotations

from collections.abc import Mapping

OF_PROGRAMS: Mapping[str, str] = {
    "search_places": "sites site programmes slots",
    "book_appointment": "hold confirm let_go",
    "keep_waiting": "waits join leave accept decline",
    "read_public_page": "draws draw availability",
    "ask_for_code": "ask_code",
    "sign_in": "sign_in",
    "sign_out": "sign_out",
    "keep_family": "family_of enrol_child let_act begin_to_act end_acting",
    "see_own_record": "appointments appointment calendar certificates doses whole_record seen",
    "see_own_certificate": "certificate code",
    "erase_own_record": "erase",
    "cancel_own_appointment": "cancel",
    "move_own_appointment": "move",
    "see_day_list": "day_list observed",
    "see_patient": "patient recorded find person left",
    "register_arrival": "arrive",
    "record_not_vaccinated": "not_vaccinated",
    "record_dose": "record_dose",
    "record_consent": "consent",
    "screen_patient": "questions screen",
    "triage_patient": "decide",
    "help_in_person": "add_document new_card",
    "record_finding": "record_test record_recovery",
    "report_adverse_event": "report_event",
    "see_adverse_events": "cases case",
    "assess_adverse_event": "assess",
    "count_stock": "sums count",
    "close_session": "close_session",
    "offer_standby": "open_today standby",
    "keep_stock": "shelves fridges receive move_stock transfer add_fridge read_fridge read_monitor "
    "open_vials open_vial discard_vial",
    "settle_stock": "settle",
    "plan_sessions": "sessions resize templates preview make closures",
    "close_site": "close_day",
    "see_lots": "known_lots lot recall",
    "order_lots": "order_lot",
    "mark_dose_in_error": "mark_in_error correct",
    "see_service_state": "alarms",
    "settle_alarm": "settle_alarm",
}
