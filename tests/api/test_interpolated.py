"""Values at instants: what holds, what a line leads through, and what is not known."""

from datetime import datetime, timedelta

import httpx
import pytest

from schemas.db.catalogue import Catalogue
from tests.api.answers import get, rows
from tests.api.demo import LINE, NOW, POTS, insert, instants

STEP, LINEAR = f"{LINE}/line_current", "refinery/digestion-1/temperature"
STEP_STALE_S = 60


def at(seconds: float) -> datetime:
    """So long after 09:00."""
    return NOW - timedelta(hours=1) + timedelta(seconds=seconds)


def asked(client: httpx.Client, tag: str, *when: datetime) -> list[tuple[object, object]]:
    """Value and quality at each of these instants."""
    times = [instant.isoformat() for instant in when]
    answer = client.get("/api/v1/history", params={"tag": tag, "mode": "interpolated", "at": times})
    assert answer.status_code == 200, answer.text
    return [(row["value"], row["quality"]) for row in answer.json()["rows"]]


@pytest.fixture
def known(api: httpx.Client, database: str, pavlodar: Catalogue) -> httpx.Client:
    """Three readings of a stepped and of a sloped tag, the third bad, and silence."""
    insert(
        database,
        pavlodar,
        [
            (tag, at(seconds), value, quality)
            for tag in (STEP, LINEAR)
            for seconds, value, quality in ((0, 100.0, 192), (20, 140.0, 64), (30, 150.0, 0))
        ],
    )
    return api


#: Seconds after the first reading, and what then is known of a stepped and of a sloped tag.
EXPECTED = {
    -1.0: ((None, 500), (None, 500)),
    0.0: ((100.0, 192), (100.0, 192)),
    5.0: ((100.0, 192), (110.0, 64)),  # a line to an uncertain point is uncertain
    20.0: ((140.0, 64), (140.0, 64)),
    25.0: ((140.0, 64), (140.0, 64)),  # no line leads to a bad point: the value holds
    30.0: ((None, 0), (None, 0)),
}


@pytest.mark.parametrize("far", [False, True])
def test_a_value_holds_or_runs_to_the_next(known: httpx.Client, *, far: bool) -> None:
    """The same whether the readings are read or each instant is looked up in the index."""
    when = [at(seconds) for seconds in EXPECTED]
    more = [NOW - timedelta(days=30)] if far else []
    for place, tag in enumerate((STEP, LINEAR)):
        found = asked(known, tag, *more, *when)

        assert found[len(more) :] == [values[place] for values in EXPECTED.values()]


def test_nothing_is_interpolated_over_a_silence(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """A value holds for its ``stale_after``, 60 s, and then is stale until the next reading."""
    insert(database, pavlodar, [(STEP, at(0), 100.0, 192), (STEP, at(600), 200.0, 192)])

    found = asked(api, STEP, at(59), at(STEP_STALE_S), at(599), at(600))

    assert found == [(100.0, 192), (None, 500), (None, 500), (200.0, 192)]


def test_a_computed_tag_has_values(demo: httpx.Client) -> None:
    """4.2 V at 500 kA are 2100 kW, at close instants and at far ones."""
    power = f"{POTS[0]}/power"
    near = [NOW - timedelta(seconds=seconds) for seconds in (15, 12, 5)]
    far = [NOW - timedelta(minutes=minutes) for minutes in (90, 60, 30)]

    for when in (near, far):
        assert asked(demo, power, *when) == [(pytest.approx(2100.0), 192)] * 3


def test_every_gives_whole_steps(demo: httpx.Client) -> None:
    """From the start on at whole multiples; the mean of the values is that of the summary."""
    span = {"from": "2026-11-21T09:00:05Z", "to": "2026-11-21T09:03:00Z"}
    found = rows(get(demo, tag=STEP, mode="interpolated", every="1m", **span))

    assert [row["ts"] for row in found] == [
        "2026-11-21T09:00:05Z",
        "2026-11-21T09:01:00Z",
        "2026-11-21T09:02:00Z",
    ]
    assert {row["value"] for row in found} == {500.0}


def test_pages_are_the_whole(demo: httpx.Client) -> None:
    """Pages of seven rows give what one answer gives."""
    query = {"mode": "interpolated", "every": "1m", "from": "-10m", "to": "now"}
    whole = get(demo, **query)
    found, cursor = [], None
    while True:
        page = get(demo, limit=7, **query, **({"cursor": cursor} if cursor else {}))
        found += rows(page)
        if (cursor := page["cursor"]) is None:
            break

    assert found == rows(whole)
    assert len(found) == 24 * 10


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"mode": "interpolated"}, "every"),
        ({"mode": "interpolated", "at": "2027-01-01T00:00:00Z"}, "at"),
        ({"mode": "interpolated", "at": "soon"}, "at"),
        ({"mode": "raw", "at": "now"}, "at"),
    ],
)
def test_what_cannot_be_interpolated(
    demo: httpx.Client, query: dict[str, str], parameter: str
) -> None:
    """Instants to come are not known, and without instants there is nothing to say."""
    answer = demo.get("/api/v1/history", params={"tag": STEP, **query})

    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)


def test_it_is_what_summaries_integrate(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """The area under values a second apart is the integral of the summary, to the trapezes."""
    noise = [(LINEAR, ts, 100.0 + i % 7, 192) for i, ts in enumerate(instants(at(0), at(300), 10))]
    insert(database, pavlodar, noise)
    span = {"tag": LINEAR, "from": at(0).isoformat(), "to": at(290).isoformat()}

    values = [row["value"] for row in rows(get(api, mode="interpolated", every="1s", **span))]
    (summary,) = rows(get(api, mode="summary", **span))

    numbers = [value for value in values if isinstance(value, float)]
    edge = noise[29][2]
    area = sum(a + b for a, b in zip(numbers, [*numbers[1:], edge], strict=True)) / 2
    assert area == pytest.approx(summary["integral"])
