"""Reports: what a period came to; of a signed one the same byte by byte, and what came late."""

import csv
import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest

from api.access.person import Role
from tests.api.demo import LINE
from tests.api.reports.books import ASSET, DAY, TARGET, Books, declare, roll_up
from tests.fixtures.until import until


def of_sun(report: dict[str, Any]) -> dict[str, Any]:
    """Its line of the capacity factor."""
    (found,) = (line for line in report["kpis"] if line["kpi"] == "capacity_factor")
    return dict(found)


def body_of(answer: httpx.Response) -> bytes:
    """The bytes under ``report``, which stand first."""
    rest = orjson.dumps(orjson.loads(answer.content)["report"])
    assert answer.content.startswith(b'{"report":' + rest)
    return rest


def test_a_report_says_what_the_period_came_to(books: Books) -> None:
    """KPIs with target, the day before, coverage of all 25 hours, quality, formula; alarms."""
    answer = books.ask()
    report = answer.json()["report"]
    line = of_sun(report)
    period = report["period"]
    assert (period["name"], period["start"], period["end"]) == (
        DAY,
        "2024-02-28T18:00:00Z",
        "2024-02-29T19:00:00Z",
    )
    assert (report["status"], report["signed"]) == ("preliminary", [])
    assert report["compared_from"] == "2024-02-27T18:00:00Z"
    assert (line["value"], line["previous"], line["target"]) == pytest.approx((0.5, 0.5, 0.6))
    assert (line["coverage"], line["good"]) == pytest.approx((1.0, 1.0))
    assert (line["better"], line["met"]) == ("higher", False)
    assert (line["formula"], line["parameter_set"]) == ("energy / capacity", "none")
    assert answer.json()["sha256"] == hashlib.sha256(body_of(answer)).hexdigest()
    assert answer.json()["late"] == {"hours": 0, "tags": [], "effects": []}


def test_alarms_of_the_period_are_counted(books: Books) -> None:
    """Where they rang, with what stood already when it began; nowhere else."""
    alarms = books.report(asset=LINE)["alarms"]
    (stood,) = alarms["longest"]
    assert (alarms["raised"], alarms["by_priority"]["medium"], stood["times"]) == (1, 1, 1)
    assert (stood["name"], stood["seconds"]) == (f"{LINE}/line_current#high", 30 * 60.0)
    assert alarms["most_frequent"] == [stood]
    assert books.report()["alarms"]["raised"] == 0


def test_a_signed_report_stays_what_it_was(books: Books) -> None:
    """Late readings, a new target and another title change no byte; what came late is told."""
    assert books.decide("sign", reason="day is over").status_code == 200
    before, table = books.ask(), books.ask(format="csv")
    books.arrive_late()
    declare(books.dsn, replace(TARGET, value=0.1), title="renamed")
    after = books.ask()

    assert body_of(after) == body_of(before)
    assert after.json()["sha256"] == before.json()["sha256"]
    assert books.ask(format="csv").content == table.content
    report = after.json()["report"]
    (signature,) = report["signed"]
    assert report["status"] == "signed"
    assert (signature["by"], signature["reason"]) == ("local", "day is over")
    assert of_sun(report)["target"] == 0.6

    late = after.json()["late"]
    (tag,) = late["tags"]
    effect = {one["kpi"]: one for one in late["effects"]}["capacity_factor"]
    higher = 0.5 + 0.25 / 25
    assert (late["hours"], tag["tag"], tag["hours"]) == (1, f"{ASSET}/power", 1)
    assert effect["signed"] == of_sun(report)["value"]
    assert (effect["reopened"], effect["change"]) == pytest.approx((higher, higher - 0.5))


def test_what_is_opened_again_is_another_report(books: Books) -> None:
    """It says what arrived; signed anew it has its own digest, and the old one is not answered."""
    books.decide("sign")
    old = books.ask().json()
    books.arrive_late()
    opened = books.decide("reopen", reason="meter read again").json()["period"]
    assert (opened["late"], opened["reopened_reason"]) == (1, "meter read again")
    assert books.report()["status"] == "preliminary"

    assert books.decide("sign").json()["type"] == "urn:ertis:problem:conflict"  # minutes wait
    roll_up(books.dsn)
    assert books.decide("sign").status_code == 200
    new = books.ask().json()
    assert of_sun(new["report"])["value"] == pytest.approx(0.5 + 0.25 / 25)
    assert new["report"]["signed"][0]["at"] > old["report"]["signed"][0]["at"]
    assert (new["late"]["hours"], new["sha256"] == old["sha256"]) == (0, False)


def test_the_report_of_the_site_is_kept_at_once(books: Books) -> None:
    """So that nothing that is declared before somebody asks for it is in it."""
    books.decide("sign", f"{DAY}-morning")
    until(lambda: books.kept() == [("shift", "pavlodar")], "the report to be kept")
    books.report("shift", at=f"{DAY}-morning", asset="power")
    books.report("shift", at=f"{DAY}-morning", asset="power")

    assert books.kept() == [("shift", "pavlodar"), ("shift", "power")]


def test_a_day_whose_shifts_are_signed_is_signed(books: Books) -> None:
    """However many signatures cover it; the last shift has nine hours."""
    for shift in ("night", "morning"):
        books.decide("sign", f"{DAY}-{shift}")
    assert books.report()["status"] == "preliminary"
    assert books.report("shift", at=f"{DAY}-morning")["status"] == "signed"
    books.decide("sign", f"{DAY}-evening")

    evening = books.report("shift", at=f"{DAY}-evening")["period"]
    length = datetime.fromisoformat(evening["end"]) - datetime.fromisoformat(evening["start"])
    assert (length.total_seconds(), evening["shift"]) == (9 * 3600, "evening")
    assert books.report()["status"] == "signed"
    assert [one["name"] for one in books.report()["signed"]] == [
        f"{DAY}-{shift}" for shift in ("night", "morning", "evening")
    ]


def test_who_may_sign_and_open(books: Books) -> None:
    """Engineers of the whole plant sign, admins open; each is in the audit log, once."""
    viewer = books.key("viewer", Role.VIEWER)
    engineer = books.key("engineer", Role.ENGINEER)
    neighbour = books.key("neighbour", Role.ENGINEER, "power/**")
    admin = books.key("admin", Role.ADMIN)

    def decided(action: str, by: dict[str, str]) -> tuple[int, str]:
        answer = books.decide(action, by=by)
        return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

    assert decided("sign", viewer) == decided("sign", neighbour) == (403, "not-allowed")
    assert decided("sign", engineer) == (200, "")
    assert decided("sign", admin) == (409, "period-signed")
    assert decided("reopen", engineer) == (403, "not-allowed")
    assert decided("reopen", admin) == (200, "")
    assert decided("reopen", admin) == (404, "not-found")
    audit = books.client.get("/api/v1/audit", params={"subject": DAY}, headers=admin).json()
    entered = {(one["action"], one["who"], one["reason"]) for one in audit["entries"]}
    assert entered == {
        ("period.sign", "engineer", "closed"),
        ("period.reopen", "admin", "closed"),
    }


def test_a_report_is_seen_by_those_who_see_its_asset(books: Books) -> None:
    """And by nobody who sees only a part: their sum would be a wrong number."""
    own = books.key("solar", Role.VIEWER, "power/solar-1")
    asked = {"at": DAY, "asset": "power/solar-1"}
    found = books.client.get("/api/v1/reports/day", params=asked, headers=own).json()["report"]
    assert of_sun(found)["value"] == pytest.approx(0.5)
    for asset, status in (("pavlodar", 403), ("power", 403), (LINE, 404)):
        part = {**asked, "asset": asset}
        answer = books.client.get("/api/v1/reports/day", params=part, headers=own)
        assert answer.status_code == status, answer.text
    assert books.client.get("/api/v1/reports/day", headers=own).status_code == 403


def test_a_table_has_a_line_for_each_kpi(books: Books) -> None:
    """CSV as programs read it: what the report says, in its order."""
    answer = books.ask(format="csv", asset="power")
    rows = list(csv.DictReader(answer.text.splitlines()))
    lines: list[dict[str, Any]] = books.report(asset="power")["kpis"]
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [row["kpi"] for row in rows] == [line["kpi"] for line in lines]
    assert [float(row["coverage"]) for row in rows] == [line["coverage"] for line in lines]
    assert {row["formula"] for row in rows if row["kpi"] == "capacity_factor"} == {
        "energy / capacity"
    }
