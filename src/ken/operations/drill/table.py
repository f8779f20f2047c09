"""What is expected of every fault of a model: one table.

A tier has two models. Each fault meets every call of the first one; the second works. A question is asked through Ken's own
door, streamed, and its answer is set beside the one that it gets when both work.

    how       the words of the mock's name that bring the fault about; `gone`: nothing listens any more
    answer    whole: the same answer as without the fault; quoted: the passages are quoted, as no model can be asked
    calls     of the first and of the second model, for the first question
    why       the reason that the span of a second attempt gives
    notice    whether the reader is told that another model went on
    breaker   of the first model, when it has met the fault a few times; where it opens, the next question goes past that
              model, and when the fault is over, it closes
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE = """
fault    | how        | answer | calls | why         | notice | breaker
refused  | gone       | whole  | 3+1   | connection  | yes    | open
400      | 400        | quoted | 1+0   | -           | yes    | closed
401      | 401        | whole  | 1+1   | -           | yes    | closed
404      | 404        | whole  | 1+1   | -           | yes    | closed
408      | 408        | whole  | 3+1   | 408         | yes    | open
413      | 413        | quoted | 1+0   | -           | yes    | closed
429      | 429-after0 | whole  | 3+1   | 429         | yes    | open
500      | 500        | whole  | 3+1   | 500         | yes    | open
503      | 503-after0 | whole  | 3+1   | 503         | yes    | open
hanghead | hanghead   | whole  | 3+1   | timeout     | yes    | open
hangtoken| hangtoken  | whole  | 3+1   | timeout     | yes    | open
slow     | ttft450    | whole  | 1+0   | -           | no     | open
stall    | stall12    | whole  | 1+1   | -           | yes    | open
cut      | cut12      | whole  | 1+1   | -           | yes    | open
bad      | bad12      | whole  | 1+1   | -           | yes    | open
error    | error12    | whole  | 1+1   | -           | yes    | open
limit    | limit12    | whole  | 1+1   | -           | yes    | open
usage    | usagewrong | whole  | 1+0   | -           | no     | closed
dup      | dup12      | whole  | 1+0   | -           | no     | closed
empty    | empty      | whole  | 1+1   | -           | yes    | closed
big      | big10      | whole  | 1+1   | -           | yes    | closed
"""

GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One row."""

    fault: str
    how: str
    answer: str
    calls: tuple[int, int]
    why: str
    is_noticed: bool
    opens: bool

    @property
    def words(self) -> str:
        """The row in one line, for the report."""
        told = f"answer {self.answer}, calls {self.calls[0]}+{self.calls[1]}"
        why = "" if self.why == "-" else f" (again for {self.why})"
        return f"{told}{why}, {'a' if self.is_noticed else 'no'} notice, breaker {'opens' if self.opens else 'stays closed'}"


def expected() -> tuple[Expected, ...]:
    """The rows, in their order."""
    _, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    return tuple(
        Expected(
            fault=fault,
            how=how,
            answer=answer,
            calls=(int(calls.partition("+")[0]), int(calls.partition("+")[2])),
            why=why,
            is_noticed=notice == "yes",
            opens=breaker == "open",
        )
        for fault, how, answer, calls, why, notice, breaker in rows
    )
