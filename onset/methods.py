"""A method: how labelled examples are used. `tune` (optional) + `prompt` + `vote` (optional).

Presets have names; anything else is a mapping in a study file with the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from onset.errors import StudyError
from onset.prompting import NEEDS_RATIONALES, PROMPTING
from onset.registry import Entry, Registry
from onset.tuning import TUNERS
from onset.tuning.base import Schedule

Material = Literal["answers", "rationales"]
Template = Literal["chat", "plain"]

PROMPT_OF: Mapping[str, str] = {"answers": "answer-only", "rationales": "cot"}
"""A tuned model is evaluated zero-shot in the format it was tuned on."""


@dataclass(frozen=True, slots=True)
class Vote:
    """Majority over ``samples`` answers drawn at ``temperature`` (self-consistency, Wang et al. 2022)."""

    samples: int
    temperature: float


@dataclass(frozen=True, slots=True)
class Method:
    """One way of using labelled examples.

    ``prompt``: a name of the prompting table. ``shots``: how many demonstrations; None means as many of
    the budget's examples as fit the model's context; a tuned model has 0. ``vote``: sample and vote.
    ``tune``: a name of the tuning table, ``on`` answers or rationales; ``steps`` and ``learning_rate``
    override the fixed default schedule. ``template``: ``chat`` or ``plain``, None: as the model is (chat where it
    is an instruct model with a chat template, see `onset.models.chat`).
    """

    name: str
    prompt: str
    shots: int | None = None
    vote: Vote | None = None
    tune: str | None = None
    on: Material | None = None
    steps: int | None = None
    learning_rate: float | None = None
    template: Template | None = None

    @property
    def rationales(self) -> bool:
        """Do the examples it uses have to carry a rationale?"""
        return self.prompt in NEEDS_RATIONALES

    def schedule(self) -> Schedule:
        """The default schedule with this method's steps and learning rate, where it names them."""
        schedule = Schedule()
        if self.steps is not None:
            schedule = replace(schedule, steps=self.steps)
        if self.learning_rate is not None:
            schedule = replace(schedule, learning_rate=self.learning_rate)
        return schedule

    def spec(self) -> dict[str, Any]:
        """What is set, but for the name, as plain JSON: two methods with equal specs give equal cells.

        An option that is not set (None) is left out, so that an option added later changes no cell's id.
        """
        return {key: value for key, value in asdict(self, dict_factory=_set).items() if key != "name"}


def method(  # noqa: PLR0913 - the keys of a method in a study
    *,
    prompt: str | None = None,
    shots: int | None = None,
    vote: Vote | None = None,
    tune: str | None = None,
    on: Material | None = None,
    steps: int | None = None,
    learning_rate: float | None = None,
    template: Literal["auto", "chat", "plain"] | None = None,
    name: str | None = None,
) -> Method:
    """A checked `Method`; the name is made from the parts when not given.

    Raises UnknownName for a prompting or tuning method that is in no table and StudyError for parts
    that do not go together.
    """
    if tune is None:
        for key, value in (("on", on), ("steps", steps), ("learning_rate", learning_rate)):
            if value is not None:
                raise StudyError(f"method: '{key}: {value}' belongs to a tuning method, but 'tune' is not given")
        if prompt is None:
            raise StudyError("method: neither 'prompt' nor 'tune' is given; expected at least one of them")
    else:
        TUNERS[tune]
        if on is None:
            raise StudyError(f"method: 'tune: {tune}' needs 'on: answers' or 'on: rationales'")
        if prompt not in (None, PROMPT_OF[on]) or shots not in (None, 0):
            raise StudyError(
                f"method: a model tuned on {on} is evaluated zero-shot in that format;"
                f" leave out 'prompt' and 'shots' (received prompt: {prompt}, shots: {shots})"
            )
        prompt, shots = PROMPT_OF[on], 0
    PROMPTING[prompt]
    set_template = None if template == "auto" else template
    made = Method(name or "", prompt, shots, vote, tune, on, steps, learning_rate, set_template)
    return made if name else replace(made, name=_name(made))


def _set(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if value is not None}


def _name(made: Method) -> str:
    parts = [f"{made.tune}-{made.on}"] if made.tune else [made.prompt]
    if made.shots is not None and not made.tune:
        parts.append(f"shots{made.shots}")
    if made.steps is not None:
        parts.append(f"steps{made.steps}")
    if made.learning_rate is not None:
        parts.append(f"lr{made.learning_rate:g}")
    if made.vote:
        parts.append(f"vote{made.vote.samples}")
        if made.vote.temperature != DEFAULT_TEMPERATURE:
            parts.append(f"t{made.vote.temperature:g}")
    if made.template:
        parts.append(made.template)
    return "-".join(parts)


DEFAULT_TEMPERATURE = 0.7
"""Wang et al. 2022, section 3.1 (PaLM and GPT-3); only a vote samples."""

ANSWER_ONLY = method(prompt="answer-only")
COT = method(prompt="cot")
COT_VOTE = method(prompt="cot", vote=Vote(20, DEFAULT_TEMPERATURE), name="cot-vote")
LORA_ANSWERS = method(tune="lora", on="answers")
LORA_RATIONALES = method(tune="lora", on="rationales")
FULL_ANSWERS = method(tune="full", on="answers")
FULL_RATIONALES = method(tune="full", on="rationales")


def method_parameters() -> list[str]:
    """What a method that is spelled out may set, each with what it is where it is left out."""
    default = Schedule()
    return [
        f"prompt={'|'.join(PROMPTING)}",
        "shots=N (as many of the examples as fit)",
        f"vote={{samples: N, temperature: {DEFAULT_TEMPERATURE:g}}} (none)",
        f"tune={'|'.join(TUNERS)} (none)",
        f"on={'|'.join(get_args(Material))} (with tune)",
        f"steps=N ({default.steps})",
        "learning_rate=X (that of the way of tuning)",
        f"template=auto|{'|'.join(get_args(Template))} (auto: chat for an instruct model that has a chat template)",
        "name=TEXT (made from the parts)",
    ]


METHODS = Registry(
    "method",
    {
        "answer-only": Entry("onset.methods:ANSWER_ONLY", "prompt with question and answer pairs"),
        "cot": Entry("onset.methods:COT", "prompt with worked steps (chain of thought)"),
        "cot-vote": Entry("onset.methods:COT_VOTE", "chain of thought, majority of 20 samples at temperature 0.7"),
        "lora-answers": Entry("onset.methods:LORA_ANSWERS", "LoRA tuning on answers"),
        "lora-rationales": Entry("onset.methods:LORA_RATIONALES", "LoRA tuning on worked steps and answers"),
        "full-answers": Entry("onset.methods:FULL_ANSWERS", "full fine-tuning on answers"),
        "full-rationales": Entry("onset.methods:FULL_RATIONALES", "full fine-tuning on worked steps and answers"),
    },
)
