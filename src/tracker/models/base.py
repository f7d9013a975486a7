"""What every table shares: names of constraints, identifiers, timestamps, enumerated types."""

import enum
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Connection, DateTime, Enum, FetchedValue, MetaData, Table, event, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tracker.identifiers import uuid7

# A constraint without a name gets one from the server, and a migration that must drop it later
# would have to guess. One convention, and every name is known before the table exists.
NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """The parent of every model."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        # timestamptz: a moment in time, where timestamp is only the reading of some wall clock
        datetime: DateTime(timezone=True),
    }


class Identified:
    """A time-ordered identifier as primary key.

    Python makes it, so that an object knows its own key before it is saved. The server has the same
    function as a default, for rows that come from psql, COPY or another program.
    """

    id: Mapped[UUID] = mapped_column(
        primary_key=True, default=uuid7, server_default=text("uuid7()"), sort_order=-1
    )


# Columns of the tables that are not attributes of the models: only the server reads them, and
# `eager_defaults` would bring an attribute that the server computes back with every write.
SERVER_ONLY = ("search_vector",)


class Timestamped:
    """When a row was made, and when it was last written.

    A trigger sets ``updated_at``, not ``onupdate=``: the trigger also runs for an UPDATE that never
    went through SQLAlchemy, and for every row of a bulk update. ``server_onupdate`` tells the ORM
    that the value changes on the server, and ``eager_defaults`` fetches it with RETURNING in the
    same round trip.
    """

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=100)
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), server_onupdate=FetchedValue(), sort_order=100
    )

    __mapper_args__: ClassVar[dict[str, Any]] = {
        "eager_defaults": True,
        "exclude_properties": SERVER_ONLY,
    }


def enumerated(kind: type[enum.StrEnum]) -> Enum:
    """Return the PostgreSQL enum type for a Python enum.

    The type is named in snake_case after the class, and its labels are the members' values
    (``student``), where SQLAlchemy by itself would take the members' names (``STUDENT``).
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()
    return Enum(kind, name=name, values_callable=lambda members: [m.value for m in members])


# The functions that the tables rely on. `create_all` makes them here; in a migrated database
# the migrations made them.
CREATE_UUID7 = """
CREATE OR REPLACE FUNCTION uuid7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(
    set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                PLACING substring(
                    int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
        52, 1), 53, 1),
    'hex')::uuid
"""

CREATE_SET_UPDATED_AT = """
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$
"""

# A CHECK sees only the new row. Which status may follow which is a question about the old row too,
# and that is what a trigger sees. Its arguments are the allowed steps: 'active>completed'.
CREATE_REQUIRE_TRANSITION = """
CREATE OR REPLACE FUNCTION require_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND OLD.status || '>' || NEW.status <> ALL (TG_ARGV) THEN
        RAISE EXCEPTION 'the status of % cannot go from % to %',
            TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'status_transition';
    END IF;
    RETURN NEW;
END
$$
"""

# array_to_string() is only STABLE, because the text of some types depends on settings; that of
# text[] does not, and a generated column needs a function that is IMMUTABLE.
CREATE_JOINED = """
CREATE OR REPLACE FUNCTION joined(words text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_string(words, ' ')
"""


@event.listens_for(Base.metadata, "before_create")
def _create_functions(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    functions = (CREATE_UUID7, CREATE_SET_UPDATED_AT, CREATE_REQUIRE_TRANSITION, CREATE_JOINED)
    for statement in functions:
        connection.execute(text(statement))


@event.listens_for(Table, "after_create")
def _create_trigger(table: Table, connection: Connection, **_: Any) -> None:
    if table.metadata is Base.metadata and "updated_at" in table.columns:
        connection.exec_driver_sql(
            f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table.name} "
            "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )


def allow_transitions(
    model: type[Base], steps: Mapping[enum.StrEnum, Sequence[enum.StrEnum]]
) -> None:
    """Let the status of a table take the given steps only, whoever writes to it.

    Arguments:
        model: its table has a column named ``status``.
        steps: the statuses that may follow a status; one that is not a key is final.
    """
    allowed = ", ".join(f"'{old}>{new}'" for old, news in steps.items() for new in news)

    @event.listens_for(model.__table__, "after_create")
    def create_trigger(table: Table, connection: Connection, **_: Any) -> None:
        connection.exec_driver_sql(
            f"CREATE TRIGGER require_transition BEFORE UPDATE OF status ON {table.name} "
            f"FOR EACH ROW EXECUTE FUNCTION require_transition({allowed})"
        )
