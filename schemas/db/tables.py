"""The database, one table a thing of the plant. Row counts are for the whole park (150,000 tags).

The same tables stand on TimescaleDB and on plain PostgreSQL; `schemas.db.tiers` turns those of
`TIMED` into hypertables or range partitions.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT8MULTIRANGE, JSONB, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Instant = DateTime(timezone=True)

plant = Table(
    "plant",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("time_zone", Text, nullable=False, comment="IANA name, for calendars at the API"),
    Column("loaded_at", Instant, nullable=False),
    Column(
        "shift_patterns",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="[{name, valid_from, valid_to, shifts: [{name, start, crews}]}], local days, times",
    ),
    comment="The one site of this database. 1 row.",
)

asset = Table(
    "asset",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("parent_id", Integer, ForeignKey("asset.id"), index=True),
    Column("level", Text, nullable=False, comment="site, area, line or unit (IEC 62264-1)"),
    Column("type", Text, nullable=False, comment="potline, pot, wind_farm ...: which KPIs it has"),
    Column("title", Text, nullable=False),
    Column("ratings", JSONB, nullable=False, comment="name -> {value, unit}"),
    comment="The plant's tree. About 6,200 rows.",
)

tag = Table(
    "tag",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("path", Text, nullable=False, unique=True, comment="<asset path>/<measure>"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
    Column("measure", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("unit", Text, nullable=False, comment="as pint reads it"),
    Column("kind", Text, nullable=False, comment="gauge, counter, state or event"),
    Column("interpolation", Text, nullable=False, comment="step or linear"),
    Column("stale_after_s", Double, nullable=False, comment="silence not covered beyond this [s]"),
    Column("deadband", Double, nullable=False, comment="change not reported [unit]"),
    Column("low", Double, comment="physically possible from [unit]"),
    Column("high", Double, comment="physically possible to [unit]"),
    Column("modulus", Double, comment="a counter wraps here [unit]; null: a decrease is a reset"),
    Column("max_rate", Double, comment="a counter climbs no faster [unit/h]; null: not checked"),
    Column("product", ARRAY(Integer), comment="ids of the two tags multiplied; null: measured"),
    Column(
        "derivation",
        JSONB(none_as_null=True),
        comment="{rule, operands by path, constants}; null: measured",
    ),
    comment="The catalogue of points. About 150,000 rows.",
)

source = Table(
    "source",
    metadata,
    Column("address", Text, primary_key=True, comment="Sparkplug group/node[/device]"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False),
    comment="Foreign Sparkplug sources: metric names are measures of one asset. Some 100 rows.",
)

reading = Table(
    "reading",
    metadata,
    Column("tag_id", Integer, nullable=False),
    Column("ts", Instant, nullable=False, comment="the source's time"),
    Column("value", Double, comment="[unit of the tag]; null: the source gave none"),
    Column("quality", SmallInteger, nullable=False, comment="OPC: 0, 64, 192; 500 stale"),
    PrimaryKeyConstraint("tag_id", "ts"),
    comment="One row a reading. 2.6 to 5.2 billion rows a day at 30,000 to 60,000 readings/s.",
)

reading_text = Table(
    "reading_text",
    metadata,
    Column("tag_id", Integer, nullable=False),
    Column("ts", Instant, nullable=False, comment="the source's time"),
    Column("value", Text),
    Column("quality", SmallInteger, nullable=False, comment="OPC: 0, 64, 192; 500 stale"),
    PrimaryKeyConstraint("tag_id", "ts"),
    comment="Readings that are text (recipe, serial number). Thousands of rows a day.",
)

edge_node = Table(
    "edge_node",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("group_id", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("since", Instant, nullable=False, comment="online or stale since, host time"),
    Column("bd_seq", SmallInteger, comment="of the live NBIRTH, 0 to 255"),
    Column("born_at", Instant, comment="payload time of the live NBIRTH"),
    Column("spool_id", Text, comment="null: the node has no spool, plain Sparkplug"),
    Column("committed", INT8MULTIRANGE, comment="spool positions in the database"),
    Column("newest_at", Instant, comment="source's time of its newest reading, to some seconds"),
    Column("skew_ms", Integer, comment="its clock behind the host's [ms]"),
    Column("last_position", BigInteger, comment="highest known of spool"),
    UniqueConstraint("group_id", "node_id"),
    comment="One row an edge node that was ever born. Some 100 rows.",
)

edge_device = Table(
    "edge_device",
    metadata,
    Column("node", Integer, ForeignKey("edge_node.id"), nullable=False),
    Column("device_id", Text, nullable=False, comment="empty: the node's own metrics"),
    Column("online", Boolean, nullable=False),
    Column(
        "since", Instant, nullable=False, comment="host time for a node, payload time for DDEATH"
    ),
    Column("tag_ids", ARRAY(Integer), nullable=False, comment="what its last birth declared"),
    PrimaryKeyConstraint("node", "device_id"),
    comment="Devices behind the nodes. Some 1,000 rows.",
)

dirty = Table(
    "dirty",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bucket", Instant, nullable=False, index=True, comment="start of the minute"),
    Column("tag_ids", ARRAY(Integer), nullable=False),
    comment="Minutes whose readings changed after their summary. Some 10 rows, soon consumed.",
)


def _summary() -> list[SchemaItem]:
    """The columns of a summary: the mergeable digest of one tag in one bucket (`kpi.summary`)."""
    return [
        Column("tag_id", Integer, nullable=False),
        Column("bucket", Instant, nullable=False, comment="start; the bucket is half-open"),
        Column("count", Integer, nullable=False, comment="readings with a usable value"),
        Column("good_s", Double, nullable=False, comment="time of good quality [s]"),
        Column("covered_s", Double, nullable=False, comment="time backed by a usable value [s]"),
        Column("integral", Double, comment="over the covered time [unit s]"),
        Column("first", Double, comment="first usable value [unit]"),
        Column("first_ts", Instant),
        Column("last", Double, comment="last usable value [unit]"),
        Column("last_ts", Instant),
        Column("min", Double, comment="of the usable readings [unit]"),
        Column("max", Double, comment="of the usable readings [unit]"),
        Column("increase", Double, comment="counters: climb since the last reading before [unit]"),
        Column("refused", Integer, comment="counters with max_rate: steps that none can make"),
        Column("active_s", Double, comment="states: time not zero [s]"),
        Column("activations", Integer, comment="states: changes from zero to not zero"),
        Column("total", Double, comment="events: sum of the amounts [unit]"),
        PrimaryKeyConstraint("tag_id", "bucket"),
    ]


rollup_1m = Table(
    "rollup_1m",
    metadata,
    *_summary(),
    comment="Summaries by minute. 216 million rows a day.",
)

rollup_1h = Table(
    "rollup_1h",
    metadata,
    *_summary(),
    comment="Summaries by hour, merged from those by minute. 3.6 million rows a day.",
)

kpi_input = Table(
    "kpi_input",
    metadata,
    Column("id", BigInteger, primary_key=True, comment="digest of its terms (kpi.binding)"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
    Column("name", Text, nullable=False, comment="as the KPIs of the asset call it"),
    Column("tags", Integer, nullable=False, comment="how many it is the sum of"),
    Column("built_from", Instant, nullable=False, comment="hours before are still to be summed"),
    comment="Inputs of KPIs that are sums over tags. Some 1,000 rows.",
)


kpi_operand = Table(
    "kpi_operand",
    metadata,
    Column("kpi", Text, nullable=False, comment="id"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False),
    Column("name", Text, nullable=False, comment="as the KPI calls it"),
    Column("unit", Text, nullable=False, comment="as pint reads it"),
    Column("minimum_coverage", Double, nullable=False, comment="of a span, for a value [0..1]"),
    Column("tags", Integer, nullable=False, comment="how many it is the sum of"),
    Column("input_id", BigInteger, nullable=False, comment="of kpi_input"),
    PrimaryKeyConstraint("kpi", "asset_id", "name"),
    comment="Which input each operand of a KPI is at an asset. Some 3,000 rows.",
)


def _sums() -> list[SchemaItem]:
    """The columns of a prepared input: its sum over the tags in one bucket (`kpi.sums`)."""
    return [
        Column("input_id", BigInteger, nullable=False, comment="of kpi_input"),
        Column("bucket", Instant, nullable=False, comment="start; the bucket is half-open"),
        Column("value", Double, nullable=False, comment="sum over the tags [unit of the input]"),
        Column("covered_s", Double, nullable=False, comment="summed over the tags [s]"),
        Column("good_s", Double, nullable=False, comment="summed over the tags [s]"),
        Column("readings", BigInteger, nullable=False, comment="usable ones"),
        PrimaryKeyConstraint("input_id", "bucket"),
    ]


input_1m = Table(
    "input_1m",
    metadata,
    *_sums(),
    comment="Inputs by minute, of the hours that rollup_1h lacks. Some 60,000 rows in all.",
)

input_1h = Table(
    "input_1h",
    metadata,
    *_sums(),
    comment="Inputs by hour. Some 24,000 rows a day.",
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("received_at", Instant, nullable=False, index=True),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="as received; of a frame the bad part"),
    Column("reason", Text, nullable=False, comment="fixed word, as counted in /metrics"),
    Column("detail", Text, nullable=False, comment="what was there and what would be right"),
    Column("readings", Integer, nullable=False, comment="readings in it; 1 if unreadable"),
    Column("replayed_at", Instant, comment="null: still here"),
    Index("ix_dead_letter_open", "id", postgresql_where="replayed_at IS NULL"),
    comment="What arrived and could not be used. None, on a good day.",
)

gap = Table(
    "gap",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False, index=True, comment="Sparkplug group/node[/device]"),
    Column("cause", Text, nullable=False, comment="word of ingest.gap.Cause"),
    Column("from_ts", Instant, comment="last reading before; null: nobody knows"),
    Column("to_ts", Instant, comment="null: still open"),
    Column("first_position", BigInteger, comment="spool positions missing, from"),
    Column("last_position", BigInteger, comment="spool positions missing, to"),
    Column("found_at", Instant, nullable=False),
    Column("closed_at", Instant, comment="when the backfill was complete"),
    Column("spool_id", Text, comment="whose positions; null: none"),
    Index("ix_gap_open", "source", postgresql_where="closed_at IS NULL"),
    comment="The gap ledger: every span that is missing, and why. Some rows a week.",
)

period = Table(
    "period",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column(
        "name",
        Text,
        nullable=False,
        comment="2026, 2026-10, 2026-10-31 or 2026-10-31-night, plant time",
    ),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False, comment="first instant behind it"),
    Column("signed_at", Instant, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("reason", Text, nullable=False, comment="why it was signed"),
    Column("reopened_at", Instant, comment="null: its summaries are frozen"),
    Column("reopened_by", Text),
    Column("reopened_reason", Text),
    ExcludeConstraint(
        (text("tstzrange(start_at, end_at)"), "&&"),
        where=text("reopened_at IS NULL"),
        name="ex_period_frozen",
    ),
    comment="Periods that were closed and signed, and opened again. Some 12 rows a year.",
)

late = Table(
    "late",
    metadata,
    Column("period_id", Integer, ForeignKey("period.id"), nullable=False),
    Column("tag_id", Integer, nullable=False),
    Column("bucket", Instant, nullable=False, comment="start of the hour"),
    Column("found_at", Instant, nullable=False, comment="when the newest change was found"),
    PrimaryKeyConstraint("period_id", "tag_id", "bucket"),
    comment="Hours of tags whose summaries a signed period keeps though readings changed. Few.",
)

report = Table(
    "report",
    metadata,
    Column("kind", Text, nullable=False, comment="shift, day or month"),
    Column("start_at", Instant, nullable=False, comment="of its period"),
    Column("asset", Text, nullable=False, comment="path"),
    Column("period_ids", ARRAY(Integer), nullable=False, comment="signatures that cover it"),
    Column("body", LargeBinary, nullable=False, comment="JSON, as it is answered"),
    Column("kept_at", Instant, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("start_at", "kind", "asset", "period_ids"),
    comment="Reports of signed periods, to the byte; never changed. Some 10 rows a day.",
)

shard = Table(
    "shard",
    metadata,
    Column("host_id", Text, primary_key=True, comment="Sparkplug host application"),
    Column("epoch", BigInteger, nullable=False, comment="grows whenever another process leads"),
    Column("since", Instant, nullable=False, comment="this epoch, server time"),
    comment="Which ingest leads each shard, as a fence for those before it. Some rows.",
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True, comment="middle part of the key; no secret"),
    Column("name", Text, nullable=False, comment="whose it is"),
    Column("role", Text, nullable=False, comment="viewer, engineer or admin"),
    Column("areas", ARRAY(Text), nullable=False, comment="patterns of assets that it sees"),
    Column("secret_hash", LargeBinary, nullable=False, comment="SHA-256 of 256 random bits"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, comment="null: never"),
    Column("revoked_at", Instant, comment="null: not"),
    comment="Keys of people and scripts; revoked ones stay. Some 100 rows.",
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False, comment="key.create, alarm.acknowledge ..."),
    Column("subject", Text, nullable=False, index=True, comment="id of what was changed"),
    Column("reason", Text, comment="why, where a person has to say so"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    comment="Every write by a person or script. Some 100 rows a day.",
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="<tag>#high, <kpi>@<asset>#high"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
    Column("tag_id", Integer, ForeignKey("tag.id"), comment="null: of a KPI"),
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
    Column("state", Text, nullable=False, server_default="normal", comment="alarms.state.State"),
    Column("since", Instant, comment="of the state; null: never left normal"),
    Column("active", Boolean, nullable=False, server_default="false", comment="beyond the limit"),
    Column("known", Boolean, nullable=False, server_default="true", comment="there is a value"),
    Column("value", Double, comment="when it was raised or cleared [unit]"),
    Column("first_out", Boolean, nullable=False, server_default="false"),
    Column("shelved_until", Instant),
    Index("ix_alarm_not_normal", "id", postgresql_where="state <> 'normal'"),
    comment="Alarms as declared, and how each stands. Some 10,000 rows.",
)

target = Table(
    "target",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("kpi", Text, nullable=False, comment="id"),
    Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
    Column("value", Double, nullable=False, comment="[unit of the KPI]"),
    Column("better", Text, nullable=False, comment="lower or higher"),
    Column("valid_from", Date, nullable=False, comment="for what begins then, plant time"),
    Column("valid_to", Date, comment="first day without it; null: none is known"),
    Column("known_from", Instant, nullable=False, server_default=func.now()),
    Column("known_to", Instant, comment="when the plant file lacked it; null: it has it"),
    comment="Targets of KPIs as they were ever declared. Some 100 rows a year.",
)

alarm_event = Table(
    "alarm_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("alarm_id", Integer, ForeignKey("alarm.id"), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("event", Text, nullable=False, comment="alarms.state.Event"),
    Column("before", Text, nullable=False, comment="state"),
    Column("after", Text, nullable=False, comment="state"),
    Column("value", Double, comment="[unit of the tag or KPI]"),
    Column("first_out", Boolean, nullable=False),
    Column("who", Text, comment="null: the process itself"),
    Column("reason", Text),
    Column("until", Instant, comment="end of shelving"),
    Index("ix_alarm_event_alarm", "alarm_id", "at"),
    comment="Every transition of every alarm. Some 1,000 rows a day.",
)

#: Tables with time as second key column, and the width of one chunk or partition [days].
TIMED: Final = {"reading": ("ts", 7), "rollup_1m": ("bucket", 28), "rollup_1h": ("bucket", 364)}
