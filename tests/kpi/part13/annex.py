"""The example historians of OPC 10000-13, annex A, and the answers published for them.

A row is one table: an answer an interval from 12:00:00 on, `*` uncertain, `-` bad without value,
`?` not compared. Published numbers are rounded to three decimals or more.

Sources: EXAMPLES is AggregateExamples.csv, the file that annex A of release 1.05.07 names; CLAUSES
are the tables of annex A of release 1.04 (reference.opcfoundation.org/Core/Part13/v104/docs/A.5 to
A.29, with their errata), but for TimeAverage2 and Total2 of H3 and PercentGood of H1, which were
seen as quotations of annex A of release 1.05 alone; SERVER is TestData.xml of the OPC Foundation's
sample historian (github.com/OPCFoundation/UA-.NETStandard, commit 8119bf9), which is older than the
rule that known data ends 1 ms after the last reading: the intervals that this rule touches are not
compared. NODE are the rows of annex A that a public server tests itself by (github.com/node-opcua/
node-opcua, packages/node-opcua-aggregates/test/test_aggregates.ts, commit 031cc92). It answers bad
where Count of H3 and PercentGood of H1 meet a bad reading, at 12:00:32; the examples of 1.05 give 1
and the table quoted from 1.05 gives 0 there, as their configurations demand: not compared.

Not seen published anywhere: Delta, NumberOfTransitions, WorstQuality2, VarianceSample and both
aggregates of the population. AnnotationCount, whose table was seen, has nothing to count: readings
have no annotations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from kpi.frames import READINGS
from kpi.part13.configuration import AggregateConfiguration

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
END = NOON + timedelta(seconds=100)

Sample = tuple[float, float | None, int]


def readings(samples: Sequence[Sample], tag_id: int = 1) -> pl.DataFrame:
    """The samples (seconds after noon, value, quality) as a frame of readings."""
    rows = [(tag_id, NOON + timedelta(seconds=s), value, q) for s, value, q in samples]
    return pl.DataFrame(rows, schema=READINGS, orient="row")


@dataclass(frozen=True)
class Historian:
    """One of the annex's historians: its archive and how it is configured."""

    samples: list[Sample]
    configuration: AggregateConfiguration


_H1: list[Sample] = [(0, None, 0)]
_H1 += [(s, float(s), 192) for s in (10, 20, 30)]
_H1 += [(40, None, 0), (50, 50.0, 192), (60, 60.0, 192), (70, 70.0, 64)]
_H1 += [(80, 80.0, 192), (90, 90.0, 192)]


def _irregular(*values: float) -> list[Sample]:
    seconds = (2, 25, 28, 39, 48, 52, 72, 77, 83, 86, 90)
    taken = [(s, v, 64 if s == 77 else 192) for s, v in zip(seconds, values, strict=True)]
    return [(0, None, 0), *taken[:4], (42, None, 0), *taken[4:]]


_H2 = _irregular(10, 20, 25, 30, 40, 50, 60, 70, 70, 80, 90)

HISTORIANS = {
    "H1": Historian(_H1, AggregateConfiguration(treat_uncertain_as_bad=False)),
    "H2": Historian(_H2, AggregateConfiguration(use_sloped_extrapolation=True)),
    "H3": Historian(
        _H2, AggregateConfiguration(percent_data_bad=50, percent_data_good=50, stepped=True)
    ),
    "H4": Historian(
        _irregular(1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1), AggregateConfiguration(stepped=True)
    ),
    "H5": Historian(
        _irregular(10, 20, 10, 30, 30, 50, 30, 70, 70, 80, 70),
        AggregateConfiguration(treat_uncertain_as_bad=False),
    ),
}


@dataclass(frozen=True)
class Table:
    """A published table: aggregate, historian, its answers and, if not the starts, their times."""

    aggregate: str
    historian: str
    answers: str
    seconds: str = ""

    @property
    def every(self) -> timedelta:
        """The processing interval that the annex uses for the aggregate."""
        if self.aggregate in FIVE_SECONDS:
            return timedelta(seconds=5)
        return timedelta(seconds=20 if "Deviation" in self.aggregate else 16)

    def rounded(self) -> list[tuple[float | None, int] | None]:
        """The answers as (value, quality); None where nothing is to be compared."""
        return [_answer(word) for word in self.answers.split()]


FIVE_SECONDS = {"Interpolative", "Average", "TimeAverage", "TimeAverage2", "Total", "Total2"}


def _answer(word: str) -> tuple[float | None, int] | None:
    match word[-1]:
        case "?":
            return None
        case "-":
            return None, 0
        case "*":
            return float(word[:-1]), 64
        case _:
            return float(word), 192


def _alike(table: Table, *historians: str) -> list[Table]:
    return [replace(table, historian=name) for name in (table.historian, *historians)]


_SLOPED = (
    "10.652* 12.391 14.565 16.739 18.913 23.682 27.045 29.384* 33.889* 40* 49.45 52.75 55.25 57.75"
    " 60.618* 65* 70.515* 83.667 "
)

EXAMPLES = [
    Table(
        "Interpolative",
        "H1",
        "- - 10 15 20 25 30 35* 40* 45* 50 55 60 65* 70* 75* 80 85 90 90*",
    ),
    Table(
        "Interpolative",
        "H2",
        "- 11.304 13.478 15.652 17.826 20 25.909 28.182 31.111* 36.667* 45 51.5 54 56.5 59 62.727*"
        " 67.273* 76.667 90 102.5*",
    ),
    Table(
        "Interpolative",
        "H3",
        "- 10 10 10 10 20 25 25 30 30* 40 50 50 50 50 60 60* 70 90 90*",
    ),
    Table(
        "Interpolative",
        "H5",
        "- 11.3043 13.4783 15.6522 17.8261 20 13.6364 22.7273 30* 30* 40 47 42 37 32 54* 70*"
        " 76.6667 70 70*",
    ),
    Table("Average", "H1", "- - 10 - 20 - 30 - - - 50 - 60 - - - 80 - 90 -"),
    *_alike(Table("Average", "H2", "10 - - - - 22.5 - 30 - 40 50 - - - 60 - 70 80 90 -"), "H3"),
    Table("Average", "H5", "10 - - - - 15 - 30 - 30 50 - - - 30 - 70 80 70 -"),
    Table(
        "TimeAverage",
        "H1",
        "- - 12.5 17.5 22.5 27.5 32.5* 37.5* 42.5* 47.5* 52.5 57.5 62.5* 67.5* 72.5* 77.5* 82.5"
        " 87.5 90* -",
    ),
    Table("TimeAverage", "H2", _SLOPED + "96.25* -"),
    Table("TimeAverage", "H3", _SLOPED + "90* -"),
    Table(
        "TimeAverage",
        "H5",
        "10.6522* 12.3913 14.5652 16.7391 18.913 13.7273 18.1818 27.0909* 30* 32* 47.1 44.5 39.5"
        " 34.5 37.6* 66.8* 71.3333* 75.6667 70* -",
    ),
    Table("Minimum", "H1", "10 20 - 50 - 80 -"),
    *_alike(Table("Minimum", "H2", "10 20 30* 40 60* 70 -"), "H3"),
    Table("Minimum", "H5", "10 10 30* 30 30 70 -"),
    Table("Maximum", "H1", "10 30 - 60 - 90 -"),
    *_alike(Table("Maximum", "H2", "10 25 30* 50 60* 90 -"), "H3"),
    Table("Maximum", "H5", "10 20 30* 50 30 80 -"),
    Table("Count", "H1", "1 2 - 2 0* 2 -"),
    *_alike(Table("Count", "H2", "1 2 1* 2 1* 3 -"), "H4", "H5"),
    Table("Count", "H3", "1 2 1 2 1 3 -"),
    Table("Start", "H1", "10 20 - 50 70* 80 -", "10 20 40 50 70 80 -"),
    *_alike(Table("Start", "H2", "10 20 30 40 60 70 -", "2 25 39 48 72 83 -"), "H3"),
    Table("Start", "H5", "10 20 30 30 30 70 -", "2 25 39 48 72 83 -"),
    Table("End", "H1", "10 30 - 60 70* 90 -", "10 30 40 60 70 90 -"),
    *_alike(Table("End", "H2", "10 25 - 50 70* 90 -", "2 28 42 52 77 90 -"), "H3"),
    Table("End", "H5", "10 10 - 50 70* 70 -", "2 28 42 52 77 90 -"),
    Table("StandardDeviationSample", "H1", "0 7.071 0* 0* 7.071"),
    *_alike(Table("StandardDeviationSample", "H2", "0 5 7.071* 0* 10"), "H3"),
    Table("StandardDeviationSample", "H5", "0 10 14.142* 0* 5.7735"),
]

CLAUSES = [
    Table(
        "TimeAverage2",
        "H1",
        "- - 12.5 17.5 22.5 27.5 30* 30* - - 52.5 57.5 62.5* 67.5* 72.5* 77.5* 82.5 87.5 90* -",
    ),
    Table(
        "TimeAverage2",
        "H2",
        "10.652* 12.391 14.565 16.739 18.913 23.682 27.046 29.273* 30* 42.5* 49.45 52.75 55.25"
        " 57.75 59.8* ? ? ? ? ?",
    ),
    Table(
        "TimeAverage2",
        "H3",
        "10 10 10 10 10 22 25 26 30* 40* 46 50 50 50 56 60* 70* 78 90 -",
    ),
    Table(
        "Total2",
        "H3",
        "30 50 50 50 50 110 125 130 60* 80* 230 250 250 250 280 120* 140* 390 0.090 -",
    ),
    Table("MinimumActualTime", "H1", "10 20 - 50 - 80 -", "10 20 - 50 - 80 -"),
    *_alike(Table("MinimumActualTime", "H2", "10 20 30* 40 60* 70 -", "2 25 39 48 72 83 -"), "H3"),
    Table("MaximumActualTime", "H1", "10 30 - 60 - 90 -", "10 30 - 60 - 90 -"),
    *_alike(Table("MaximumActualTime", "H2", "10 25 30* 50 60* 90 -", "2 28 39 52 72 90 -"), "H3"),
    Table("Minimum2", "H1", "10* 16* 30* 50* 64* 80* -"),
    Table("Minimum2", "H2", "10* 16.087 26.818* 40 56* 70* -"),
    Table("Minimum2", "H3", "10 10 25 40 50 70 -"),
    Table("Maximum2", "H1", "16* 30* 30* 64* 80* 90* -"),
    Table("Maximum2", "H2", "16.087* 26.818 40* 56 60* 90* -"),
    Table("Maximum2", "H3", "10 25 30 50 60 90 -"),
    Table("MinimumActualTime2", "H1", "10* 16* 30* 50* 64* 80* -", "10 16 32 50 64 80 -"),
    Table("MinimumActualTime2", "H2", "10* 16.087 26.818* 40 56* 70* -", "2 16 32 48 64 83 -"),
    Table("MinimumActualTime2", "H3", "10 10 25 40 50 70 -", "2 16 32 48 64 83 -"),
    Table(
        "MaximumActualTime2", "H1", "16* 30* 30* 64* 80* 90* -", "15.999 30 32 63.999 79.999 90 -"
    ),
    Table(
        "MaximumActualTime2",
        "H2",
        "16.087* 26.818 40* 56 60* 90* -",
        "15.999 31.999 47.999 63.999 72 90 -",
    ),
    Table("MaximumActualTime2", "H3", "10 25 30 50 60 90 -", "2 28 39 52 72 90 -"),
    Table("DurationInStateZero", "H4", "0* 3000 0* 12000 13000* 4000* -"),
    Table("DurationInStateNonZero", "H4", "14000* 13000 10000* 4000 0* 3001* -"),
    Table("StartBound", "H1", "- 16 30* - 64* 80 -"),
    Table("StartBound", "H2", "- 16.087 26.818 40 56 - -"),
    Table("StartBound", "H3", "- 10 25 40 50 - -"),
    Table("DurationGood", "H1", "6000 16000 0 14000 0 10001 -"),
    *_alike(Table("DurationGood", "H2", "14000 16000 10000 16000 13000 7001 -"), "H3"),
    Table("PercentGood", "H1", "37.5 100 0 87.5 0 100 -"),
]

SERVER = [
    Table(
        "TimeAverage2",
        "H2",
        "10.6522* 12.3913 14.5652 16.7391 18.913 23.6818 27.0455 29.2727* 30* 42.5* 49.45 52.75"
        " 55.25 57.75 59.8* 60* 73.3333* 83.6667 90* -",
    ),
    Table(
        "Total",
        "H1",
        "- - 62.5 87.5 112.5 137.5 162.5* 187.5* 212.5* 237.5* 262.5 287.5 312.5* 337.5* 362.5*"
        " 387.5* 412.5 437.5 450* ?",
    ),
    Table(
        "Total",
        "H2",
        "31.9565* 61.9565 72.8261 83.6957 94.5652 118.4091 135.2273 146.9192* 169.4444* 200* 247.25"
        " 263.75 276.25 288.75 303.0909* 325* 352.5758* 418.3333 481.25* ?",
    ),
    Table(
        "Total",
        "H3",
        "30* 50 50 50 50 110 125 130 150* 170* 230 250 250 250 280 300* 320* 390 450* ?",
    ),
    Table(
        "Total2",
        "H1",
        "- - 62.5 87.5 112.5 137.5 150* 150* - - 262.5 287.5 312.5* 337.5* 362.5* 387.5* 412.5"
        " 437.5 ? -",
    ),
    Table(
        "Total2",
        "H2",
        "31.9565* 61.9565 72.8261 83.6957 94.5652 118.4091 135.2273 146.3636* 60* 85* 247.25 263.75"
        " 276.25 288.75 299* 120* 146.6667* 418.3333 ? -",
    ),
    Table("Range", "H1", "0 10 - 10 - 10 -"),
    Table("Range", "H2", "0 5 0* 10 0* 20 -"),
    Table("Range2", "H1", "6* 14* 0* 14* 16* 10* -"),
    Table("Range2", "H2", "6.087* 10.7312 13.1818* 16 4* 20* -"),
    Table("DurationInStateZero", "H1", "0* 0 0* 0* 0* 0 -"),
    Table("DurationInStateNonZero", "H1", "6000* 16000 0* 14000* 0* ? -"),
    Table("DurationInStateNonZero", "H2", "14000* 16000 10000* 16000 13000* ? -"),
    Table("EndBound", "H1", "16 30* - 64* 80 - -"),
    Table("EndBound", "H2", "16.087 26.8182 40 56 - - -"),
    Table("DeltaBounds", "H2", "- 10.7312 13.1818 16 - - -"),
    Table("DurationBad", "H1", "10000 0 8000 2000 0 0 -"),
    Table("DurationBad", "H2", "2000 0 6000 0 3000 3000 -"),
    Table("PercentGood", "H2", "87.5 100 62.5 100 81.25 ? -"),
    Table("PercentBad", "H1", "62.5 0 50 12.5 0 0 -"),
    Table("PercentBad", "H2", "12.5 0 37.5 0 18.75 ? -"),
    *_alike(Table("WorstQuality", "H1", "192 192 0 192 64 192 -"), "H2"),
]

NODE = [
    Table("Count", "H1", "1 2 - 2 0* 2 -"),
    Table("Count", "H2", "1 2 1* 2 1* 3 -"),
    Table("Count", "H3", "1 2 ? 2 ? 3 -"),
    Table("PercentGood", "H1", "37.5 100 ? 87.5 0 100 -"),
    *_alike(Table("PercentGood", "H2", "87.5 100 62.5 100 81.25 70.003 -"), "H3", "H4"),
    Table("PercentBad", "H1", "62.5 0 50 12.5 0 0 -"),
    *_alike(Table("PercentBad", "H2", "12.5 0 37.5 0 18.75 29.997 -"), "H3", "H4"),
    Table("DurationBad", "H1", "10000 0 8000 2000 0 0 -"),
    *_alike(Table("DurationBad", "H2", "2000 0 6000 0 3000 3000 -"), "H3", "H4"),
    Table("DurationGood", "H1", "6000 16000 0 14000 0 10001 -"),
    *_alike(Table("DurationGood", "H2", "14000 16000 10000 16000 13000 7001 -"), "H3", "H4"),
]
