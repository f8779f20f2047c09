"""What one question gathers on its way through the stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from ken.domain.answer import Choice, Citation, Conflict, Message, Outcome, Question, TaskType
from ken.domain.budget import BudgetStanding
from ken.domain.call import Account
from ken.domain.conflict import Disagreement
from ken.domain.deadline import Deadline
from ken.domain.document import Document, Evidence, SearchResult
from ken.domain.standing import Period, Standing
from ken.gateway.cache.sameness import Meaning
from ken.gateway.cache.semantic import Asked, Recalled
from ken.gateway.difficulty import Estimate
from ken.gateway.route import Decision
from ken.models.protocols import ChatModel
from ken.prompts.grounded import Prompt


@dataclass(slots=True, kw_only=True)
class Turn:
    """Filled by one stage after the other; each stage says in its docstring what it reads and what it sets."""

    question: Question
    deadline: Deadline
    today: str
    """The day that the answer is for, an ISO date."""
    text: str = ""
    """The question, trimmed (intake)."""
    standalone: str = ""
    """The question as it would be asked without the conversation before it (classify)."""
    history: tuple[Message, ...] = ()
    """The rolling window (intake)."""
    earlier: tuple[Message, ...] = ()
    """What was said before it (intake)."""
    task: TaskType = "lookup"
    """(classify)"""
    category: str = ""
    """What the question is about, as far as caching and figures tell questions apart (classify)."""
    standing: BudgetStanding = field(default_factory=BudgetStanding)
    """How the scarcest budget stands that this question falls under (classify)."""
    asked: Asked | None = None
    """What the cache is asked for; None where it isn't (recall)."""
    meaning: Meaning | None = None
    """Of the question, where it had to be compared with others (recall)."""
    recalled: Recalled | None = None
    """What the cache said (recall)."""
    result: SearchResult | None = None
    """(retrieve)"""
    answerable: float = 0.0
    """The probability that the passages hold the answer (retrieve)."""
    period: Period | None = None
    """The time that the question asks about; None stands for now (retrieve)."""
    standings: dict[str, Standing] = field(default_factory=dict[str, Standing])
    """Of the documents found that are not simply in force, by id (retrieve)."""
    disagreements: tuple[Disagreement, ...] = ()
    """Between statements of the passages (assemble)."""
    prompt: Prompt | None = None
    """(assemble)"""
    model: ChatModel | None = None
    """(route)"""
    tier: str = ""
    """The class of model that answers; empty where a model was named (route)."""
    difficulty: Estimate | None = None
    """How difficult the question is for a light model (route)."""
    decision: Decision | None = None
    """Why this tier; None where a tier or a model was asked for, or there are no tiers (route)."""
    max_tokens: int | None = None
    """The greatest length of the answer (route)."""
    escalated: str = ""
    """Why the first answer was not shown and a stronger tier was asked (verify)."""
    reply: str = ""
    """What has been shown so far (verify), or a reply that needs no model (screen, classify, recall)."""
    outcome: Outcome | None = None
    """Set as soon as it is known how this ends."""
    citations: list[Citation] = field(default_factory=list[Citation])
    notices: list[str] = field(default_factory=list[str])
    switched: list[str] = field(default_factory=list[str])
    """Notices of models that failed on the way: of this time, and not of the answer where it is repeated."""
    conflicts: tuple[Conflict, ...] = ()
    """The disagreements that the answer rests on (verify), or rested on (recall)."""
    nearest: tuple[Document, ...] = ()
    choices: tuple[Choice, ...] = ()
    """What the question may mean, where Ken asks back (retrieve)."""
    account: Account = field(default_factory=Account)
    """What was spent so far, on every model and embedder."""
    is_broken_off: bool = False
    """Its model did not end it, and no other one could (generate)."""
    is_degraded: bool = False
    """It is less than the model that was chosen would have given (generate)."""
    confidence: float = 0.0
    cached: bool = False
    cached_model: str = ""
    """The model that gave the answer which is now repeated (recall)."""
    cached_notice: str = ""
    """What is said of an answer that is repeated (recall)."""
    original_trace_id: str | None = None
    """Of the question that the repeated answer was made for (recall)."""
    cuts: list[int] = field(default_factory=list[int])
    """Where in the reply each piece ended that was shown (verify)."""
    mentioned: tuple[Document, ...] = ()
    """Documents that a notice names and no passage is from (retrieve)."""
    flaws: list[str] = field(default_factory=list[str])
    """Why the answer is not to be given again (verify)."""
    checked: tuple[str, ...] = ()
    """Names of the heuristics that looked at the answer (verify)."""
    failed_checks: tuple[str, ...] = ()
    """Of these, the ones that found a fault (verify)."""
    kept: str = ""
    """What became of it in the cache: `stored`, or why it isn't; empty where it was not to be (settle)."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The passages of the prompt, in its order; of the search where no prompt was assembled."""
        if self.prompt is not None:
            return self.prompt.evidence
        return self.result.evidence if self.result is not None else ()
