"""The loop: rows are put into slots, run a token a step, and replaced by waiting ones as they finish.

The rows to run wait in a queue, those that need little room first. When enough slots are free, as many as there is room
for are prefilled together; otherwise every active row makes a step. What a row draws depends on nothing but its request
(`onset.models.rows.Row.uniforms`), and the order of everything on nothing but the requests and the memory budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from onset.errors import OutOfMemory
from onset.models.choosing import LOGIT_CELLS, Kept, choose
from onset.models.engine.decode import decode
from onset.models.engine.fixed import STRAGGLERS, Steps
from onset.models.engine.groups import group
from onset.models.engine.linear import Logits
from onset.models.engine.machine import Machine
from onset.models.engine.memory import PACKED, blocks, budget, give_back, is_out_of_memory, most_rows, sections
from onset.models.engine.prefill import prefill
from onset.models.engine.storage import Block, Shared, Slots
from onset.models.rows import Row, Sample

BRANCH_FROM = 8
"""Samples of one question from which its keys and values are kept once, as a branch, instead of in each row's slot."""

_REFILL = 8
"""A refill waits until one slot in this many is free: prompts prefilled one by one would waste the matrix products."""

_Lay = Callable[[Sequence[int], int], list[Block]]
"""From rows' needs in tokens, the largest first, and a number of slots at most: the slots that there is room for."""

_TAIL = 16
"""What a step of a group's last rows costs, in tokens of prefill: a step of few rows reads all weights for little."""


class _Question:
    """A prompt without the trunk, and the samples of one length asked of it."""

    def __init__(self, tokens: tuple[int, ...], start: int, samples: int) -> None:
        self.tokens = tokens
        self.start = start
        self.samples = self.left = samples
        self.branched = samples >= BRANCH_FROM
        self.branch: Shared | None = None

    @property
    def base(self) -> int:
        """The position of the first token in the slots of its rows."""
        return self.start + (len(self.tokens) if self.branched else 0)

    def finished(self) -> None:
        """One sample is done; the last one frees the branch."""
        self.left -= 1
        if not self.left:
            self.branch = None


def generate(machine: Machine, rows: Sequence[Row]) -> list[Sample]:
    """Run all ``rows``; results in their order. Raises ModelError when the model computes no numbers, or when the
    memory does not hold a single row beside what is shared (torch's own error when it does not hold that).
    """
    asked: dict[tuple[int, ...], list[int]] = {}
    for place, row in enumerate(rows):
        asked.setdefault(row.prompt, []).append(place)
    prompts = list(asked)
    results: list[Sample | None] = [None] * len(rows)
    toll = _TAIL * max((row.max_tokens for row in rows), default=0)
    for one in group(prompts, toll):
        members = [prompts[member] for member in one.members]
        trunk = machine.trunk(members[0][: one.trunk])
        _run_group(machine, rows, trunk, {prompt: asked[prompt] for prompt in members}, results)
    return [sample for sample in results if sample is not None]


def _run_group(
    machine: Machine,
    rows: Sequence[Row],
    trunk: Shared | None,
    asked: dict[tuple[int, ...], list[int]],
    results: list[Sample | None],
) -> None:
    """Run the rows of prompts that share ``trunk``."""
    begin = 0 if trunk is None else trunk.end
    questions: dict[int, _Question] = {}
    needs: dict[int, int] = {}
    for prompt, places in asked.items():
        for limit in dict.fromkeys(rows[place].max_tokens for place in places):
            mine = [place for place in places if rows[place].max_tokens == limit]
            question = _Question(prompt[begin:], begin, len(mine))
            # A row's last token is never run, so its keys and values need no place.
            need = max(1, (0 if question.branched else len(question.tokens)) + limit - 1)
            questions |= dict.fromkeys(mine, question)
            needs |= dict.fromkeys(mine, need)
    # The rows of a question, which need the same, follow each other: its branch is soon done with.
    order = sorted(needs, key=lambda place: (needs[place], len(rows[place].prompt), rows[place].prompt, place))
    lay = _room_for(machine, begin, list(questions.values()))
    rising = [needs[place] for place in order]
    for section in sections(rising, lambda end: sum(block.rows for block in lay(rising[:end][::-1], len(order)))):
        # The largest need first, so that every row fits the slots of those before it.
        _run_section(machine, rows, trunk, questions, needs, order[section][::-1], lay, results)


def _run_section(
    machine: Machine,
    rows: Sequence[Row],
    trunk: Shared | None,
    questions: Mapping[int, _Question],
    needs: Mapping[int, int],
    section: Sequence[int],
    lay: _Lay,
    results: list[Sample | None],
) -> None:
    """Run the rows ``section`` names; where the memory is not enough, what is left with half as many at a time."""
    most = len(section)
    while section:
        wanted = lay([needs[place] for place in section], most)
        size = sum(block.rows for block in wanted)
        if not _attempt(machine, rows, trunk, questions, wanted, section, results) and size == 1:
            raise OutOfMemory(f"out of memory with one row of {wanted[0].places} tokens: lower max_tokens")
        section = [place for place in section if results[place] is None]
        most = max(1, min(size, len(section)) // 2)


def _attempt(
    machine: Machine,
    rows: Sequence[Row],
    trunk: Shared | None,
    questions: Mapping[int, _Question],
    wanted: Sequence[Block],
    section: Sequence[int],
    results: list[Sample | None],
) -> bool:
    """Run the rows ``section`` names in slots as ``wanted``. False when memory ran out, and then all that was taken is
    free again; rows that had finished have their results.
    """
    for place in section:
        questions[place].branch = None
    try:
        slots = Slots(machine.shape, wanted, machine.spare)
        _Batch(machine, rows, trunk, questions, slots).run(section, results)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return False
    slots.leave()  # not after an error: what is in there need not be numbers then
    if machine.shape.device.type == "cpu":
        give_back(slots.places * machine.shape.bytes_per_token)
    return True


def _room_for(machine: Machine, begin: int, questions: Sequence[_Question]) -> _Lay:
    """How rows are laid out in the budget beside the trunk and the branches that are alive at a time."""
    room = budget(machine.batch_tokens, machine.shape) - begin
    branched = _Branched.among(questions)
    each = branched.longest
    if branched.count:  # a branch keeps its logits too
        each += -(-machine.vocabulary * 4 // machine.shape.bytes_per_token)
    if machine.new_recorder is not None:
        each += STRAGGLERS * branched.longest
    extra, most = -(-each // branched.fewest), most_rows(machine.vocabulary)
    # n rows belong to at most n / fewest + 2 branches: the first and the last may be there in part.
    return lambda needs, limit: blocks(needs, room - 2 * each, extra, min(limit, most), machine.shape.device)


@dataclass(frozen=True, slots=True)
class _Branched:
    """How many questions have a branch, the tokens of the longest, and the fewest samples that one has."""

    count: int
    longest: int
    fewest: int

    @classmethod
    def among(cls, questions: Iterable[_Question]) -> _Branched:
        """Those of ``questions`` that have one, each question named once or more."""
        found = {id(question): question for question in questions if question.branched}.values()
        longest = max((len(question.tokens) for question in found), default=0)
        return cls(len(found), longest, min((question.samples for question in found), default=1))

    def at_once(self, rows: int) -> int:
        """Branches of ``rows`` rows to be prepared for, with those of rows that go on while later ones have begun."""
        return min(self.count, STRAGGLERS * (rows // self.fewest + 2))


class _Batch:
    """The table of active rows, in slots 0 to ``active``; one entry of each array a slot."""

    def __init__(
        self,
        machine: Machine,
        rows: Sequence[Row],
        trunk: Shared | None,
        questions: Mapping[int, _Question],
        slots: Slots,
    ) -> None:
        self._machine = machine
        self._asked = rows
        self._trunk = trunk
        self._questions = questions
        self._slots = slots
        self._memory = Logits.of(machine.module, slots.rows)
        self._steps: Steps | None = None
        if machine.new_recorder is not None:
            branched = _Branched.among(questions.values())
            recorder = machine.new_recorder(machine.shape.device)
            room = branched.at_once(slots.rows), branched.longest
            self._steps = Steps(machine.module, trunk, slots, recorder, room)
        self._active = 0
        size, longest = slots.rows, max(rows[place].max_tokens for place in questions)
        self._place = np.zeros(size, dtype=np.int64)  # of the row in `rows`
        self._length = np.zeros(size, dtype=np.int64)  # tokens in the slot
        self._base = np.zeros(size, dtype=np.int64)  # position of the slot's first token
        self._count = np.zeros(size, dtype=np.int64)  # tokens generated
        self._temperature = np.zeros(size)
        self._top_p = np.ones(size)
        self._top_k = np.zeros(size, dtype=np.int64)  # 0: all
        self._logprob = np.zeros(size)
        self._tokens = np.zeros((size, longest), dtype=np.int64)
        self._uniforms = np.zeros((size, longest))
        self._branches: list[tuple[Shared, list[int]]] | None = None

    def run(self, section: Sequence[int], results: list[Sample | None]) -> None:
        """Run the rows ``section`` names."""
        waiting = deque(section)
        while waiting or self._active:
            free = self._slots.rows - self._active
            if waiting and (not self._active or free >= min(len(waiting), max(1, self._slots.rows // _REFILL))):
                before = self._active
                self._refill([waiting.popleft() for _ in range(min(free, len(waiting)))])
                self._end(before, results)
            else:
                self._step()
                self._end(0, results)

    def _refill(self, places: Sequence[int]) -> None:
        """Put rows into the next free slots and choose the first token of each."""
        self._branches = None
        first = self._active
        for slot, place in enumerate(places, first):
            row, question = self._asked[place], self._questions[place]
            self._place[slot] = place
            self._length[slot] = 0 if question.branched else len(question.tokens)
            self._base[slot] = question.base
            self._count[slot] = 0
            self._temperature[slot] = row.temperature
            self._top_p[slot], self._top_k[slot] = row.top_p, row.top_k or 0
            self._logprob[slot] = 0.0
            self._uniforms[slot, : row.max_tokens] = row.uniforms()
        self._active += len(places)
        together = [(one, list(slots)) for one, slots in groupby(range(first, self._active), self._question_of)]
        for chunk in self._chunks(together):
            logits = self._prefill(chunk)
            self._record(chunk[0][1][0], chunk[-1][1][-1] + 1, logits)

    def _question_of(self, slot: int) -> _Question:
        return self._questions[int(self._place[slot])]

    def _chunks(self, together: Sequence[tuple[_Question, list[int]]]) -> Iterator[list[tuple[_Question, list[int]]]]:
        """Questions with their slots, cut so that a pass is of `PACKED` tokens and its logits fit."""
        chunk: list[tuple[_Question, list[int]]] = []
        tokens = 0
        for question, slots in together:
            new = len(question.tokens)
            if chunk and (tokens + new > PACKED or (len(chunk) + 1) * self._machine.vocabulary > LOGIT_CELLS):
                yield chunk
                chunk, tokens = [], 0
            chunk.append((question, slots))
            tokens += new
        if chunk:
            yield chunk

    def _prefill(self, chunk: Sequence[tuple[_Question, list[int]]]) -> Tensor:
        """Run the questions of ``chunk`` that have no branch yet. Returns the logits after the question of each slot:
        [slots of the chunk, vocabulary].
        """
        rows: list[tuple[int, int]] = []
        branches: list[tuple[int, Shared]] = []
        new = [(question, slots) for question, slots in chunk if question.branch is None]
        for place, (question, slots) in enumerate(new):
            if question.branched:
                question.branch = Shared(question.tokens, question.start)
                branches.append((place, question.branch))
            else:
                rows += [(place, slot) for slot in slots]
        found: dict[int, Tensor] = {}
        if new:
            prompts = [question.tokens for question, _ in new]
            logits = prefill(self._machine.module, self._trunk, prompts, self._slots, rows, branches)
            found = {id(question): row for (question, _), row in zip(new, logits, strict=True)}
            for place, branch in branches:
                branch.logits = logits[place].clone()  # of its own: a view would keep those of all prompts
        spread = []
        for question, slots in chunk:
            one = found[id(question)] if question.branch is None else question.branch.logits
            assert one is not None
            spread.append(one.expand(len(slots), -1))
        return torch.cat(spread)

    def _step(self) -> None:
        """One token more for every active row."""
        active = slice(0, self._active)
        last = self._tokens[np.arange(self._active), self._count[active] - 1]
        if self._branches is None:
            self._branches = self._find_branches()
        rows = last, self._length[active], self._base[active], self._branches
        if self._steps is None:
            logits = decode(self._machine.module, self._trunk, self._slots, *rows, self._memory)
        else:
            logits = self._steps(*rows)
        self._length[active] += 1
        self._record(0, self._active, logits)

    def _find_branches(self) -> list[tuple[Shared, list[int]]]:
        found: dict[int, tuple[Shared, list[int]]] = {}
        for slot in range(self._active):
            branch = self._question_of(slot).branch
            if branch is not None:
                found.setdefault(id(branch), (branch, []))[1].append(slot)
        return list(found.values())

    def _record(self, first: int, end: int, logits: Tensor) -> None:
        """Choose the next token of slots ``first`` to ``end`` from ``logits`` [slots, vocabulary]."""
        slots = np.arange(first, end)
        uniforms, kept = self._uniforms[slots, self._count[slots]], Kept(self._top_p[slots], self._top_k[slots])
        tokens, logprobs = choose(logits, self._temperature[slots], uniforms, kept)
        self._tokens[slots, self._count[slots]] = tokens
        self._logprob[slots] += logprobs
        self._count[slots] += 1

    def _end(self, first: int, results: list[Sample | None]) -> None:
        """Take out the slots from ``first`` on whose text has ended. Only where it can have ended is it looked at."""
        slots = np.arange(first, self._active)
        last = self._tokens[slots, self._count[slots] - 1]
        before = self._tokens[slots, np.maximum(self._count[slots] - 2, 0)]
        rows = [self._asked[place] for place in self._place[slots]]
        flagged = self._count[slots] >= np.array([row.max_tokens for row in rows])
        for asked in {(row.stop, row.until, row.thinking) for row in rows}:
            mine = np.array([(row.stop, row.until, row.thinking) == asked for row in rows])
            endings = self._machine.endings(*asked)
            flagged |= mine & (endings.may_end(last, before) | (self._count[slots] == endings.budget))
        for slot in slots[flagged][::-1].tolist():
            sample = self._finished(slot)
            if sample is not None:
                results[int(self._place[slot])] = sample
                self._remove(slot)

    def _finished(self, slot: int) -> Sample | None:
        """The row's sample, if its text has ended."""
        row = self._asked[int(self._place[slot])]
        count = int(self._count[slot])
        tokens = self._tokens[slot, :count].tolist()
        endings = self._machine.endings(row.stop, row.until, row.thinking)
        finish = endings.finish(row.prompt, tokens) or ("length" if count == row.max_tokens else None)
        if finish is None:
            return None
        text, thought = endings.text(row.prompt, tokens, finish), endings.thought(row.prompt, tokens)
        return Sample(text, count, float(self._logprob[slot]), finish, thought, tuple(tokens))

    def _remove(self, slot: int) -> None:
        """Free a slot: the last active row moves into it."""
        self._branches = None
        self._question_of(slot).finished()
        self._active -= 1
        last = self._active
        if slot == last:
            return
        self._slots.move(last, slot, int(self._length[last]))
        for column in (
            self._place,
            self._length,
            self._base,
            self._count,
            self._temperature,
            self._top_p,
            self._top_k,
            self._logprob,
            self._tokens,
            self._uniforms,
        ):
            column[slot] = column[last]
