"""Simulated traffic that several tests look at: drawn once."""

from __future__ import annotations

from functools import cache

from ken.operations.simulate import calendar, traffic
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.happenings import Told
from ken.operations.simulate.incidents import Incident, incident
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Marker, Organisation

MONDAY = 1_700_438_400.0
DAYS = 11
BEGINS = MONDAY + 9 * DAY_S + 10 * HOUR_S
"""A Wednesday's morning, with more than a week before it."""
SEED = 11


@cache
def organisation(per_day: float = 6_000.0) -> Organisation:
    """The organisation of all tests."""
    return Organisation(seed=SEED, per_day=per_day)


@cache
def made() -> tuple[Marker, ...]:
    """Its releases and syncs."""
    return calendar.markers(organisation(), MONDAY, days=DAYS)


@cache
def struck(kind: str) -> Incident:
    """An incident of a kind."""
    return incident(kind, begins=BEGINS, seed=SEED)


@cache
def drawn(kind: str = "") -> traffic.Traffic:
    """Its questions, with an incident or without."""
    incidents = [struck(kind)] if kind else []
    return traffic.joined(list(traffic.days(organisation(), MONDAY, days=DAYS, incidents=incidents, made=made())))


def figures(kind: str = "", *, now: float = MONDAY + DAYS * DAY_S) -> Columns:
    """The figures of these questions, as they are known at a time."""
    return Columns(drawn(kind), incidents=[struck(kind)] if kind else [], now=lambda: now)


def told(kind: str = "") -> Told:
    """What people did."""
    return Told(made(), incidents=[struck(kind)] if kind else [])
