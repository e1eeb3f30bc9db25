#!/bin/sh
# A week of voltages and the line's current by the minute, into one Parquet file.
# Killed, the same command goes on where it was.
set -eu
ertis history 'smelter/potline-1/pot-*/voltage' smelter/potline-1/line_current \
    --from -7d --every 1m -o "${1:-potline-1.parquet}"
