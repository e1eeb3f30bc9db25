"""The tables that a migration makes."""

from schemas.db.engine import connect


def test_smoke(database: str, broker) -> None:
    with connect(database) as c:
        assert c.execute("select count(*) from reading").fetchone() == (0,)
