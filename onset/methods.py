"""A method: how labelled examples are used. `tune` (optional) + `prompt` + `choose` + `vote` (optional).

Presets have names; anything else is a mapping in a study file with the same keys.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from onset.demos import DEMOS
from onset.demos.base import Choice
from onset.demos.complex import Complex
from onset.demos.random import Random
from onset.errors import StudyError
from onset.prompting import PROMPTING
from onset.prompting.base import Prompt
from onset.registry import Entry, Registry
from onset.search.base import Search
from onset.step import Step, read_step
from onset.tuning import MATERIALS, material, tuner
from onset.tuning.base import Schedule, Tuning
from onset.tuning.materials.base import Material
from onset.votes import VOTES
from onset.votes.base import DEFAULT_TEMPERATURE, Vote
from onset.votes.complexity import Complexity
from onset.votes.majority import Majority
from onset.votes.verifier import Verifier

Template = Literal["chat", "plain"]


@dataclass(frozen=True, slots=True)
class Method:
    """One way of using labelled examples.

    ``prompt``: how to ask, a step of the prompting table. ``shots``: how many demonstrations; None means as many of
    the budget's examples as fit the model's context; a tuned model has as many as its material says (mostly 0), and a
    method that shows none has 0. ``choose``: which of the granted examples are shown. ``vote``: sample, and take one
    answer of several. ``tune``: how to tune, a step of the tuning table, ``on`` what, a step of that table; ``steps``
    (or ``epochs``, passes over what is tuned on) and ``learning_rate`` override the fixed default schedule.
    ``template``: ``chat`` or ``plain``, None: as the model is (chat where it is an instruct model with a chat template,
    see `onset.models.chat`). ``search``: the rule by which its settings are chosen in every cell (None: they are as
    written).
    """

    name: str
    prompt: Prompt
    shots: int | None = None
    vote: Vote | None = None
    tune: Tuning | None = None
    on: Material | None = None
    steps: int | None = None
    learning_rate: float | None = None
    template: Template | None = None
    choose: Choice = field(default_factory=Random)
    search: Search | None = None
    epochs: int | None = None

    @property
    def rationales(self) -> bool:
        """Do the examples it uses have to carry a rationale?"""
        return "rationales" in self.needs

    @property
    def needs(self) -> frozenset[str]:
        """What it cannot do without (`onset.prompting.base.Need`)."""
        return self.prompt.needed() | self.choose.needed() | (self.on.needed() if self.on else frozenset())

    @property
    def zero_shot(self) -> bool:
        """Does it use no labelled example, whatever the budget?"""
        alone = self.tune is None and self.search is None
        return alone and self.shots == 0 and not self.prompt.uses_examples()

    def schedule(self, texts: float | None = None) -> Schedule:
        """The default schedule with this method's steps and learning rate, where it names them. ``texts``: how many are
        tuned on, by which a number of epochs is one of steps (None: not known yet).
        """
        schedule = Schedule()
        if self.steps is not None:
            schedule = replace(schedule, steps=self.steps)
        if self.epochs is not None and texts is not None:
            schedule = replace(schedule, steps=self.epochs * max(1, math.ceil(texts / schedule.batch_size)))
        if self.learning_rate is not None:
            schedule = replace(schedule, learning_rate=self.learning_rate)
        return schedule

    def spec(self) -> dict[str, Any]:
        """What is set, but for the name, as plain JSON: two methods with equal specs give equal cells.

        An option that is not set (None, or as it is by default) is left out, so that an option added later changes no
        cell's id.
        """
        return {key: _said(getattr(self, key)) for key in _OPTIONS if getattr(self, key) not in (None, Random())}

    def identity(self) -> dict[str, Any]:
        """The spec with what files hold in place of where they are: what a cell's id says. Raises DataError for a file
        that cannot be used.
        """
        said = self.spec()
        return said | {key: one.identity() for key in said if isinstance(one := getattr(self, key), Step)}

    def bank(self) -> dict[str, Any] | None:
        """The spec of the outputs it reads: methods with one bank share them. None: it neither votes nor is
        `zero_shot`, or its settings are searched, and no other cell has the same.
        """
        if self.search is not None:
            return None
        if self.vote is None:
            return self.identity() if self.zero_shot else None
        return self.identity() | {"vote": self.vote.bank()}


_OPTIONS = ("prompt", "shots", "choose", "vote", "tune", "on", "steps", "epochs", "learning_rate", "template", "search")


def _said(value: Any) -> Any:
    return value.spec() if isinstance(value, Step) else value


def method(  # noqa: PLR0913 - the keys of a method in a study
    *,
    prompt: Any = None,
    shots: int | None = None,
    choose: Any = None,
    vote: Any = None,
    tune: Any = None,
    on: Any = None,
    steps: int | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    template: Literal["auto", "chat", "plain"] | None = None,
    name: str | None = None,
) -> Method:
    """A checked `Method`; the name is made from the parts when not given.

    ``prompt``, ``choose``, ``tune`` and ``on``: a name of their table, a mapping with ``kind`` and settings, or the
    step itself; ``vote``: so too, or a mapping without ``kind`` (a majority). Raises UnknownName for a name that is in
    no table and StudyError for settings that do not validate or parts that do not go together.
    """
    _check_values(shots, steps, epochs, learning_rate, template)
    if tune is None:
        for key, value in (("on", on), ("steps", steps), ("epochs", epochs), ("learning_rate", learning_rate)):
            if value is not None:
                raise StudyError(f"method: '{key}: {value}' belongs to a tuning method, but 'tune' is not given")
        if prompt is None:
            raise StudyError("method: neither 'prompt' nor 'tune' is given; expected at least one of them")
    else:
        tune = tuner(tune, "method: 'tune'")
        if on is None:
            raise StudyError(
                f"method: 'tune: {tune.kind}' needs 'on', what to tune on: one of {', '.join(MATERIALS)}, or a mapping"
                " with 'kind'"
            )
        if steps is not None and epochs is not None:
            raise StudyError(
                f"method: 'steps: {steps}' and 'epochs: {epochs}' both say how long to tune; leave one of them out"
            )
        on = material(on, "method: 'on'")
        if prompt not in (None, tune.asked(on)) or shots not in (None, on.shown) or choose is not None:
            how = f"with {on.shown} demonstrations" if on.shown else "zero-shot"
            raise StudyError(
                f"method: a model tuned on {on.kind} is evaluated {how} in that format; leave out 'prompt', 'shots' and"
                f" 'choose' (received prompt: {prompt}, shots: {shots}, choose: {choose})"
            )
        prompt, shots = tune.asked(on), on.shown
    asks: Prompt = read_step(PROMPTING, prompt, "method: 'prompt'")
    chosen: Choice = Random() if choose is None else read_step(DEMOS, choose, "method: 'choose'")
    _check_choice(asks, chosen, shots, choose is not None)
    if not asks.shows:
        shots = 0
    set_template = None if template == "auto" else template
    votes = read_vote(vote)
    made = Method(name or "", asks, shots, votes, tune, on, steps, learning_rate, set_template, chosen, epochs=epochs)
    asks.check(votes)
    if votes is not None and votes.verified:
        _check_verified(votes, made)
    return made if name else replace(made, name=_name(made))


def read_vote(value: Any) -> Vote | None:
    """The vote that ``value`` names: a number of samples, or a mapping of settings (a majority without ``kind``).

    Raises UnknownName and StudyError as `method` does.
    """
    if value is None or isinstance(value, Vote):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        value = {"samples": value}
    settings = {"kind": "majority", **value} if isinstance(value, Mapping) else value
    vote: Vote = read_step(VOTES, settings, "method: 'vote'")
    return vote


def _check_values(shots: Any, steps: Any, epochs: Any, learning_rate: Any, template: Any) -> None:
    """A grid and a caller may give anything."""
    for key, value, least in (("shots", shots, 0), ("steps", steps, 1), ("epochs", epochs, 1)):
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise StudyError(f"method: '{key}: {value!r}': expected a whole number from {least} on")
    real = isinstance(learning_rate, numbers.Real) and not isinstance(learning_rate, bool)
    if learning_rate is not None and not (real and 0 < learning_rate < math.inf):
        raise StudyError(f"method: 'learning_rate: {learning_rate!r}': expected a finite number above 0")
    if template not in (None, "auto", *get_args(Template)):
        raise StudyError(f"method: 'template: {template!r}': expected auto, {' or '.join(get_args(Template))}")


def _check_choice(asks: Prompt, chosen: Choice, shots: int | None, said: bool) -> None:
    if said and (not asks.shows or shots == 0):
        raise StudyError(f"method: 'choose: {chosen.kind}' chooses demonstrations, but none are shown")
    if not asks.shows and shots:
        raise StudyError(f"method: '{asks.kind}' shows no demonstrations; leave out 'shots' (received {shots})")
    if chosen.per_item and shots is None:
        raise StudyError(f"method: 'choose: {chosen.kind}' chooses for each question: it needs 'shots', a number")


def _check_verified(vote: Vote, made: Method) -> None:
    """A verifier learns from solutions of a generator that was tuned on worked steps."""
    need = f"method: 'vote: {vote.kind}' learns from worked solutions of a tuned model: it needs"
    if made.tune is None or made.on is None:
        raise StudyError(f"{need} 'tune' and 'on: rationales', and 'tune' is not given")
    if made.on.format != "rationales" or made.on.shown or made.prompt.kind != "cot":
        raise StudyError(
            f"{need} 'on: rationales', or what else teaches worked steps and is asked without demonstrations (received"
            f" on: {made.on.label()})"
        )


def _name(made: Method) -> str:
    parts = [f"{made.tune.label()}-{made.on.label()}"] if made.tune and made.on else [made.prompt.label()]
    if made.choose != Random():
        parts.append(made.choose.label())
    if made.shots is not None and not made.tune and made.prompt.shows:
        parts.append(f"shots{made.shots}")
    if made.steps is not None:
        parts.append(f"steps{made.steps}")
    if made.epochs is not None:
        parts.append(f"epochs{made.epochs}")
    if made.learning_rate is not None:
        parts.append(f"lr{made.learning_rate:g}")
    if made.vote:
        parts.append(made.vote.label())
    if made.template:
        parts.append(made.template)
    return "-".join(parts)


ANSWER_ONLY = method(prompt="answer-only")
COT = method(prompt="cot")
COT_VOTE = method(prompt="cot", vote=Majority(samples=20), name="cot-vote")
ZERO_SHOT_COT = method(prompt="zero-shot-cot")
SCRATCHPAD = method(prompt="scratchpad")
THINKING = method(prompt="thinking")

# Wang et al. 2022, arXiv 2203.11171, section 3.1 ("sampling scheme"): 40 samples, drawn for each family as there
SELF_CONSISTENCY = method(prompt="cot", vote=Majority(samples=40), name="self-consistency")
SELF_CONSISTENCY_PALM = method(
    prompt="cot", vote=Majority(samples=40, temperature=0.7, top_k=40), name="self-consistency-palm"
)
SELF_CONSISTENCY_LAMDA = method(
    prompt="cot", vote=Majority(samples=40, temperature=0.5, top_k=40), name="self-consistency-lamda"
)
# Lewkowycz et al. 2022, arXiv 2206.14858 (maj1@k): nucleus sampling; k is set by task there, 64 here
MINERVA = method(prompt="cot", vote=Majority(samples=64, temperature=0.6, top_p=0.95), name="minerva")
# Fu et al. 2022, arXiv 2210.00720, section 4: 8 demonstrations, of 50 samples at temperature 0.7 up to 40 vote
COMPLEXITY_VOTE = method(prompt="cot", vote=Complexity(samples=50, keep=40), name="complexity-vote")
COMPLEXITY_BASED = method(
    prompt="cot", shots=8, choose=Complex(), vote=Complexity(samples=50, keep=40), name="complexity-based"
)
# Cobbe et al. 2021, arXiv 2110.14168, sections 4.1 and 4.2: two epochs, 100 solutions of each problem, the best of 100
VERIFIER = method(tune="lora", on="rationales", epochs=2, vote=Verifier(samples=100), name="verifier")
LORA_ANSWERS = method(tune="lora", on="answers")
LORA_RATIONALES = method(tune="lora", on="rationales")
FULL_ANSWERS = method(tune="full", on="answers")
FULL_RATIONALES = method(tune="full", on="rationales")


def method_parameters() -> list[str]:
    """What a method that is spelled out may set, each with what it is where it is left out."""
    default = Schedule()
    return [
        "prompt=NAME or {kind: NAME, its settings} (the table of prompt)",
        "shots=N (as many of the examples as fit)",
        "choose=NAME or {kind: NAME, its settings} (random; the table of choose)",
        f"vote=N or {{kind: NAME, samples: N, temperature: {DEFAULT_TEMPERATURE:g}, ...}} (none; the table of vote)",
        "tune=NAME or {kind: NAME, its settings} (none; the table of tune)",
        "on=NAME or {kind: NAME, its settings} (needed with tune; the table of on)",
        f"steps=N ({default.steps})",
        "epochs=N (with tune, in place of steps: passes over what is tuned on)",
        "learning_rate=X (that of the way of tuning)",
        f"template=auto|{'|'.join(get_args(Template))} (auto: chat for an instruct model that has a chat template)",
        "search=RULE or {select: RULE, its settings} (that of the study; the table of search)",
        "grid={SETTING: [VALUES]} or [{SETTING: VALUE}] (with search: what is tried, else what the steps say)",
        "name=TEXT (made from the parts)",
    ]


METHODS = Registry(
    "method",
    {
        "answer-only": Entry("onset.methods:ANSWER_ONLY", "prompt with question and answer pairs"),
        "cot": Entry("onset.methods:COT", "prompt with worked steps (chain of thought)"),
        "cot-vote": Entry("onset.methods:COT_VOTE", "chain of thought, majority of 20 samples at temperature 0.7"),
        "zero-shot-cot": Entry("onset.methods:ZERO_SHOT_COT", "let's think step by step, no demonstrations"),
        "scratchpad": Entry("onset.methods:SCRATCHPAD", "prompt with a trace of states before the answer"),
        "thinking": Entry("onset.methods:THINKING", "a reasoning model thinks for up to 2,048 tokens, and answers"),
        "self-consistency": Entry(
            "onset.methods:SELF_CONSISTENCY", "chain of thought, majority of 40 samples as for GPT-3 (Wang et al. 2022)"
        ),
        "self-consistency-palm": Entry(
            "onset.methods:SELF_CONSISTENCY_PALM", "as for PaLM: of the 40 most probable tokens at temperature 0.7"
        ),
        "self-consistency-lamda": Entry(
            "onset.methods:SELF_CONSISTENCY_LAMDA",
            "as for LaMDA and UL2: of the 40 most probable tokens at temperature 0.5",
        ),
        "complexity-vote": Entry(
            "onset.methods:COMPLEXITY_VOTE", "majority of the 40 samples of 50 with most steps (Fu et al. 2022)"
        ),
        "complexity-based": Entry(
            "onset.methods:COMPLEXITY_BASED",
            "the 8 examples with most steps as demonstrations, and the complexity vote (Fu et al. 2022)",
        ),
        "minerva": Entry(
            "onset.methods:MINERVA", "majority of 64 samples, nucleus 0.95 at temperature 0.6 (Lewkowycz et al. 2022)"
        ),
        "verifier": Entry(
            "onset.methods:VERIFIER",
            "LoRA tuning on worked steps, two epochs; of 100 samples a trained verifier's best (Cobbe et al. 2021)",
        ),
        "lora-answers": Entry("onset.methods:LORA_ANSWERS", "LoRA tuning on answers"),
        "lora-rationales": Entry("onset.methods:LORA_RATIONALES", "LoRA tuning on worked steps and answers"),
        "full-answers": Entry("onset.methods:FULL_ANSWERS", "full fine-tuning on answers"),
        "full-rationales": Entry("onset.methods:FULL_RATIONALES", "full fine-tuning on worked steps and answers"),
    },
)
