"""Mean voltage of every pot of a line over the last hour, the highest first."""

import polars as pl

from client.ertis import Ertis

with Ertis() as ertis:
    minutes = ertis.history("smelter/potline-1/pot-*/voltage", start="-1h", every="1m")

pots = (
    minutes.filter(pl.col("coverage") > 0.9)
    .group_by(pot=pl.col("tag").cast(pl.String).str.extract(r"(pot-\d+)"))
    .agg(voltage=pl.col("mean").mean(), minutes=pl.len())
    .sort("voltage", "pot", descending=[True, False])
)
print(pots)
