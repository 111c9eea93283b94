"""People copied by the server, with all that the services wrote down of somebody.

Each copy has its own identifiers, tokens and times. What lies beside the rows to find them by is
made afterwards, as everybody does who fills tables: it says the same, and takes half the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from uuid import UUID

from sqlalchemy import Connection, Table, text

from healthcert.models import Base

# Tables of a person's record, with the columns whose values must differ from copy to copy.
_DIGEST = "sha256({0} || int4send(n))"
_COPIED: Mapping[str, Mapping[str, str]] = {
    "person": {
        "birth_year": "1930 + n % 80", "sealed": "(SELECT sealed FROM crowd WHERE number = n)",
    },
    "identity": {"blind": _DIGEST},
    "person_token": {
        "blind": "CASE kind WHEN 'name' THEN substring(int4send(1930 + n % 80) FROM 3)"
        " || substring(sha256({0} || int4send(n)) FOR 2) ELSE sha256({0} || int4send(n)) END"
    },
    "eligibility_decision": {},
    "appointment": {"reference": "'HC-Z' || lpad(to_hex(n), 8, '0')"},
    "message": {},
    "dose": {},
    "dose_judgement": {},
    "dose_standing": {},
    "certificate": {
        "uvci": "{0} || n", "uvci_hash": _DIGEST, "country_uvci_hash": _DIGEST,
        "signature_hash": _DIGEST,
    },
}  # fmt: skip
_OWN = frozenset(
    {"id", "person_id", "appointment_id", "dose_id", "judgement_id", "decision_id", "subject_id"}
)
_COPY = "overlay({0}::text placing lpad(to_hex(n), 8, '0') from 29)::uuid"
_AUDIT = """
    INSERT INTO audit_event (id, recorded_at, actor_kind, actor_id, act, subject_kind, subject_id,
                             details)
    SELECT overlay(e.id::text placing lpad(to_hex(n), 8, '0') from 29)::uuid, recorded_at,
           actor_kind, actor_id, act, subject_kind,
           overlay(subject_id::text placing lpad(to_hex(n), 8, '0') from 29)::uuid, details
      FROM audit_event AS e, generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
     WHERE subject_id = :who
        OR subject_id IN (SELECT id FROM appointment WHERE person_id = :who)
        OR subject_id IN (SELECT id FROM dose WHERE person_id = :who)
        OR subject_id IN (SELECT id FROM certificate WHERE person_id = :who)
"""
# What is unique stays: it is a rule, and others may point at it.
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
     WHERE schemaname = 'public' AND tablename = ANY(:tables) AND indexdef LIKE 'CREATE INDEX %'
"""


@contextmanager
def copies(connection: Connection, sealed: Iterable[tuple[int, bytes]]) -> Iterator[None]:
    """Let `copy` be called within; `sealed` is what each copy told, beside its number."""
    begun = perf_counter()
    connection.execute(text("CREATE TEMP TABLE crowd (number int PRIMARY KEY, sealed bytea)"))
    raw = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy("COPY crowd FROM STDIN") as copying:
        for one in sealed:
            copying.write_row(one)
    told = perf_counter()
    # No triggers: they have judged whom we copy, and the copies are no deeds.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    found = connection.execute(text(_INDEXES), {"tables": [*_COPIED, "audit_event"]}).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    copied = perf_counter()
    for _, definition in found:
        connection.execute(text(definition))
    connection.commit()
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.execute(text("VACUUM ANALYZE"))  # as the server does by itself
    print(
        f"sealed in {told - begun:.0f} s, copied in {copied - told:.0f} s,"
        f" looked after in {perf_counter() - copied:.0f} s",
        flush=True,
    )


def copy(connection: Connection, who: UUID, first: int, last: int) -> None:
    """Copy somebody so many times; `first` and `last` are numbers of the crowd."""
    which = {"first": first, "last": last, "who": who}
    for name in _COPIED:
        connection.execute(text(_copying(Base.metadata.tables[name])), which)
    connection.execute(text(_AUDIT), which)


def row_id(who: UUID, number: int) -> UUID:
    """Return the identifier of a copy."""
    return UUID(int=who.int >> 32 << 32 | number)


def _copying(table: Table) -> str:
    """Return the statement that copies one person's rows of a table."""
    special = _COPIED[table.name]
    names = [column.name for column in table.columns if column.computed is None]
    told = [
        special[name].format(name)
        if name in special
        else _COPY.format(name)
        if name in _OWN
        else name
        for name in names
    ]
    whose = "id" if table.name == "person" else "person_id"
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) "  # noqa: S608 - names of our own tables
        f"SELECT {', '.join(told)} FROM {table.name},"
        f" generate_series(CAST(:first AS int), CAST(:last AS int)) AS n WHERE {whose} = :who"
        " ON CONFLICT DO NOTHING"  # two sounds of one person may share a token
    )
