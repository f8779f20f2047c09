"""What happens to simulated traffic and no figure shows: releases, syncs, and a breaker that opens and closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ken.domain.alert import Happening
from ken.operations.simulate.incidents import Incident
from ken.operations.simulate.organisation import Marker


class Told:
    """`Happenings` of simulated traffic, all of them known from the start."""

    def __init__(self, made: Sequence[Marker], *, incidents: Sequence[Incident] = ()) -> None:
        markers = [*made, *(each.marker for each in incidents if each.marker is not None)]
        told = [*map(_of_marker, markers), *(each for one in incidents for each in _breakers(one))]
        self._told = tuple(sorted(told, key=lambda each: each.at))

    def since(self, at: float) -> Sequence[Happening]:
        """What happens from a time on, oldest first; also what is still to come."""
        return [each for each in self._told if each.at >= at]

    def between(self, since: float, until: float) -> Sequence[Happening]:
        """What happens in [since, until), oldest first."""
        return [each for each in self._told if since <= each.at < until]


def _of_marker(marker: Marker) -> Happening:
    if marker.kind == "release":
        return Happening(
            kind="deployed", at=marker.at, of=marker.name, told=f"The release {marker.name} was made current."
        )
    return Happening(
        kind="index_updated", at=marker.at, of=marker.name, told=f"A sync of {marker.name} changed documents."
    )


def _breakers(incident: Incident) -> Iterator[Happening]:
    """The breaker of the model that fails opens for the first half of each period, and closes."""
    for effect in incident.effects:
        if effect.knob != "breakers":
            continue
        model = next((value for other in incident.effects for name, value in other.where if name == "model"), "model")
        for at in np.arange(incident.begins, incident.ends, effect.period_s).tolist():
            yield Happening(kind="breaker", at=at, of=model, told=f"The breaker of {model} opened.")
            yield Happening(kind="breaker", at=at + effect.period_s / 2, of=model, begins=False)
