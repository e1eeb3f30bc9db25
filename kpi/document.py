"""The catalogue of KPIs and the rules of derived tags as people read them."""

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Final

from kpi.derivation.rule import Rule
from kpi.formula import Symbol
from kpi.kpi import Constant, Given, Input, Kpi, ParameterSet, Rated, Settled, Source
from kpi.part13.names import Aggregate

_HEAD: Final = """# KPIs

Written by `make docs` from `kpi/catalogue`; a test holds this page to it. Every KPI is made of
inputs that add up over time and over assets, so it can be asked for at any of its assets and over
any span. Its inputs are summed from [measures](measures.md) of the types of asset in brackets.
A value is given where each input is known for the share of the span that stands under coverage,
and doubted outside the valid range. Of several parameter sets the first is the default; the one
that was used is in the answer.
"""

_ANY_TAG: Final = """## Of any tag

What is asked about a single tag rather than an asset are the aggregates of OPC UA (OPC 10000-13),
computed by `kpi.aggregate`. Time mean and time integral with quality are `TimeAverage2` and
`Total2`; quality is `PercentGood`, `PercentBad`, `DurationGood`, `DurationBad` and `WorstQuality`.
What a totaliser gained, by modulus, reset and bound (`max_rate`), is the increase in its summaries,
which the history of the API shows.
"""

_RULES: Final = """## Rules of derived tags

A rule computes the readings of a tag from those of others; the plant file names it, its operands
and its constants.
"""


def document(areas: Sequence[ModuleType], rules: Mapping[str, Rule]) -> str:
    """The page of the KPIs of *areas* and of *rules*, in Markdown."""
    kpis = [(area, _kpis(area)) for area in areas]
    sets = [given for _, found in kpis for kpi in found for given in kpi.parameter_sets]
    names = ", ".join(f"`{aggregate.value}`" for aggregate in Aggregate)
    parts = [
        _HEAD,
        *(_area(area, found) for area, found in kpis),
        f"{_ANY_TAG}\nAll of them: {names}.\n",
        f"## Parameter sets\n\n{_sets(sets)}",
        f"{_RULES}\n{_rules(rules.values())}",
    ]
    return "\n".join(parts)


def made_of(given: Given) -> list[str]:
    """What an input is summed from; several are alternatives."""
    if isinstance(given, Rated):
        return [f"rated {given.rating} over the time that {given.over} covers"]
    if isinstance(given, Settled):
        symbols = {name: Symbol(name) for name in given.operands}
        return [f"sum over hours of {given.formula(**symbols).text}"]
    return [_taken_from(source) for source in given.sources]


def _taken_from(source: Source) -> str:
    of = ", ".join(sorted(source.of))
    text = f"{source.amount.value} of {source.measure} ({of})"
    if source.per is not None:
        text += f", once a {source.per}"
    if source.rated is not None:
        text += f", times rated {source.rated}"
    return text


def _kpis(area: ModuleType) -> list[Kpi]:
    return [kpi for kpi in vars(area).values() if isinstance(kpi, Kpi)]


def _area(area: ModuleType, kpis: Iterable[Kpi]) -> str:
    name = area.__name__.rpartition(".")[2].replace("_", " ").capitalize()
    text = (area.__doc__ or "").strip()
    return "\n".join([f"## {name}\n\n{text}\n", *(_kpi(kpi) for kpi in kpis)])


def _kpi(kpi: Kpi) -> str:
    low, high = kpi.valid
    facts = {
        "unit": f"`{kpi.unit}`",
        "assets": ", ".join(sorted(kpi.assets)),
        "formula": f"`{kpi.formula_text}`",
        "source": kpi.source,
        "valid": f"{low:g} to {high:g}",
        "coverage": f"{kpi.minimum_coverage:g}",
    }
    if kpi.parameter_sets:
        first, *others = [f"`{given.name}`" for given in kpi.parameter_sets]
        more = f" and {len(others)} more" if len(others) > 3 else "".join(f", {n}" for n in others)
        facts["parameter sets"] = f"{first}{more}"
    inputs = [
        (f"`{given.name}`", f"`{given.unit}`", given.title, _origin(given)) for given in kpi.inputs
    ]
    text = kpi.description.partition("\n")[2].strip()
    return "\n".join(
        [
            f"### {kpi.title}: `{kpi.id}`\n\n{text}\n",
            _table(("", ""), facts.items()),
            _table(("input", "unit", "", "summed from"), inputs),
        ]
    )


def _origin(given: Given) -> str:
    text = "; or ".join(made_of(given))
    return f"{text}; 0 if there is none" if isinstance(given, Input) and given.optional else text


def _sets(sets: Iterable[ParameterSet]) -> str:
    """One row a name: KPIs that take part of a set have the same numbers."""
    constants: dict[str, dict[str, Constant]] = {}
    sources: dict[str, str] = {}
    for given in sets:
        constants.setdefault(given.name, {}).update(given.constants)
        sources[given.name] = max(sources.get(given.name, ""), given.source, key=len)
    rows = [
        (
            f"`{name}`",
            ", ".join(f"{key} {one.value:.8g}{_unit(one.unit)}" for key, one in given.items()),
            sources[name],
        )
        for name, given in constants.items()
    ]
    return _table(("set", "constants", "source"), rows)


def _rules(rules: Iterable[Rule]) -> str:
    rows = [
        (
            f"`{rule.name}`",
            ", ".join(f"{name}{_unit(unit or '')}" for name, unit in rule.operands.items())
            + " ..." * rule.many,
            ", ".join(f"{name}{_unit(unit)}" for name, unit in rule.constants.items()),
            f"`{rule.text}`" if rule.text else "",
            " ".join(rule.description.split()),
        )
        for rule in rules
    ]
    return _table(("rule", "operands", "constants", "formula", ""), rows)


def _unit(unit: str) -> str:
    return "" if unit in {"", "1"} else f" [{unit}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
