"""Any JSON whatsoever, as logic and as data: an answer or the refusal, nothing else."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.policy.certlogic import as_json, compile_logic
from healthcert.policy.operations import OPERATIONS
from healthcert.policy.rules import read_rule
from healthcert.policy.wellformed import faults

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 2**53 + 1, 10**400, 1e300])
DATES = st.from_regex(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d*)?(Z|[+-]\d\d?:?(\d\d)?)?)?)?)?\Z")
TEXTS = st.text(max_size=20) | DATES | st.sampled_from(["", "day", "year", "URN:UVCI:01:NL:1#2"])
PATHS = st.sampled_from(["", "a", "a.0", "0", "current", "accumulator", "current.a", "a.length"])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "var", "if"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=20,
)
LOGIC = st.recursive(
    LEAVES | st.builds(lambda path: {"var": path}, PATHS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(
            lambda name, operands: {name: operands},
            st.sampled_from([*OPERATIONS, "var", "no-such-operation"]),
            st.lists(inner, max_size=4),
        )
    ),
    max_leaves=25,
)


@given(LOGIC | ANY, ANY)
def test_any_logic_over_any_data_gives_json_or_is_refused(logic, data):
    with suppress(RuleError):
        compiled = compile_logic(logic)
        first, second = (as_json(compiled.evaluate(data)) for _ in range(2))
        assert repr(first) == repr(second)


@given(LOGIC)
def test_well_formed_logic_of_any_kind_can_be_compiled(logic):
    if not faults(logic):
        assert compile_logic(logic).cost > 0


@given(ANY, st.sampled_from(["Identifier", "Description", "AffectedFields", "Logic", "ValidTo"]))
def test_any_json_is_a_rule_or_is_refused(value, member):
    for rule in (value, {member: value}):
        with suppress(RuleError):
            read_rule(rule)
