"""The tasks of the ladder's world: disjoint, pinned, right by this file's own arithmetic, shifted as they say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tokenizers import Tokenizer

from onset.errors import DataError
from onset.ladder import stories
from onset.ladder.rungs import folder
from onset.ladder.world import BANDS, PEOPLE, world
from onset.prompting.text import answer_text, render
from onset.records import Item, content_hash
from onset.shifts.base import apply_shift
from onset.tasks import TASKS, open_tasks
from onset.tasks.base import Task
from onset.tasks.world_new_facts import PROBES, TOLD

SPECS: list[dict[str, Any]] = [
    {"name": "world-problems"},
    {"name": "world-problems", "steps": 1},
    {"name": "world-problems", "steps": 8},
    {"name": "world-problems", "steps": 3, "order": "shuffled"},
    {"name": "world-problems", "steps": 2, "things": "held"},
    *({"name": name, "frequency": band} for name in ("world-one-hop", "world-two-hop") for band in BANDS),
    *({"name": name, "passage": told} for name in ("world-one-hop", "world-two-hop") for told in ("right", "wrong")),
    {"name": "world-reading"},
    *({"name": "world-new-facts", "probe": probe, "told": told} for probe in PROBES for told in TOLD),
    {"name": "world-programs"},
    {"name": "world-programs", "steps": 8, "order": "shuffled"},
    {"name": "world-coin"},
    {"name": "world-coin", "people": 12},
    {"name": "world-compare"},
    {"name": "world-compare", "steps": 2},
    {"name": "world-compare", "steps": 8},
]
CASES = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))


def opened(spec: dict[str, Any], **more: Any) -> Task:
    (task,) = open_tasks({**spec, **more})
    return task


def test_every_task_of_the_world_is_tested_here() -> None:
    assert {name for name in TASKS if name.startswith("world-")} == {spec["name"] for spec in SPECS}


def test_the_world_is_the_one_the_weights_have_learnt() -> None:
    known = world()
    facts = [known.people, known.city_of, known.job_of, known.food_of, known.country_of, known.cities, known.countries]
    assert content_hash([*facts, known.jobs, known.foods, known.first_names]) == "b7238165d122c213"
    assert len(set(known.people)) == PEOPLE
    assert [len(band) for band in BANDS.values()] == [500, 3_500, 28_000]


# What holds for each of them.


@CASES
def test_the_items_differ_and_no_seed_shows_what_another_asks(spec: dict[str, Any]) -> None:
    seen = [opened(spec, seed=seed, pool=60, test=40) for seed in (0, 1)]
    for task in seen:
        assert (len(task.pool), len(task.test)) == (60, 40)
        assert len({item.id for item in (*task.pool, *task.test)}) == 100
    assert not {item.id for item in seen[0].pool} & {item.id for item in seen[1].test}
    assert seen[0].hash != seen[1].hash
    assert opened(spec, seed=0, pool=60, test=40) == seen[0]


@CASES
def test_gold_texts_are_read_back_and_fit_the_limits(spec: dict[str, Any]) -> None:
    """Token limits by the ladder's own tokenizer, with four tokens to spare for what ends an answer."""
    tokenizer = Tokenizer.from_file(str(folder("r0") / "tokenizer.json"))
    task = opened(spec, pool=200, test=100)
    sets = [task.pool, task.test, *(items for _, items in task.test_sets)]
    for item in (item for items in sets for item in items):
        for rationale in {False, item.rationale is not None}:
            text = answer_text(item, rationale=rationale, layout=task.layout)
            answer = task.format.extract(text, item)
            assert answer.status == "ok", (text, answer)
            assert task.format.score(answer, item).correct, (text, answer)
            limit = task.rationale_tokens if rationale else task.answer_tokens
            assert len(tokenizer.encode(text).ids) + 4 <= limit, (text, limit)


PINNED = {
    "world-problems": "bd320c564a15bdcd",
    "world-one-hop": "659c5370d60a0fce",
    "world-two-hop": "bd249eccd4d57cf8",
    "world-reading": "ef5dae11c3bea01c",
    "world-programs": "c9c6ab8e6f102a28",
    "world-coin": "21f4a94286453540",
    "world-compare": "666c69c1097c9c3a",
}


def test_the_items_are_pinned() -> None:
    """A change here changes the items of every study that was run with the old ones."""
    assert {name: _whole(opened({"name": name})) for name in PINNED} == PINNED


def _whole(task: Task) -> str:
    sets = [[name, [item.id for item in items]] for name, items in task.test_sets]
    return content_hash([task.hash, [item.id for item in task.test], sets])


# Word problems.

_NUMBER = re.compile(r"\d+")
_CHANGE = {
    "more": re.compile(r"\b(?:more|extra)\b"),
    "fewer": re.compile(r"\b(?:fewer|less|under)\b"),
    "twice": re.compile(r"\b(?:twice|double|two times)\b"),
    "half": re.compile(r"\bhalf\b"),
}


def solve(question: str) -> int:
    """Looks up who is asked about; shares nothing with the generator."""
    *told, asked = re.split(r"(?<=\.) ", question)
    target = re.match(r"How many (\w+) does (\w+) ", asked)
    assert target is not None
    sentences = {sentence.split()[0]: sentence for sentence in told if f" {target[1]}" in sentence}

    def value(name: str) -> int:
        sentence = sentences[name]
        number = int(match.group()) if (match := _NUMBER.search(sentence)) else 0
        other = re.search(r"(\w+)\.$", sentence)
        assert other is not None
        kinds = [kind for kind, words in _CHANGE.items() if words.search(sentence)]
        if not kinds:
            return number
        before = value(other[1])
        assert kinds[0] != "half" or before % 2 == 0
        return {"more": before + number, "fewer": before - number, "twice": before * 2, "half": before // 2}[kinds[0]]

    return value(target[2])


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec["name"] == "world-problems"], ids=str)
def test_problems_solve_however_they_are_told(spec: dict[str, Any]) -> None:
    task = opened(spec, pool=100, test=60)
    for items in (task.pool, task.test, *(items for _, items in task.test_sets)):
        for item in items:
            assert solve(item.question) == int(item.answer), item
            assert 1 <= int(item.answer) <= 99
            for left, sign, right, result in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", item.rationale or ""):
                assert {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}.get(
                    sign, int(left) / int(right)
                ) == int(result)


def words(items: tuple[Item, ...]) -> set[str]:
    return {word for item in items for word in re.findall(r"\w+", item.question)}


def test_shifts_of_the_problems_bring_what_documents_never_tell() -> None:
    task = opened({"name": "world-problems"}, test=200)
    shifted = {name: apply_shift(task, name) for name, _ in task.test_sets}
    assert set(shifted) == {
        "unseen-names", "unseen-things", "unseen-wording", "distractors", "second-root", "shuffled", "longer",
    }  # fmt: skip
    for name, items in shifted.items():
        if name == "longer":
            assert {item.meta["steps"] for item in items} == {6}
            assert {item.twin for item in items} == {None}
            continue
        assert [item.twin for item in items] == [item.id for item in task.test]
        assert [item.answer for item in items] == [item.answer for item in task.test]
        # a shuffle of five sentences leaves about one in 120 as it is
        assert sum(one.question == two.question for one, two in zip(items, task.test, strict=True)) <= 8
    told = words((*task.pool, *task.test))
    held_names, held_things = set(stories.held_names()), set(stories.HELD_THINGS)
    assert not told & (held_names | held_things | {"keeps", "keep"})
    assert words(shifted["unseen-names"]) & held_names
    assert not words(shifted["unseen-names"]) & {*stories.NAMES, *world().first_names[:120]}
    assert words(shifted["unseen-things"]) & held_things
    assert not words(shifted["unseen-things"]) & set(stories.THINGS)
    assert not words(shifted["unseen-wording"]) & {"has", "owns", "have", "own", "more", "fewer"}
    counts = {name: [item.question.count(".") for item in items] for name, items in shifted.items()}
    assert (set(counts["distractors"]), set(counts["second-root"])) == ({7}, {6})


def test_a_domain_of_held_things() -> None:
    task = opened({"name": "world-problems", "things": "held", "order": "shuffled"}, pool=100, test=50)
    assert not words((*task.pool, *task.test)) & set(stories.THINGS)
    assert words(apply_shift(task, "seen-things")) & set(stories.THINGS)
    assert "shuffled" not in dict(task.test_sets)


# Facts.


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("name", ["world-one-hop", "world-two-hop"])
def test_facts_are_true_and_test_people_are_never_asked_about(name: str, band: str) -> None:
    task = opened({"name": name, "frequency": band}, pool=300, test=200)
    known = world()
    places = {city: known.countries[known.country_of[place]] for place, city in enumerate(known.cities)}
    for items, parity in ((task.pool, 0), (task.test, 1)):
        for item in items:
            rank = int(item.meta["rank"])
            assert known.people[rank] in item.question
            assert rank % 2 == parity
            city = known.cities[known.city_of[rank]]
            if name == "world-two-hop":
                assert item.answer == places[city]
                assert city in (item.rationale or "")
            else:
                asked = item.question.split()[0] + item.question.split()[1]
                field = {"Wheredoes": city, "Whatis": known.jobs[known.job_of[rank]]}
                assert item.answer == field.get(asked, known.foods[known.food_of[rank]])
    ranks = {int(item.meta["rank"]) for item in task.test}
    assert ranks <= set(next(ranks for one, ranks in BANDS.items() if one == band))


def test_more_people_than_a_band_has_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        opened({"name": "world-two-hop", "frequency": "head"}, test=300)
    assert str(caught.value) == (
        "task 'world-two-hop[frequency=head]': 300 test items asked for, but only about 250 different ones exist"
    )


# The rest.


@pytest.mark.parametrize("order", ["in", "shuffled"])
def test_programs_print_what_python_prints(order: str) -> None:
    task = opened({"name": "world-programs", "order": order}, pool=80, test=40)
    for item in (*task.pool, *task.test):
        lines = [line for line in item.question.splitlines() if "=" in line]
        known: dict[str, Any] = {}
        for _ in lines:  # in any order: what cannot run yet runs in a later round
            for line in lines:
                try:
                    exec(line, {}, known)
                except NameError:
                    continue
        asked = re.search(r"(?:solve |print\()(\w)", item.question)
        assert asked is not None
        assert known[asked[1]] == int(item.answer)
        assert (item.rationale or "").splitlines()[-1].endswith(f"= {item.answer}")


def test_programs_are_laid_out_as_in_the_documents() -> None:
    task = opened({"name": "world-programs"})
    prompt = render(task, task.pool[:1], task.test[0], rationale=True)
    assert re.fullmatch(
        r"(\w = [^\n]+\n)+print\(\w\)\n(# \w = [^\n]+\n)+>>> \d+\n\n(\w = [^\n]+\n)+print\(\w\)", prompt
    ), prompt


def test_coins_show_what_the_flips_make() -> None:
    task = opened({"name": "world-coin", "people": 5}, pool=60, test=60)
    for item in (*task.pool, *task.test):
        start = item.question.split()[3].rstrip(".")
        turned = item.question.count("flips it") % 2 == 1
        assert (item.answer == start) != turned
    assert sum(item.answer == "heads" for item in task.test) == 30


def by_the_last_sentence(item: Item) -> str:
    """The shortcut, read from the text: shares nothing with the generator."""
    told = re.split(r"(?<=\.) ", item.question)[-2]
    return "fewer" if re.search(r"\b(fewer|less|half)\b", told) else "more"


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_comparisons_are_true_and_their_shortcut_is_right_three_times_in_four(steps: int) -> None:
    task = opened({"name": "world-compare", "steps": steps}, pool=400, test=400)
    misleading = apply_shift(task, "misleading")
    for item in (*task.pool, *task.test, *misleading):
        told, asked = item.question.rsplit(". ", 1)
        found = re.fullmatch(r"Does (\w+) (?:have|own) more or fewer (\w+) than (\w+)\?", asked)
        assert found is not None, asked
        one, other = (solve(f"{told}. How many {found[2]} does {found[name]} have?") for name in (1, 3))
        assert item.answer == ("more" if one > other else "fewer")
        assert one != other
        assert (item.rationale or "").endswith(f" {one} is {item.answer} than {other}.")
        assert item.choices == ("more", "fewer")
    for items, share in ((task.pool, 0.75), (task.test, 0.75), (misleading, 0.0)):
        assert sum(item.answer == "more" for item in items) == len(items) / 2
        for answer in ("more", "fewer"):  # neither is the likelier guess where the shortcut fails
            right = [by_the_last_sentence(item) == answer for item in items if item.answer == answer]
            assert sum(right) / len(right) == pytest.approx(share, abs=0.09)
    assert {item.meta["steps"] for item in task.pool} == {2, 3, 4, 5}
    assert {item.twin for item in misleading} == {None}


def test_passages_contradict_what_is_known_and_hold_the_answer() -> None:
    task = opened({"name": "world-reading"}, pool=200, test=100)
    for item in task.test:
        assert item.answer in (item.context or "")
    prompt = render(task, (), task.test[0], rationale=False)
    assert prompt.startswith("Passage: ")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"name": "world-problems", "order": "random"},
            "task 'world-problems': order must be one of in, shuffled, not 'random'",
        ),
        (
            {"name": "world-problems", "things": "new"},
            "task 'world-problems': things must be one of told, held, not 'new'",
        ),
        (
            {"name": "world-problems", "steps": 0},
            "task 'world-problems': steps must be a whole number from 1 to 8, not 0",
        ),
        (
            {"name": "world-one-hop", "frequency": "rare"},
            "task 'world-one-hop': frequency must be one of head, mid, tail, not 'rare'",
        ),
        ({"name": "world-coin", "people": 40}, "task 'world-coin': people must be a whole number from 2 to 12, not 40"),
    ],
)
def test_requests_that_cannot_be_served(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_tasks(spec)
    assert str(caught.value) == message
