"""A fake model that answers from a script: for tests of your own code, and for dry runs of a study.

    model = ScriptedModel({"2 + 2": " The answer is 4.", "France": [" Paris.", " Lyon."]}, default=" I do not know.")
    model = ScriptedModel(lambda prompt, sample: " The answer is 4.")
    model = ScriptedModel.from_file("replies.json")     # the same as open_model("scripted:replies.json")

A reply file:

    {"rules": [{"contains": "2 + 2", "text": " The answer is 4."},
               {"matches": "How many (keys|coins)", "texts": [" 7.", " 8."], "logprobs": {" 7.": -0.1, " 8.": -2.5}}],
     "default": " I do not know.",
     "facts": {"params": 1000000, "context": 4096, "family": "scripted"}}

Which rule answers: the one whose substring (``contains``) or regular expression (``matches``) occurs
nearest to the end of the prompt, so that the question decides and not the demonstrations before it; of
several that end there, the longest match, then the first. Sample ``i`` gets text ``i``, starting
over when they run out. Tokens are words with the space before them. ``logprobs`` gives the score of a
continuation; every other log-probability is made up from a hash of the text: the same on every run and
on every machine, at most -0.5 a token, and without any meaning.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from onset.errors import ModelError
from onset.models.backend import Backend, LoadOptions, Size, under
from onset.models.base import ModelFacts
from onset.models.configs import seen
from onset.models.requests import check_requests
from onset.records import Completion, Finish, Pair, Request, Scored, content_hash
from onset.thinking import answer_start
from onset.turns import find_end
from onset.untrusted import halved, loads

Reply = Callable[[str, int], str]
"""(prompt, sample index) -> the text that the model would go on with, stop strings included."""

MADE_UP_FACTS = ModelFacts(
    name="scripted",
    family="scripted",
    stage="base",
    params=1_000_000,
    params_non_embedding=1_000_000,
    params_compute=1_000_000,
    context=4096,
    tokenizer="words",
    revision="",
    dtype="none",
    device="cpu",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """``texts`` for prompts in which ``pattern`` (a regular expression) occurs, and the log-probability
    of some continuations of contexts in which it occurs.
    """

    pattern: str
    texts: tuple[str, ...] = ()
    logprobs: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


class ScriptedModel:
    """A model whose replies are known beforehand (see the module's first lines).

    ``replies``: a mapping from substring to text or texts, a sequence of `Rule`, or a function of
    prompt and sample index. ``default`` is the text where no rule has one. ``facts`` are the facts to
    show; an empty ``revision`` is filled in with a hash of the script (of a function: of its name).
    """

    def __init__(
        self,
        replies: Mapping[str, str | Sequence[str]] | Sequence[Rule] | Reply,
        *,
        default: str = "",
        facts: ModelFacts = MADE_UP_FACTS,
    ) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._reply: Reply | None = None
        self._default = default
        if isinstance(replies, Mapping):
            self._rules = tuple(Rule(re.escape(part), _texts(text)) for part, text in replies.items())
        elif isinstance(replies, Sequence):
            self._rules = tuple(replies)
        else:
            self._reply = replies
        self._facts = facts if facts.revision else _with(facts, revision=self._fingerprint())

    @classmethod
    def from_file(cls, path: str | Path, *, label: str | None = None) -> ScriptedModel:
        """Read a reply file. The label defaults to the file's stem.

        Raises ModelError (one line, with the file and the place in it) when it cannot be used.
        """
        file = Path(path).expanduser()
        script = _read(file)
        rules = [_rule(file, place, entry) for place, entry in enumerate(script.get("rules", []))]
        facts = _facts(file, script.get("facts", {}), label or file.stem)
        return cls(rules, default=_typed(file, "default", script.get("default", ""), str), facts=facts)

    @property
    def facts(self) -> ModelFacts:
        """The facts given, or made-up ones."""
        return self._facts

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """The scripted texts, cut at stop strings and token limits as a real model's would be."""
        check_requests(requests)
        return [[self._complete(request, sample) for sample in range(request.n)] for request in requests]

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        """The scripted log-probability of each continuation, or a made-up one."""
        return [self._score(pair) for pair in pairs]

    def count_tokens(self, text: str) -> int:
        """Words of ``text``; trailing space counts as one more."""
        return len(_words(text))

    def _complete(self, request: Request, sample: int) -> Completion:
        prompt_tokens = self.count_tokens(request.prompt)
        if not self._fits(prompt_tokens + request.max_tokens):
            return Completion("", 0, prompt_tokens, None, "overlong")
        text, tokens, finish, thought = _cut(self._text(request.prompt, sample), request)
        return Completion(text, tokens, prompt_tokens, _made_up(request.prompt, text, tokens), finish, thought)

    def _text(self, prompt: str, sample: int) -> str:
        if self._reply is not None:
            return self._reply(prompt, sample)
        texts = next((rule.texts for rule in self._matching(prompt) if rule.texts), (self._default,))
        return texts[sample % len(texts)]

    def _score(self, pair: Pair) -> Scored:
        before, tokens = self.count_tokens(pair.context), self.count_tokens(pair.continuation)
        if not self._fits(before + tokens):
            return Scored(None, tokens, before)
        for rule in self._matching(pair.context):
            if pair.continuation in rule.logprobs:
                return Scored(rule.logprobs[pair.continuation], tokens, before)
        return Scored(_made_up(pair.context, pair.continuation, tokens), tokens, before)

    def _fits(self, tokens: int) -> bool:
        return self._facts.context is None or tokens <= self._facts.context

    def _matching(self, text: str) -> list[Rule]:
        """The rules whose pattern occurs, the one that decides first."""
        found = []
        for place, rule in enumerate(self._rules):
            spans = [match.span() for match in re.finditer(rule.pattern, text)]
            if spans:
                start, end = spans[-1]
                found.append((-end, start, place))
        return [self._rules[place] for _, _, place in sorted(found)]

    def _fingerprint(self) -> str:
        if self._reply is not None:
            return content_hash(getattr(self._reply, "__qualname__", type(self._reply).__qualname__))
        return content_hash([[[rule.pattern, rule.texts, dict(rule.logprobs)] for rule in self._rules], self._default])


class Scripted(Backend):
    """``scripted:FILE.json``; of the options only the label means something here."""

    written: ClassVar[str] = "scripted:..."

    def label(self, target: str) -> str:
        """The file's stem."""
        return Path(target).stem

    def rebase(self, target: str, folder: Path) -> str:
        """A path."""
        return under(target, folder)

    def peek(self, target: str) -> Size:
        """What the file says."""
        facts = ScriptedModel.from_file(target).facts
        return Size(facts.params_compute, facts.context)

    def identity(self, target: str) -> list[str] | None:
        """The file."""
        return seen([Path(target).expanduser()])

    def revision(self, target: str) -> str | None:
        """The hash of the script."""
        return ScriptedModel.from_file(target).facts.revision

    def open(self, target: str, options: LoadOptions) -> ScriptedModel:
        """Read the file."""
        return ScriptedModel.from_file(target, label=options.label)


SCRIPTED = Scripted()


def _words(text: str) -> list[str]:
    """Words with the space before them; their concatenation is the text."""
    return re.findall(r"\s*\S+|\s+$", text)


def _cut(text: str, request: Request) -> tuple[str, int, Finish, int | None]:
    """The text up to where it ends, the tokens it took, why it ended, and the tokens of its thinking."""
    if request.thinking is None:
        return (*_cut_answer(text, request, request.max_tokens), None)
    place, budget = answer_start(text, request.thinking), request.thinking.tokens
    words = _words(text if place is None else text[:place])
    if len(words) > budget or (place is None and len(words) == budget):
        return "".join(words[:budget]), budget, "budget", budget
    if place is None:
        return text, len(words) + 1, "eos", len(words) + 1
    shown, tokens, finish = _cut_answer(text[place:], request, request.max_tokens - len(words))
    return text[:place] + shown, len(words) + tokens, finish, len(words) or None


def _cut_answer(text: str, request: Request, most: int) -> tuple[str, int, Finish]:
    """The text up to a stop string, the end of its answer or ``most`` tokens, the tokens it took and why it ended."""
    words = _words(text)
    shown = "".join(words[:most])
    stops = [(place, place + len(stop)) for stop in request.stop if (place := shown.find(stop)) >= 0]
    ended = find_end(shown, request.until) if request.until else None
    stops += [] if ended is None else [ended]
    if stops:
        start, end = min(stops)
        return shown[:start], len(_words(shown[:end])), "stop"
    if len(words) >= most:
        return shown, most, "length"
    return text, len(words) + 1, "eos"


def _made_up(context: str, text: str, tokens: int) -> float:
    """Between -0.5 and -1.5 nats a token."""
    digest = hashlib.sha256(f"{context}\0{text}".encode()).digest()
    return -tokens * (0.5 + int.from_bytes(digest[:8], "big") / 2**64)


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _with(facts: ModelFacts, **changes: Any) -> ModelFacts:
    return ModelFacts(**{**asdict(facts), **changes})


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        script = loads(text)
    except FileNotFoundError:
        raise ModelError(f"reply file not found: {file}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"reply file {file} cannot be read: {error}") from None
    if halved(text, script):
        raise ModelError(f"reply file {file}: holds half a surrogate pair, which is no character")
    _known(file, "the file", _typed(file, "the file", script, dict), {"rules", "default", "facts"})
    _typed(file, "rules", script.get("rules", []), list)
    return dict(script)


def _rule(file: Path, place: int, entry: Any) -> Rule:
    """One entry of ``rules``."""
    where = f"rules[{place}]"
    _known(file, where, _typed(file, where, entry, dict), {"contains", "matches", "text", "texts", "logprobs"})
    if ("contains" in entry) == ("matches" in entry):
        raise ModelError(f"reply file {file}: {where} needs either 'contains' or 'matches'")
    if "text" in entry and "texts" in entry:
        raise ModelError(f"reply file {file}: {where} has both 'text' and 'texts'")
    pattern = _typed(file, where, entry.get("matches", entry.get("contains")), str)
    if "contains" in entry:
        pattern = re.escape(pattern)
    try:
        re.compile(pattern)
    except re.error as error:
        raise ModelError(f"reply file {file}: {where} 'matches' is no regular expression: {error}") from None
    texts = [entry["text"]] if "text" in entry else _typed(file, f"{where} 'texts'", entry.get("texts", []), list)
    logprobs = _typed(file, f"{where} 'logprobs'", entry.get("logprobs", {}), dict)
    for value in logprobs.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value <= 0:
            raise ModelError(f"reply file {file}: {where} 'logprobs' must be numbers up to 0, got {value!r}")
    return Rule(pattern, tuple(_typed(file, where, text, str) for text in texts), logprobs)


def _facts(file: Path, given: Any, label: str) -> ModelFacts:
    """The facts of a reply file. ``params`` alone stands for all three counts."""
    names = {entry.name for entry in fields(ModelFacts)} - {"name", "revision", "device", "dtype"}
    _known(file, "facts", _typed(file, "facts", given, dict), names)
    for name, value in given.items():
        kind = type(getattr(MADE_UP_FACTS, name))
        if isinstance(value, bool) or not isinstance(value, kind) or (kind is int and value < 1):
            wanted = "a positive whole number" if kind is int else "text"
            raise ModelError(f"reply file {file}: facts '{name}' must be {wanted}, got {value!r}")
    counts = {}
    if "params" in given:
        counts = dict.fromkeys(("params", "params_non_embedding", "params_compute"), given["params"])
    return _with(MADE_UP_FACTS, **{**counts, **given, "name": label})


def _typed(file: Path, where: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list" if kind is list else "text"
        raise ModelError(f"reply file {file}: {where} must be {wanted}, got {json.dumps(value)[:60]}")
    return value


def _known(file: Path, where: str, entry: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise ModelError(
            f"reply file {file}: {where} has an unknown key '{unknown[0]}'. Known: {', '.join(sorted(allowed))}"
        )
