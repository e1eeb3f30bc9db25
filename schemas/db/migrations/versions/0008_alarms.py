"""Alarms as declared by the plant model, how they stand, and what happened to them."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Integer,
    Text,
    UniqueConstraint,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)
_STATE, _ACTIVE = "alarms.state.State", "beyond the limit"


def upgrade() -> None:
    """Add the alarms and their history."""
    op.create_table(
        "alarm",
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", Text, nullable=False, comment="<tag>#high, <kpi>@<asset>#high"),
        Column("asset_id", Integer, nullable=False),
        Column(
            "tag_id",
            Integer,
            comment="null: of a KPI",
        ),
        Column("source", Text, nullable=False, comment="path of the tag, or id of the KPI"),
        Column("window_s", Double, comment="span of the KPI, ends now [s]; null: of a tag"),
        Column("bound", Text, nullable=False, comment="low_low, low, high or high_high"),
        Column("limit", Double, nullable=False, comment="[unit of the tag or KPI]"),
        Column("priority", Text, nullable=False, comment="low, medium or high"),
        Column("on_delay_s", Double, nullable=False),
        Column("off_delay_s", Double, nullable=False),
        Column("deadband", Double, nullable=False, comment="[unit of the tag or KPI]"),
        Column("group", Text, nullable=False, comment="of its alarms the first one out is told"),
        Column("retired", Boolean, nullable=False, comment="not in the plant model any more"),
        Column("state", Text, nullable=False, server_default="normal", comment=_STATE),
        Column("since", Instant, comment="of the state; null: never left normal"),
        Column("active", Boolean, nullable=False, server_default="false", comment=_ACTIVE),
        Column("known", Boolean, nullable=False, server_default="true", comment="there is a value"),
        Column("value", Double, comment="when it was raised or cleared [unit]"),
        Column("first_out", Boolean, nullable=False, server_default="false"),
        Column("shelved_until", Instant),
        UniqueConstraint("name", name="uq_alarm_name"),
        ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_alarm_asset_id"),
        ForeignKeyConstraint(["tag_id"], ["tag.id"], name="fk_alarm_tag_id"),
        comment="Alarms as declared, and how each stands. Some 10,000 rows.",
    )

    op.create_table(
        "alarm_event",
        Column("id", BigInteger, Identity(), primary_key=True),
        Column(
            "alarm_id",
            Integer,
            nullable=False,
        ),
        Column("at", Instant, nullable=False),
        Column("event", Text, nullable=False, comment="alarms.state.Event"),
        Column("before", Text, nullable=False, comment="state"),
        Column("after", Text, nullable=False, comment="state"),
        Column("value", Double, comment="[unit of the tag or KPI]"),
        Column("first_out", Boolean, nullable=False),
        Column("who", Text, comment="null: the process itself"),
        Column("reason", Text),
        Column("until", Instant, comment="end of shelving"),
        ForeignKeyConstraint(["alarm_id"], ["alarm.id"], name="fk_alarm_event_alarm_id"),
        comment="Every transition of every alarm. Some 1,000 rows a day.",
    )
    op.create_index("ix_alarm_asset_id", "alarm", ["asset_id"])
    op.create_index("ix_alarm_not_normal", "alarm", ["id"], postgresql_where="state <> 'normal'")
    op.create_index("ix_alarm_event_at", "alarm_event", ["at"])
    op.create_index("ix_alarm_event_alarm", "alarm_event", ["alarm_id", "at"])


def downgrade() -> None:
    """What rang is forgotten."""
    op.drop_table("alarm_event")
    op.drop_table("alarm")
