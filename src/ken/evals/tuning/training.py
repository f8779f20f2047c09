"""What makes questions difficult for the light tier of a home: learned from a tuning, and from turns that people judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ken.domain.routed import JudgedTurn
from ken.evals.tuning.tiers import Tuned
from ken.gateway.difficulty import Estimator
from ken.gateway.route_model import fit, held_out, separation


@dataclass(frozen=True, slots=True)
class Learned:
    """An estimator, and how well it tells difficult questions from easy ones beside the one in use."""

    estimator: Estimator
    held_out: tuple[float, ...]
    """The difficulty of each question of the tuning, by a fit that had not seen it."""
    before: float | None
    """The area under the ROC curve of the estimator in use; None where all questions are of one kind."""
    after: float | None
    """The same of the fitted one, on questions that its fits had not seen."""
    judged: int
    """Turns on record that taught, too."""

    @property
    def is_better(self) -> bool:
        """Whether to use it."""
        return self.before is not None and self.after is not None and self.after > self.before

    @property
    def told(self) -> str:
        """For people."""
        if self.before is None or self.after is None:
            return "Both tiers answer all questions alike: there is nothing to tell them by."
        verdict = "kept" if self.is_better else "not kept: what is in use tells them apart as well"
        turns = f" and {self.judged} judged turn{'s' if self.judged > 1 else ''}" if self.judged else ""
        return (
            f"Fitted to {len(self.held_out)} questions{turns}: on questions that a fit has not seen it puts a difficult one above an "
            f"easy one {self.after:.0%} of the time, what is in use {self.before:.0%}; {verdict}."
        )


def learn(tuned: Tuned, judged: Sequence[JudgedTurn] = ()) -> Learned:
    """Fit an estimator. Raises InvalidInput where there is too little to learn from."""
    features = [*tuned.features, *(turn.features for turn in judged)]
    labels = [*tuned.hard.tolist(), *(float(turn.is_hard) for turn in judged)]
    asked = len(tuned.features)
    origin = f"training on {asked} questions" + (f" and {len(judged)} judged turns" if judged else "")
    estimator = fit(features, labels, origin=origin)
    unseen = held_out(features, labels)[:asked]
    hard = tuned.hard.tolist()
    return Learned(
        estimator,
        tuple(unseen),
        before=separation(tuned.difficulty.tolist(), hard),
        after=separation(unseen, hard),
        judged=len(judged),
    )
