"""Measuring in turns, and what a measurement says."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One line of the table. `ok` is None where there is nothing to reach."""

    what: str
    measured: str
    reach: str
    ok: bool | None
    numbers: str

    @property
    def verdict(self) -> str:
        """The word for the table."""
        return {True: "ok", False: "missed", None: ""}[self.ok]


def at_most(what: str, measured: float, limit: float, numbers: str, unit: str = " ×") -> Result:
    """A measurement that must not be greater than `limit`."""
    return Result(what, _text(measured, unit), f"≤ {limit:g}{unit}", measured <= limit, numbers)


def at_least(what: str, measured: float, limit: float, numbers: str, unit: str = " ×") -> Result:
    """A measurement that must not be less than `limit`."""
    return Result(what, _text(measured, unit), f"≥ {limit:g}{unit}", measured >= limit, numbers)


def information(what: str, measured: float, numbers: str, unit: str = " ×") -> Result:
    """A measurement that is only told."""
    return Result(what, _text(measured, unit), "", None, numbers)


def wall(action: Callable[[], object]) -> float:
    """How many seconds `action` takes."""
    before = perf_counter()
    action()
    return perf_counter() - before


def in_turns(rounds: int, *actions: Callable[[], T]) -> list[list[T]]:
    """What each action measured in each round; they take turns, so that all see the same weather."""
    measured: list[list[T]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, values in zip(actions, measured, strict=True):
            values.append(action())
    return measured


def ratio(values: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the ratios of the rounds."""
    return statistics.median(value / least for value, least in zip(values, floor, strict=True))


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def _text(number: float, unit: str) -> str:
    return f"{number:,.0f}{unit}" if number >= 100 or number == int(number) else f"{number:.2f}{unit}"
