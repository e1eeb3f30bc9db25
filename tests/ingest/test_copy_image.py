"""COPY images, read by PostgreSQL itself."""

from datetime import UTC, datetime

import numpy as np
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.copy_image import array_image, image, timestamps
from schemas.instant import from_ms

rows = st.lists(
    st.tuples(
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-2_208_988_800_000, 4_102_444_800_000),
        st.one_of(st.none(), st.floats(allow_nan=False)),
        st.integers(0, 500),
    )
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_rows_come_back_as_they_went(
    empty_database: str, given_rows: list[tuple[int, int, float | None, int]]
) -> None:
    """int4, timestamptz, float8 with nulls, int2: bit for bit."""
    tags = np.array([row[0] for row in given_rows], np.int32)
    ms = np.array([row[1] for row in given_rows], np.int64)
    null = np.array([row[2] is None for row in given_rows], np.bool_)
    values = np.array([row[2] or 0.0 for row in given_rows], np.float64)
    quality = np.array([row[3] for row in given_rows], np.int16)

    with psycopg.connect(empty_database) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone TO UTC")
        cursor.execute("CREATE TEMP TABLE t (n int4, ts timestamptz, v float8, q int2)")
        with cursor.copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(image((tags, timestamps(ms), values, quality), {2: null}))
        found = cursor.execute("SELECT * FROM t").fetchall()

    assert found == [(tag, from_ms(ts), value, q) for tag, ts, value, q in given_rows]


def test_arrays(empty_database: str) -> None:
    """Timestamptz and int4[]; an empty array too."""
    ms = 1_795_255_200_000
    with psycopg.connect(empty_database) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone TO UTC")
        cursor.execute("CREATE TEMP TABLE t (ts timestamptz, ids int4[])")
        with cursor.copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(array_image([(ms, np.array([1, 2**31 - 1], np.int32))]))
        found = cursor.execute("SELECT * FROM t").fetchall()

    assert found == [(datetime(2026, 11, 21, 10, tzinfo=UTC), [1, 2**31 - 1])]
