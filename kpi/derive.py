"""Readings of derived tags from readings of measured ones, by the rules of `kpi.derivation`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import polars as pl

from kpi.derivation.rule import Operands, Reach, Rule
from kpi.derivation.rules import RULES
from kpi.derivation.state import states
from kpi.frames import READINGS
from kpi.units import factor
from schemas.errors import FormulaError, PlantError, nearest
from schemas.plant.model import Derivation, Plant, Tag


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived tag.

    ``depth`` is 1 if all operands are measured, else one more than the deepest of them.
    ``reaches`` tells for each measured tag that it is made of, how far the rules look.
    """

    tag_id: int
    rule: Rule
    operands: tuple[int, ...]
    constants: Mapping[str, float]
    depth: int
    reaches: Mapping[int, Reach]


def derived_tags(
    plant: Plant, tag_ids: Mapping[str, int], wanted: Iterable[str] | None = None
) -> dict[int, Derived]:
    """Derived tags by id: the *wanted* ones by path and what they are made of; all if None.

    Measured tags among the wanted are left out.

    Raises
    ------
    PlantError
        A tag names an unknown rule, or its operands, constants or units do not fit the rule.
    """
    found: dict[int, Derived] = {}
    for path in plant.tags if wanted is None else wanted:
        if plant.tag(path).derivation is not None:
            _add(found, path, plant, tag_ids)
    return found


def check_rules(plant: Plant) -> None:
    """Refuse a plant with a derived tag that does not fit its rule, as `derived_tags` does."""
    derived_tags(plant, {path: number for number, path in enumerate(plant.tags)})


def derive(
    readings: pl.DataFrame,
    wanted: Iterable[int],
    derived: Mapping[int, Derived],
    tags: pl.DataFrame,
) -> pl.DataFrame:
    """The readings of derived tags.

    Parameters
    ----------
    readings
        `kpi.frames.READINGS` of the measured tags in any order. For a span that matters, those of
        each tag from ``behind_s`` before it to ``ahead_s`` after it (`reach`), and the last one
        before that.
    wanted
        The derived tags; what lies between them and the measured ones is computed too.
    derived
        From `derived_tags`.
    tags
        `kpi.frames.TAGS` with at least the operands, derived ones included.

    Returns
    -------
    polars.DataFrame
        `kpi.frames.READINGS` of the wanted tags, sorted by tag and time. Quality is 0, 64 or 192,
        the worst of the operands'; the value is null where it is bad.
    """
    wanted = list(wanted)
    needed = _needed(wanted, derived)
    operands = {operand for given in needed for operand in given.operands}
    tags = tags.filter(pl.col("tag_id").is_in(operands))
    pool = states(readings.lazy(), tags).collect()
    found = [pl.DataFrame(schema=READINGS)]
    for groups in _layers(needed):
        computed = pl.collect_all([_readings(group, pool, tags) for group in groups])
        found.extend(computed)
        pool = pl.concat([pool, states(pl.concat(computed).lazy(), tags).collect()])
    return pl.concat(found).filter(pl.col("tag_id").is_in(wanted)).sort("tag_id", "ts")


def reach(wanted: Iterable[int], derived: Mapping[int, Derived]) -> pl.DataFrame:
    """How far derived tags look: ``tag_id, operand_id, behind_s, ahead_s``.

    ``operand_id`` is measured. To compute a tag over [start, end) takes the operand's readings of
    [start - behind_s, end + ahead_s); what changes of the operand over [start, end), holding
    included, changes the tag over [start - ahead_s, end + behind_s).
    """
    rows = [
        (tag_id, operand, reach.behind_s, reach.ahead_s)
        for tag_id in wanted
        for operand, reach in derived[tag_id].reaches.items()
    ]
    schema = {
        "tag_id": pl.Int32,
        "operand_id": pl.Int32,
        "behind_s": pl.Float64,
        "ahead_s": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _add(found: dict[int, Derived], path: str, plant: Plant, tag_ids: Mapping[str, int]) -> Derived:
    tag, tag_id = plant.tag(path), tag_ids[path]
    if tag_id in found or tag.derivation is None:
        return found[tag_id]
    rule = _rule(tag, tag.derivation, plant)
    depth = 1
    reaches: dict[int, Reach] = {}
    for operand in map(plant.tag, tag.derivation.operands):
        own = rule.reach(tag.derivation.constants, operand.stale_after_s, tag.stale_after_s)
        if operand.derivation is None:
            beyond: Mapping[int, Reach] = {tag_ids[operand.path]: Reach()}
        else:
            between = _add(found, operand.path, plant, tag_ids)
            depth, beyond = max(depth, between.depth + 1), between.reaches
        for measured, further in beyond.items():
            reaches[measured] = (own + further) | reaches.get(measured, Reach())
    found[tag_id] = Derived(
        tag_id,
        rule,
        tuple(tag_ids[operand] for operand in tag.derivation.operands),
        tag.derivation.constants,
        depth,
        reaches,
    )
    return found[tag_id]


def _needed(wanted: Iterable[int], derived: Mapping[int, Derived]) -> list[Derived]:
    needed: dict[int, Derived] = {}
    left = list(wanted)
    while left:
        tag_id = left.pop()
        if tag_id in derived and tag_id not in needed:
            needed[tag_id] = derived[tag_id]
            left.extend(derived[tag_id].operands)
    return list(needed.values())


def _layers(needed: Sequence[Derived]) -> Iterator[list[list[Derived]]]:
    """By depth, operands first, what is of one rule and one set of constants."""
    for _, layer in groupby(sorted(needed, key=_group), lambda given: given.depth):
        yield [list(group) for _, group in groupby(layer, _group)]


def _group(given: Derived) -> tuple[int, str, int, tuple[tuple[str, float], ...]]:
    return given.depth, given.rule.name, len(given.operands), tuple(sorted(given.constants.items()))


def _readings(group: Sequence[Derived], pool: pl.DataFrame, tags: pl.DataFrame) -> pl.LazyFrame:
    """The readings of derived tags of one rule and one set of constants."""
    rows = [
        (given.tag_id, place, operand)
        for given in group
        for place, operand in enumerate(given.operands)
    ]
    made = pl.DataFrame(
        rows, schema={"tag_id": pl.Int32, "place": pl.Int32, "operand": pl.Int32}, orient="row"
    )
    reach_us = (pl.col("stale_after_s") * 1e6).round().cast(pl.Int64)
    held = tags.select(operand="tag_id", reach_us=reach_us)
    first = group[0]
    operands = Operands(
        pool.lazy(),
        made.join(held, on="operand").lazy(),
        len(first.operands),
        first.constants,
    )
    return first.rule.compute(operands).select(
        pl.col(name).cast(dtype) for name, dtype in READINGS.items()
    )


def _rule(tag: Tag, derivation: Derivation, plant: Plant) -> Rule:
    """The rule of *tag*, which fits it."""
    rule = RULES.get(derivation.rule)
    if rule is None:
        raise PlantError(f"{tag.path} rule", derivation.rule, nearest(derivation.rule, RULES))
    if not rule.fits(len(derivation.operands)):
        right = f"{rule.name} takes {', '.join(rule.operands)}{' ...' * rule.many}"
        raise PlantError(f"{tag.path} operands", derivation.operands, right)
    if derivation.constants.keys() != rule.constants.keys():
        right = f"{rule.name} takes {', '.join(rule.constants) or 'none'}"
        raise PlantError(f"{tag.path} constants", list(derivation.constants), right)
    units = [plant.tag(operand).unit for operand in derivation.operands]
    wanted = list(rule.operands.values())
    wanted += wanted[-1:] * (len(units) - len(wanted))
    for operand, found, right_unit in zip(derivation.operands, units, wanted, strict=True):
        if right_unit is not None:
            _check_unit(tag, operand, found, right_unit)
    _check_unit(tag, tag.path, tag.unit, rule.unit(*units))
    return rule


def _check_unit(tag: Tag, path: str, unit: str, right: str) -> None:
    """A rule computes with plain numbers, so a unit of the same dimension is not enough."""
    if fault := _misfit(unit, right):
        said = f"the rule works in {right}; {fault}"
        raise PlantError(f"{tag.path} unit of {path}", unit, said)


@cache
def _misfit(unit: str, right: str) -> str | None:
    """Why *unit* is not *right*: another size, or other dimensions; None if it is the same."""
    try:
        size = factor(unit, right, "a derived tag")
    except FormulaError as error:
        return str(error).removeprefix("a derived tag: ")
    return None if size == 1.0 else f"one {unit} is {size:g} {right}"
