"""The green-aluminium ledger of the small park."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import BytesIO

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kpi.binding import bind
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate
from kpi.ledger.accounts import ACCOUNTS, METHODOLOGIES
from kpi.ledger.entries import ENTRIES, ledger, ledger_bindings
from kpi.ledger.statement import statement
from kpi.sums import add_up
from schemas.errors import NotFoundError
from schemas.plant.model import Plant
from schemas.reading import Kind
from tests.kpi.catalogue.park import IDS, PLANT, sums
from tests.kpi.frames import HOUR, START

TAGS = list(dict.fromkeys(t.tag for one in ledger_bindings(PLANT, IDS) for t in one.terms))
_EMPTY = {
    Kind.GAUGE: {"mean": 0.0},
    Kind.EVENT: {"total": 0.0},
    Kind.STATE: {"active_s": 0.0},
    Kind.COUNTER: {"increase": 0.0},
}
SET = "cbam-2025-cwpb-ar5"


def park(
    load: Sequence[float] = (6, 6, 6, 6), renewable: Sequence[float] = (8, 4, 0, 6)
) -> pl.DataFrame:
    """Hours of a park that makes 10 t in one tap, with one anode effect, all in MWh and t.

    Loads are those of the first potline; the current of its pots is twice as high in the first
    hour. 4.2 t of carbon were set, in the second hour; 2 t CO2 a hour come from fuel.
    """
    frames = []
    for number, (used, made) in enumerate(zip(load, renewable, strict=True)):
        missing = used - made
        given: dict[str, Mapping[str, float]] = {
            path: _EMPTY[PLANT.tag(path).kind] for path in TAGS
        }
        given |= {
            "smelter/line-1/rectifier/load": {"mean": 1000.0 * used},
            "power/metered/energy_net": {"total": 1000.0 * made},
            "grid/import_power": {"mean": 1000.0 * max(missing, 0.0)},
            "grid/export_power": {"mean": 1000.0 * max(-missing, 0.0)},
            "grid/carbon_free_import": {"mean": 300.0 * max(missing, 0.0)},
            "grid/import_emission": {"mean": 500.0 * max(missing, 0.0)},
            "grid/market_emission": {"mean": 700.0 * max(missing, 0.0)},
            "refinery/powerhouse/fuel_emission": {"mean": 2000.0},
        }
        for pot in ("smelter/line-1/pot-1", "smelter/line-1/pot-2"):
            given[f"{pot}/pot_current"] = {"mean": 1000.0 if number == 0 else 500.0}
            given[f"{pot}/operating"] = {"active_s": 3600.0}
            given[f"{pot}/metal_tapped"] = {"total": 5000.0 if number == 3 else 0.0}
            given[f"{pot}/anode_set"] = {"total": 2100.0 if number == 1 else 0.0}
        given["smelter/line-1/pot-1/anode_effect_by_voltage"] = {
            "active_s": 120.0 if number == 2 else 0.0
        }
        frames.append(sums(given, START + number * HOUR))
    return pl.concat(frames)


def book(summaries: pl.DataFrame, hours: int = 4, plant: Plant = PLANT) -> pl.DataFrame:
    """The ledger of so many hours."""
    end = START + hours * HOUR
    given = inputs(summaries, plant)
    return ledger(plant, IDS, given, START, end, code_version="1.2.3", parameter_set=SET)


def inputs(summaries: pl.DataFrame, plant: Plant = PLANT) -> pl.DataFrame:
    """What the ledger is made of, from the summaries of the tags."""
    terms = pl.concat(binding.frame for binding in ledger_bindings(plant, IDS)).unique()
    return add_up(terms, summaries)


INPUTS = inputs(park())
BOOK = book(park())


def amounts(account: str, asset: str, book: pl.DataFrame = BOOK) -> list[float | None]:
    """The entries of an account at an asset, hour by hour."""
    rows = book.filter(pl.col("account") == account, pl.col("asset") == asset)
    return rows["value"].to_list()


def lines(book: pl.DataFrame = BOOK) -> dict[str, float | None]:
    """The statement, line by line."""
    return dict(statement(book).select("line", "value").iter_rows())


@pytest.mark.parametrize(
    ("account", "asset", "expected"),
    [
        ("generation", "power/metered", [8.0, 4.0, 0.0, 6.0]),
        ("import", "grid", [0.0, 2.0, 6.0, 0.0]),
        ("export", "grid", [2.0, 0.0, 0.0, 0.0]),
        ("consumption", "smelter/line-1", [6.0, 6.0, 6.0, 6.0]),
        ("consumption", "refinery", [0.0, 0.0, 0.0, 0.0]),
        ("matched", "park", [6.0, 4.0, 0.0, 6.0]),
        ("carbon-free", "park", [6.0, 4.6, 1.8, 6.0]),
        # Tapped in the last hour, made as the charge went: two fifths in the first.
        ("metal", "smelter/line-1", [4.0, 2.0, 2.0, 2.0]),
        ("power by location", "park", [0.0, 1.0, 3.0, 0.0]),
        ("power by market", "park", [0.0, 1.4, 4.2, 0.0]),
        ("fuel", "refinery", [2.0, 2.0, 2.0, 2.0]),
    ],
)
def test_entries_by_the_hour(account: str, asset: str, expected: list[float]) -> None:
    """Each account at its asset, in MWh and t."""
    assert amounts(account, asset) == pytest.approx(expected)


def test_carbon_of_the_anodes_goes_with_the_charge() -> None:
    """Set in one hour, burnt in all: 4.2 t of carbon by 3.664, as the charge went."""
    carbon = 4.2 * 3.664
    expected = [carbon * share for share in (0.4, 0.2, 0.2, 0.2)]
    assert amounts("anode", "smelter/line-1") == pytest.approx(expected)


def test_pfc_is_booked_in_the_hour_of_the_anode_effect() -> None:
    """And comes to the slope of the whole period: 2 min over 8 pot-hours, times 10 t."""
    minutes = 2 / (8 / 24)
    emission = 0.143 * minutes * 10 * (6630 + 0.121 * 11_100) / 1000
    assert amounts("pfc", "smelter/line-1") == pytest.approx([0.0, 0.0, emission, 0.0])


def test_consumption_is_booked_once() -> None:
    """Potlines with their rectifiers, the refinery by its meter, the others by their own."""
    assert list(ACCOUNTS["consumption"].assets(PLANT)) == [
        "smelter/line-1",
        "smelter/line-2",
        "smelter/potroom",
        "smelter/carbon-plant",
        "smelter/casthouse",
        "refinery",
    ]
    assert list(ACCOUNTS["generation"].assets(PLANT)) == [
        "power/wind",
        "power/metered",
        "power/solar",
    ]


@pytest.mark.parametrize(
    ("account", "kpi"),
    [
        ("matched", "hourly_matched_share"),
        ("carbon-free", "carbon_free_score"),
        ("generation", "volumetric_renewable_share"),
    ],
)
def test_shares_are_those_of_the_kpis(account: str, kpi: str) -> None:
    """The ledger and the catalogue are one: the same hours give the same shares."""
    book = lines()
    share, consumption = book[account], book["consumption"]
    binding = bind(KPIS[kpi], "park", PLANT, IDS)
    value = evaluate(binding, park(), [START, START + 4 * HOUR])["value"].item()

    assert share is not None
    assert consumption is not None
    assert 100 * share / consumption == pytest.approx(value, rel=1e-12)


def test_the_statement() -> None:
    """Hourly share beside the volumetric one, and every line of carbon per tonne."""
    found = lines()
    pfc = 0.143 * 6 * (6630 + 0.121 * 11_100) / 1000
    anode = 0.42 * 3.664
    expected = {
        "hourly matched renewable share": 100 * 16 / 24,
        "volumetric renewable share": 75.0,
        "carbon-free energy score": 100 * 18.4 / 24,
        "pfc per tonne": pfc,
        "anode per tonne": anode,
        "fuel per tonne": 0.8,
        "power by location per tonne": 0.4,
        "power by market per tonne": 0.56,
        "scope 1 per tonne": pfc + anode + 0.8,
        "scope 1 and 2 by location per tonne": pfc + anode + 1.2,
        "scope 1 and 2 by market per tonne": pfc + anode + 1.36,
        "metal": 10.0,
        "import": 8.0,
    }
    assert {line: found[line] for line in expected} == pytest.approx(expected)


def test_carbon_per_tonne_is_the_kpi() -> None:
    """Scope 1 and 2 by location is the carbon intensity of the site."""
    binding = bind(KPIS["carbon_intensity"], "park", PLANT, IDS)
    value = evaluate(binding, park(), [START, START + 4 * HOUR], SET)["value"].item()
    # The second line stands still: no metal, no pot-days, and in the ledger no PFC.
    assert lines()["scope 1 and 2 by location per tonne"] == pytest.approx(value, rel=1e-12)


def test_energy_balances_in_every_hour() -> None:
    """Generation, import and discharge are consumption, export and charge."""
    by_hour = (
        BOOK.filter(pl.col("unit") == "MWh").group_by("start", "account").agg(pl.col("value").sum())
    )
    wide = by_hour.pivot("account", index="start", values="value")
    supply = wide["generation"] + wide["import"] + wide["storage discharge"]
    use = wide["consumption"] + wide["export"] + wide["storage charge"]

    assert supply.to_list() == pytest.approx(use.to_list())


def test_a_ledger_run_again_is_the_same_to_the_bit() -> None:
    """In whatever order the summaries come."""
    shuffled = park().sample(fraction=1.0, shuffle=True, seed=7)

    assert_frame_equal(book(shuffled), BOOK, check_exact=True)
    assert_frame_equal(statement(book(shuffled)), statement(BOOK), check_exact=True)


def test_an_hour_that_is_not_known_is_missing_not_zero() -> None:
    """Null with its reason in the entries; left out of both sums of a share, and counted."""
    tag = IDS["power/metered/energy_net"]
    third = START + 2 * HOUR
    known = park().filter((pl.col("tag_id") != tag) | (pl.col("bucket") != third))
    found = book(known)
    totals = {row["line"]: row for row in statement(found).iter_rows(named=True)}

    assert amounts("generation", "power/metered", found) == [8.0, 4.0, None, 6.0]
    reasons = found.filter(pl.col("account") == "matched")["reason"].to_list()
    assert reasons == [None, None, "coverage 0.8 is below 0.9", None]
    assert (totals["generation"]["value"], totals["generation"]["missing"]) == (18.0, 1)
    share = totals["hourly matched renewable share"]
    assert share["value"] == pytest.approx(100 * 16 / 18)
    assert (share["hours"], share["missing"]) == (3, 1)


def test_every_entry_names_its_methodology_and_code() -> None:
    """An auditor sees by what it was made; another set gives other tonnes under its own name."""
    assert BOOK["parameter_set"].unique().to_list() == [SET]
    assert BOOK["code_version"].unique().to_list() == ["1.2.3"]
    end = START + 4 * HOUR
    other = ledger(
        PLANT, IDS, INPUTS, START, end, code_version="1.2.3", parameter_set="ipcc-2006-cwpb-ar4"
    )
    assert amounts("anode", "smelter/line-1", other) != amounts("anode", "smelter/line-1")
    assert set(other["parameter_set"]) == {"ipcc-2006-cwpb-ar4"}


def test_a_ledger_survives_its_export() -> None:
    """CSV and Parquet give the same frame back."""
    parquet, csv = BytesIO(), BytesIO()
    BOOK.write_parquet(parquet)
    BOOK.write_csv(csv)
    parquet.seek(0)
    csv.seek(0)
    read = pl.read_csv(csv, schema_overrides={"reason": pl.String})

    assert_frame_equal(pl.read_parquet(parquet), BOOK)
    assert BOOK.schema == pl.Schema(ENTRIES)
    assert read["value"].to_list() == BOOK["value"].to_list()


def test_what_cannot_be_booked_is_refused() -> None:
    """No such methodology, no whole hours."""
    end = START + 4 * HOUR
    with pytest.raises(NotFoundError, match="did you mean"):
        ledger(PLANT, IDS, INPUTS, START, end, code_version="1", parameter_set="cbam-2025-cwpb")
    with pytest.raises(ValueError, match="whole hours"):
        ledger(PLANT, IDS, INPUTS, START, end + timedelta(minutes=1), code_version="1")
    assert SET in METHODOLOGIES
