"""How fast a counter can climb, and how many of its steps that refused."""

from alembic import op
from sqlalchemy import Column, Double, Integer

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ROLLUPS = {"rollup_1m": "minute", "rollup_1h": "hour"}

_SUMMARY = """
CREATE OR REPLACE VIEW reporting.{name} AS
SELECT bucket AS time, tag.path AS tag, asset.path AS asset, tag.measure, tag.unit,
       integral / nullif(covered_s, 0) AS mean, min, max, integral, increase, total,
       active_s, activations, covered_s, good_s, count AS readings{more}
FROM {table} JOIN tag ON tag.id = tag_id JOIN asset ON asset.id = tag.asset_id"""

_COMMENTS = {
    "VIEW reporting.minute": "Summaries of tags by minute; add them up, then divide",
    "VIEW reporting.hour": "Summaries of tags by closed hour; add them up, then divide",
    "COLUMN reporting.hour.mean": "over the covered time [unit]; never averaged over buckets",
    "COLUMN reporting.hour.integral": "over the covered time [unit s]",
    "COLUMN reporting.hour.covered_s": "time backed by a usable value [s]",
}


def upgrade() -> None:
    """Add the columns; null is what they are for tags and summaries that know no bound."""
    op.add_column(
        "tag",
        Column(
            "max_rate", Double, comment="a counter climbs no faster [unit/h]; null: not checked"
        ),
    )
    for table, name in _ROLLUPS.items():
        op.add_column(
            table,
            Column("refused", Integer, comment="counters with max_rate: steps that none can make"),
        )
        op.execute(_SUMMARY.format(name=name, table=table, more=", refused"))
    op.execute(
        "COMMENT ON COLUMN reporting.hour.refused IS"
        " 'steps of a counter beyond its max_rate, in no increase; null: not checked'"
    )


def downgrade() -> None:
    """The views again as they were: a column cannot be taken out of one that stands."""
    for table, name in _ROLLUPS.items():
        op.execute(f"DROP VIEW reporting.{name}")
        op.execute(_SUMMARY.format(name=name, table=table, more=""))
        op.drop_column(table, "refused")
    for what, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
    op.drop_column("tag", "max_rate")
