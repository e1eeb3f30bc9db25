"""The page of a report: whole, for paper, and nothing of it runs or is fetched."""

import hashlib
from base64 import b64encode
from html.parser import HTMLParser

from tests.api.demo import LINE
from tests.api.reports.books import ASSET, DAY, TARGET, Books, declare

HOSTILE = "<script>alert(1)</script>"
#: Elements without an end tag (HTML, 13.1.2).
VOID = {"meta"}


class Elements(HTMLParser):
    """The elements of a page; an end tag that is not the innermost element's is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The innermost one ends."""
        assert self.open.pop() == tag


def test_the_page_runs_and_fetches_nothing(books: Books) -> None:
    """Well-formed, no script, no address, the style by its digest; what a person says is text."""
    declare(books.dsn, TARGET, title=HOSTILE)
    books.decide("sign", reason=HOSTILE)
    books.arrive_late()
    answer = books.client.get(
        "/api/v1/reports/day",
        params={"asset": ASSET, "at": DAY},
        headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    )
    policy = answer.headers["Content-Security-Policy"]
    elements = Elements(answer.text)

    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert elements.open == []
    assert {tag for tag, _ in elements.seen}.isdisjoint({"script", "link", "img", "a", "iframe"})
    assert not any({"src", "href", "style", "onload"} & set(given) for _, given in elements.seen)
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3  # title, heading, why


def test_the_page_says_all(books: Books) -> None:
    """Period, values, target, alarms, signature, what came late, the digest; and how to print."""
    books.decide("sign", reason="day is over")
    books.arrive_late()
    shown = books.ask(format="html")
    for said in (
        DAY,
        "Asia/Almaty",
        "target missed",
        "day is over",
        "1 hours of 1 tags changed after the signature",
        "energy / capacity",
        "@media print",
        shown.headers["Ertis-Report-SHA256"],
    ):
        assert said in shown.text, said
    assert f"{LINE}/line_current#high" in books.ask(format="html", asset=LINE).text
    assert "preliminary" in books.ask("month", format="html", at="2024-02").text
