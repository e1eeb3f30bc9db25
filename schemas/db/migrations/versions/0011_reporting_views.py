"""Views for whoever reports from the database itself: schema ``reporting``.

They are all that a reader of reports needs to be granted: catalogue, readings, summaries, the
inputs of KPIs, sources, gaps and alarms; no keys, no payloads. Columns end in their unit or have it
beside them. `docs/grafana/README.md` explains them.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
)

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ASSET = """
CREATE VIEW reporting.asset AS
SELECT asset.path AS asset, asset.title, asset.level, asset.type,
       split_part(asset.path, '/', 1) AS area,
       CASE 'line' WHEN asset.level THEN asset.path
                   WHEN above.level THEN above.path
                   WHEN higher.level THEN higher.path END AS line
FROM asset
LEFT JOIN asset AS above ON above.id = asset.parent_id
LEFT JOIN asset AS higher ON higher.id = above.parent_id"""

_TAG = """
CREATE VIEW reporting.tag AS
SELECT tag.path AS tag, asset.asset, asset.area, asset.line, asset.type AS asset_type, tag.measure,
       tag.title, tag.unit, tag.kind, tag.stale_after_s, tag.derivation IS NOT NULL AS derived,
       tag.id AS tag_id
FROM tag JOIN public.asset AS own ON own.id = tag.asset_id
JOIN reporting.asset ON asset.asset = own.path"""

_READING = """
CREATE VIEW reporting.reading AS
SELECT reading.ts AS time, tag.path AS tag, asset.path AS asset, tag.measure, tag.unit,
       reading.value, reading.quality, reading.quality BETWEEN 192 AND 255 AS good
FROM reading JOIN tag ON tag.id = reading.tag_id JOIN asset ON asset.id = tag.asset_id"""

_SUMMARY = """
CREATE VIEW reporting.{name} AS
SELECT bucket AS time, tag.path AS tag, asset.path AS asset, tag.measure, tag.unit,
       integral / nullif(covered_s, 0) AS mean, min, max, integral, increase, total,
       active_s, activations, covered_s, good_s, count AS readings
FROM {table} JOIN tag ON tag.id = tag_id JOIN asset ON asset.id = tag.asset_id"""

#: A moment is in one of the two tables: minutes are there until their hour is closed.
_KPI_INPUT = """
CREATE VIEW reporting.kpi_input AS
SELECT sums.bucket AS time, sums.width_s, operand.kpi, asset.path AS asset, operand.name AS input,
       operand.unit, sums.value, sums.covered_s, sums.good_s, operand.tags, sums.readings
FROM kpi_operand AS operand JOIN asset ON asset.id = operand.asset_id
JOIN (SELECT 3600 AS width_s, * FROM input_1h UNION ALL SELECT 60, * FROM input_1m) AS sums
     USING (input_id)"""

#: Whole hours up to the last closed minute, in buckets counted from 1970 UTC as in the API.
_KPI_TOTALS = """
CREATE FUNCTION reporting.kpi_totals(
    asked text, since timestamptz, until timestamptz, every interval DEFAULT NULL)
RETURNS TABLE ("time" timestamptz, asset text, inputs jsonb, coverage float8, known boolean)
LANGUAGE sql STABLE AS $$
WITH span AS (
    SELECT date_trunc('hour', since, 'UTC') AS low,
           least(date_trunc('hour', until - interval '1 us', 'UTC') + interval '1 hour',
                 date_trunc('minute', now())) AS high
), bucket AS (
    SELECT edge, greatest(edge, low) AS low,
           least(edge + coalesce(every, high - low), high) AS high
    FROM span, generate_series(coalesce(date_bin(every, low, 'epoch'), low),
                               high - interval '1 us', coalesce(every, high - low)) AS edge
    WHERE high > low
), given AS (
    SELECT coalesce(date_bin(every, time, 'epoch'), date_trunc('hour', since, 'UTC')) AS edge,
           asset, input, sum(value) AS value, sum(covered_s) AS covered_s
    FROM reporting.kpi_input
    WHERE kpi = asked AND time >= date_trunc('hour', since, 'UTC')
      AND time < date_trunc('hour', until - interval '1 us', 'UTC') + interval '1 hour'
    GROUP BY 1, asset, input
), total AS (
    SELECT bucket.low, asset, input, operand.minimum_coverage,
           coalesce(given.value, 0) AS value,
           coalesce(given.covered_s, 0)
               / (operand.tags * extract(epoch FROM bucket.high - bucket.low)) AS coverage
    FROM bucket CROSS JOIN reporting.kpi_operand AS operand
    LEFT JOIN given USING (edge, asset, input)
    WHERE operand.kpi = asked
)
SELECT low, asset, jsonb_object_agg(input, value), min(coverage)::float8,
       min(coverage) >= min(minimum_coverage) - 1e-9
FROM total GROUP BY low, asset
$$"""

_KPI_OPERAND = """
CREATE VIEW reporting.kpi_operand AS
SELECT operand.kpi, asset.path AS asset, operand.name AS input, operand.unit, operand.tags,
       operand.minimum_coverage
FROM kpi_operand AS operand JOIN asset ON asset.id = operand.asset_id"""

_SOURCE = """
CREATE VIEW reporting.source AS
SELECT concat_ws('/', node.group_id, node.node_id, nullif(device.device_id, '')) AS source,
       node.online AND coalesce(device.online, true) AS online,
       CASE WHEN node.online THEN coalesce(device.since, node.since) ELSE node.since END AS since,
       coalesce(cardinality(device.tag_ids), 0) AS tags,
       node.newest_at, extract(epoch FROM now() - node.newest_at)::float8 AS lag_s,
       node.skew_ms / 1000.0::float8 AS clock_behind_s,
       greatest(node.last_position - coalesce(upper(node.committed) - 1, 0), 0) AS waiting_frames
FROM edge_node AS node LEFT JOIN edge_device AS device ON device.node = node.id"""

_GAP = """
CREATE VIEW reporting.gap AS
SELECT source, cause, from_ts, to_ts, found_at, closed_at, closed_at IS NULL AS open,
       last_position - first_position + 1 AS frames
FROM gap"""

_DEAD_LETTER = """
CREATE VIEW reporting.dead_letter AS
SELECT received_at AS time, topic, reason, detail, readings, replayed_at FROM dead_letter"""

_ALARM = """
CREATE VIEW reporting.alarm AS
SELECT alarm.name AS alarm, asset.path AS asset, alarm.source, alarm.bound, alarm."limit",
       tag.unit, alarm.priority, alarm.state, alarm.since, alarm.value, alarm.shelved_until
FROM alarm JOIN asset ON asset.id = alarm.asset_id LEFT JOIN tag ON tag.id = alarm.tag_id
WHERE NOT alarm.retired"""

_ALARM_EVENT = """
CREATE VIEW reporting.alarm_event AS
SELECT event.at AS time, alarm.name AS alarm, asset.path AS asset, alarm.priority, event.event,
       event.before AS state_before, event.after AS state_after, event.value, tag.unit, event.who,
       event.reason
FROM alarm_event AS event JOIN alarm ON alarm.id = event.alarm_id
JOIN asset ON asset.id = alarm.asset_id LEFT JOIN tag ON tag.id = alarm.tag_id"""

_COMMENTS = {
    "VIEW reporting.asset": "The plant's tree; area is the first step of the path",
    "VIEW reporting.tag": "The catalogue of points",
    "VIEW reporting.reading": "Readings as stored; name a tag and a span of time",
    "VIEW reporting.minute": "Summaries of tags by minute; add them up, then divide",
    "VIEW reporting.hour": "Summaries of tags by closed hour; add them up, then divide",
    "VIEW reporting.kpi_operand": "Which inputs a KPI has at an asset",
    "VIEW reporting.kpi_input": "Inputs of KPIs by hour, by minute where the hour is open",
    "FUNCTION reporting.kpi_totals": "Inputs of a KPI added up over buckets, with their coverage",
    "VIEW reporting.source": "Edge nodes and their devices, as they stand",
    "VIEW reporting.gap": "Spans that are missing, and why",
    "VIEW reporting.dead_letter": "What arrived and could not be used, without the payloads",
    "VIEW reporting.alarm": "Alarms as they stand",
    "VIEW reporting.alarm_event": "What happened to alarms",
    "COLUMN reporting.reading.quality": "OPC: 0 bad, 64 uncertain, 192 good; 500 stale",
    "COLUMN reporting.hour.mean": "over the covered time [unit]; never averaged over buckets",
    "COLUMN reporting.hour.integral": "over the covered time [unit s]",
    "COLUMN reporting.hour.covered_s": "time backed by a usable value [s]",
    "COLUMN reporting.kpi_input.width_s": "3600, or 60 in the open hour [s]",
    "COLUMN reporting.kpi_input.value": "sum over the tags [unit]",
    "COLUMN reporting.kpi_input.covered_s": "summed over the tags [s]; at most tags * width_s",
    "COLUMN reporting.source.lag_s": "age of its newest reading [s]",
    "COLUMN reporting.alarm.unit": "of limit and value; null: that of the KPI named by source",
}


def upgrade() -> None:
    """Add the operands of KPIs, which the rollup worker enters, and the views."""
    op.create_table(
        "kpi_operand",
        Column("kpi", Text, nullable=False, comment="id"),
        Column("asset_id", Integer, nullable=False),
        Column("name", Text, nullable=False, comment="as the KPI calls it"),
        Column("unit", Text, nullable=False, comment="as pint reads it"),
        Column("minimum_coverage", Double, nullable=False, comment="of a span, for a value [0..1]"),
        Column("tags", Integer, nullable=False, comment="how many it is the sum of"),
        Column("input_id", BigInteger, nullable=False, comment="of kpi_input"),
        PrimaryKeyConstraint("kpi", "asset_id", "name"),
        ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_kpi_operand_asset_id"),
        comment="Which input each operand of a KPI is at an asset. Some 3,000 rows.",
    )
    op.execute("CREATE SCHEMA reporting")
    for view in (
        _ASSET,
        _TAG,
        _READING,
        _SUMMARY.format(name="minute", table="rollup_1m"),
        _SUMMARY.format(name="hour", table="rollup_1h"),
        _KPI_OPERAND,
        _KPI_INPUT,
        _KPI_TOTALS,
        _SOURCE,
        _GAP,
        _DEAD_LETTER,
        _ALARM,
        _ALARM_EVENT,
    ):
        op.execute(view)
    for what, comment in _COMMENTS.items():
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON {what} IS '{quoted}'")


def downgrade() -> None:
    """Views hold nothing; the worker of the version before knows no operands."""
    op.execute("DROP SCHEMA reporting CASCADE")
    op.drop_table("kpi_operand")
