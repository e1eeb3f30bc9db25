"""How an aggregate treats doubtful data: the AggregateConfiguration of OPC 10000-13, 4.2.1.2."""

from dataclasses import dataclass

from schemas.errors import RequestError


@dataclass(frozen=True, slots=True)
class AggregateConfiguration:
    """The standard's four settings with its defaults, and the variable's own ``stepped``.

    ``treat_uncertain_as_bad``
        Uncertain readings count as bad, else as usable.
    ``percent_data_bad`` [%]
        An answer is bad when at least so much of its interval is.
    ``percent_data_good`` [%]
        An answer is good when at least so much of its interval is.
    ``use_sloped_extrapolation``
        A sloped signal goes on along its last slope behind its last reading, else it holds.
    ``stepped``
        The signal keeps its value up to the next reading, else it runs straight to it.

    Raises
    ------
    RequestError
        A share is outside 0..100, or ``percent_data_good`` is below 100 - ``percent_data_bad``: an
        interval could then be good and bad at once.
    """

    treat_uncertain_as_bad: bool = True
    percent_data_bad: int = 100
    percent_data_good: int = 100
    use_sloped_extrapolation: bool = False
    stepped: bool = False

    def __post_init__(self) -> None:
        for name in ("percent_data_bad", "percent_data_good"):
            share = getattr(self, name)
            if not 0 <= share <= 100:
                raise RequestError(name, share, "a percentage lies between 0 and 100")
        if self.percent_data_good < 100 - self.percent_data_bad:
            raise RequestError(
                "percent_data_good",
                self.percent_data_good,
                f"at least 100 - percent_data_bad = {100 - self.percent_data_bad} (4.2.1.2)",
            )

    @property
    def bad_share_decides(self) -> bool:
        """Whether the share of bad data is looked at.

        4.2.1.2: where percent_data_good equals 100 - percent_data_bad, the result of the good share
        is used. Annex A publishes it so: of Historian 3 (50/50) an interval that is 40 % good and
        60 % bad is uncertain with a value (A.5, 12:00:40), not bad.
        """
        return self.percent_data_good + self.percent_data_bad != 100
