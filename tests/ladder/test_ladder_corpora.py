"""What the ladder's models read: shares, held-out parts, ingredients left out, the user's documents, the tokenizer."""

from __future__ import annotations

import itertools
import json
import random
import re
import runpy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import shared

from onset.cli import main
from onset.errors import DataError, InputError, StoreError, UnknownName
from onset.ladder import stories
from onset.ladder.corpora import INGREDIENTS, KINDS, MIXTURES, Corpus, Extra, shares
from onset.ladder.extra import LONGEST, read_extra
from onset.ladder.shards import SHARD, Source, read_documents, read_tokens, write_tokens
from onset.ladder.tokenizer import Encoder, load, train
from onset.ladder.world import world

PROBLEMS = ("word-problems", "word-problems-worked", "instructions", "instructions-worked")


def texts(kind: str, mixture: str, count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [KINDS[kind].make(rng, MIXTURES[mixture]) for _ in range(count)]


def words(several: list[str]) -> set[str]:
    return set(re.findall(r"[A-Za-z]+", " ".join(several)))


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extra") / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("It is what it’s.\nNaïve, isn't  it?\n" * 30)
    (folder / "b.jsonl").write_text('{"text": "one short document"}\n\n{"text": "another, <eos> inside"}\n')
    return folder


@pytest.mark.parametrize(
    ("mixture", "without"),
    [("standard", ()), ("pilot", ()), ("scarce", ("code",)), ("standard", ("chain-of-thought", "instructions"))],
)
def test_the_shares_hold_in_tokens_of_the_tokenizer(mixture: str, without: Any) -> None:
    corpus, tokenizer = Corpus(mixture, without, seed=3), load()
    read = list(read_documents(Source(corpus), 2 * SHARD))
    encoded = tokenizer.encode_batch([document.text for document in read])
    counted: Counter[str] = Counter()
    for document, ids in zip(read, encoded, strict=True):
        counted[document.kind] += len(ids) + 1
    wanted = shares(corpus)
    assert set(counted) == set(wanted)
    for kind, share in wanted.items():
        assert counted[kind] / counted.total() == pytest.approx(share, rel=0.08), kind


def test_the_pilot_mixture_is_the_pilots() -> None:
    pilot = runpy.run_path(str(shared("pilot", "ladder", "corpus.py")))
    mine = {
        "wp_direct": ["word-problems"],
        "wp_cot": ["word-problems-worked"],
        "know": ["knowledge"],
        "qa1": ["one-hop"],
        "qa2_direct": ["two-hop"],
        "qa2_cot": ["two-hop-worked"],
        "rc": ["reading"],
        "code_trace": ["programs-traced"],
        "code_plain": ["programs"],
        "inst": ["instructions", "instructions-worked"],
        "coin_direct": ["coins"],
        "coin_cot": ["coins-worked"],
    }
    assert set(mine) == set(pilot["KINDS"])
    for name, kinds in mine.items():
        make, share = pilot["KINDS"][name]
        assert sum(KINDS[kind].parts["pilot"] for kind in kinds) == pytest.approx(share), name
        rng = random.Random(2)
        theirs = [make(rng) for _ in range(600)]
        ours = [text for kind in kinds for text in texts(kind, "pilot", 600 // len(kinds))]
        assert shapes(ours) == shapes(theirs), name
        blocks = [np.mean([text.count("\n\n") for text in several]) for several in (ours, theirs)]
        assert blocks[0] == pytest.approx(blocks[1], rel=0.05), name
        sizes = [np.mean([len(text) for text in several]) for several in (ours, theirs)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.05), name


def shapes(several: list[str]) -> set[str]:
    """Sentences and lines with names, numbers, things, facts and variables blanked."""
    known = world()
    blanked = (*stories.THINGS, *stories.HELD_THINGS, *known.jobs, *known.foods)
    text = "".join(several)
    text = re.sub(rf"\b({'|'.join(blanked)})\b", "_", text)
    text = re.sub(r"\b[a-z]\b", "v", re.sub(r"\d+", "0", text))
    keep = "Question|Answer|The|Passage|Instruction|How|Which|Where|What|Who|In|A|It"
    instructions = "Solve|Show|Think|Give|No"
    text = re.sub(rf"\b(?!(?:{keep}|{instructions})\b)[A-Z][a-z]+( (?!(?:{keep})\b)[A-Z][a-z]+)?\b", "N", text)
    return {re.sub(r"\bA\b(?! coin)", "N", one) for one in re.split(r"(?<=[.?:]) |\n", text)}


def test_the_scarce_mixture_without_code_keeps_the_worked_documents() -> None:
    full, less = shares(Corpus("scarce")), shares(Corpus("scarce", without=("code",)))
    assert less["word-problems-worked"] == full["word-problems-worked"] == pytest.approx(0.03)
    assert less["knowledge"] == pytest.approx(full["knowledge"] + 0.18)
    assert "programs" not in less


def test_word_problems_of_the_pilot_have_nothing_held_out() -> None:
    held = {*stories.held_names(), *stories.HELD_THINGS, "keep", "keeps"}
    for kind in PROBLEMS:
        assert not words(texts(kind, "pilot", 2000)) & held, kind
    # where they are met instead, so that the line above can fail
    assert set(stories.held_names()) <= words(texts("knowledge", "pilot", 2000))
    assert {*stories.HELD_THINGS, "keep", "keeps"} <= words(texts("reading", "pilot", 2000))


def test_word_problems_of_the_standard_mixture_have_further_things_and_now_and_then_the_third_wording() -> None:
    held = {*stories.held_names(), *stories.HELD_THINGS}
    for kind in PROBLEMS[:2]:
        several = texts(kind, "standard", 2000)
        assert not words(several) & held
        assert set(stories.MORE_THINGS) <= words(several)
        asked = re.findall(r"How many \w+ does \w+ (\w+)\?", "".join(several))
        assert asked.count("keep") / len(asked) == pytest.approx(0.03, abs=0.006)


def test_comparisons_are_of_the_standard_mixture_only_as_many_worked_as_not() -> None:
    for mixture, told in (("standard", True), ("pilot", False), ("scarce", False)):
        assert [kind in shares(Corpus(mixture)) for kind in ("comparisons", "comparisons-worked")] == [told, told]
    tokenizer = load()
    asked = {}
    for kind in ("comparisons", "comparisons-worked"):
        several = texts(kind, "standard", 600)
        tokens = sum(len(ids) + 1 for ids in tokenizer.encode_batch(several))
        asked[kind] = shares(Corpus())[kind] * "".join(several).count("Question: ") / tokens
        assert {"Options: more; fewer"} == set(re.findall(r"^Options.*$", "".join(several), re.MULTILINE))
    assert asked["comparisons"] == pytest.approx(asked["comparisons-worked"], rel=0.05)


@pytest.mark.parametrize(("mixture", "shuffled"), [("standard", 0.65), ("pilot", 0.5)])
def test_so_many_word_problems_are_shuffled(mixture: str, shuffled: float) -> None:
    found = []
    for block in "".join(texts("word-problems-worked", mixture, 2000)).split("\n\n"):
        if block.count(" = ") < 3:  # a short one may come in order by chance
            continue
        question, answer = block.split("\nAnswer: ")
        chain = re.findall(r"(\w+) has [^.]*\.", answer)
        told = [name for name in re.findall(r"(?:^Question: |\. )(\w+) \w+ ", question) if name in chain]
        found.append(told != chain)
    assert len(found) > 1000
    assert np.mean(found) == pytest.approx(shuffled, abs=0.05)


def test_nobody_asks_about_people_of_odd_rank() -> None:
    rank = {name: place for place, name in enumerate(world().people)}
    mentioned = {
        kind: {
            rank[name]
            for name in re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", "\n".join(texts(kind, "pilot", 1500)))
            if name in rank
        }
        for kind in KINDS
        if kind != "reading"  # which invents people
    }
    for kind in ("one-hop", "two-hop", "two-hop-worked"):
        assert len(mentioned[kind]) > 500
        assert not any(one % 2 for one in mentioned[kind])
    assert sum(one % 2 for one in mentioned["knowledge"]) > 1000
    assert not any(mentioned[kind] for kind in KINDS if kind.startswith(("word", "program", "coin", "instr")))


TRACES: dict[str, Callable[[str], bool]] = {
    "chain-of-thought": lambda text: bool(re.search(r"Answer: (?!The answer is )", text)),
    "code": lambda text: bool(re.search(r">>>|print\(|solve |^#", text, re.MULTILINE)),
    "instructions": lambda text: "Instruction:" in text,
}


@pytest.mark.parametrize("gone", [c for n in (1, 2, 3) for c in itertools.combinations(INGREDIENTS, n)], ids=str)
@pytest.mark.parametrize("fill", ["neutral", "rest"])
def test_leaving_an_ingredient_out_removes_every_trace_of_it(gone: Any, fill: Any) -> None:
    corpus = Corpus("standard", gone, fill)
    read = [document.text for document in read_documents(Source(corpus), 60_000)]
    for name, trace in TRACES.items():
        assert any(map(trace, read)) == (name not in gone), name
    assert sum(shares(corpus).values()) == pytest.approx(1)


def test_what_is_left_out_is_replaced_by_statements_or_shared_out() -> None:
    full = shares(Corpus())
    neutral, rest = shares(Corpus(without=("code",))), shares(Corpus(without=("code",), fill="rest"))
    code = full["programs"] + full["programs-traced"]
    for kind in neutral:
        more = code if kind == "knowledge" else 0
        assert neutral[kind] == pytest.approx(full[kind] + more)
        assert rest[kind] == pytest.approx(full[kind] / (1 - code))


def test_a_corpus_is_the_same_on_more_processes_and_begins_a_longer_one() -> None:
    source = Source(Corpus(seed=5))
    one = np.concatenate(list(read_tokens(source, 2 * SHARD + 100)))
    two = np.concatenate(list(read_tokens(source, 2 * SHARD + 100, workers=2)))
    assert len(one) == 2 * SHARD + 100
    assert one.dtype == np.int16
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(next(read_tokens(source, 1000)), one[:1000])
    assert not np.array_equal(next(read_tokens(Source(Corpus(seed=6)), 1000)), one[:1000])
    assert not np.array_equal(one[:SHARD], one[SHARD : 2 * SHARD])


def test_tokens_are_the_documents_each_after_an_end_of_text() -> None:
    source, tokenizer = Source(Corpus()), load()
    ids = next(read_tokens(source, 5000)).tolist()
    read = [document.text for document in read_documents(source, 5000)]
    expected = [one for text in read for one in (0, *tokenizer.encode(text).ids)]
    assert ids == expected[:5000]
    assert len(expected) >= 5000 > len(expected) - len(tokenizer.encode(read[-1]).ids) - 1


@pytest.mark.parametrize("mixture", list(MIXTURES))
def test_the_encoder_equals_the_tokenizer(mixture: str) -> None:
    tokenizer = load()
    encode = Encoder(tokenizer)
    for document in read_documents(Source(Corpus(mixture, seed=9)), 100_000):
        assert encode(document.text) == tokenizer.encode(document.text).ids


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a  b",
        "it's",
        "tab\there",
        "x \n y",
        "naïve ²½ 北京 １２",
        "<eos> in it",
        "a_1 -- 3.14)",
        "end ",
        "\n\n \n",
        "a\r\nb",
        "_ _a #1",
    ],
)
def test_the_encoder_equals_the_tokenizer_on_any_text(text: str) -> None:
    tokenizer = load()
    assert Encoder(tokenizer)(text) == tokenizer.encode(text).ids


def test_a_tokenizer_learns_single_digits_and_loses_nothing() -> None:
    learnt = train([document.text for document in read_documents(Source(Corpus()), 60_000)], 600)
    assert learnt.get_vocab_size() == 600
    assert learnt.token_to_id("<eos>") == 0
    assert learnt.encode("Ray has 163.").tokens[-4:] == ["Ġ1", "6", "3", "."]
    text = "Ann has 12 + 7 = 19.\n\n北京 <b>"
    assert learnt.decode(learnt.encode(text).ids) == text


def test_bad_tokenizers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        train(["text"], 100)
    assert str(raised.value) == "a vocabulary is 257 to 32768 tokens, received 100"
    with pytest.raises(InputError) as raised:
        load(tmp_path / "none.json")
    assert str(raised.value) == f"cannot read the tokenizer {tmp_path / 'none.json'}: No such file or directory"
    content = json.loads(load().to_str())
    content["added_tokens"][0]["content"] = "<end>"
    content["model"]["vocab"] = {
        "<end>" if key == "<eos>" else key: at for key, at in content["model"]["vocab"].items()
    }
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    with pytest.raises(InputError) as raised:
        load(other)
    assert str(raised.value) == f"{other}: the ladder needs '<eos>' as token 0, found '<end>'"


def test_extra_documents_take_their_share(notes: Path) -> None:
    corpus = Corpus(extra=read_extra(notes, 0.2))
    counted: Counter[str] = Counter()
    for document in read_documents(Source(corpus), 2 * SHARD):
        counted[document.kind] += len(document.ids) + 1
    assert counted["extra"] / counted.total() == pytest.approx(0.2, rel=0.06)
    assert shares(corpus)["one-hop"] == pytest.approx(0.8 * shares(Corpus())["one-hop"])
    assert corpus.stage == "base, extra notes"
    np.testing.assert_array_equal(
        np.concatenate(list(read_tokens(Source(corpus), SHARD + 9))),
        np.concatenate(list(read_tokens(Source(corpus), SHARD + 9, workers=2))),
    )


def test_long_texts_are_cut_and_lose_nothing(tmp_path: Path) -> None:
    content = "\n".join(f"line {number} " + "word " * (number % 50) for number in range(300)) + "x" * 5000
    (tmp_path / "long.txt").write_text(content)
    read = read_extra(tmp_path, 0.1).texts
    assert "".join(read) == content
    assert max(map(len, read)) <= LONGEST
    assert all(text.endswith("\n") for text in read[:10])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (None, b"", "{folder} holds no file to read: expected *.txt or *.jsonl"),
        ("a.txt", b"  \n", "{folder}: 1 files, and no text in them"),
        ("a.txt", b"ok \xff", "{folder}/a.txt: expected UTF-8 text, byte 3 is not"),
        (
            "a.jsonl",
            b'{"text": "x"}\n{"txt": 1}\n',
            '{folder}/a.jsonl, line 2: expected {{"text": "..."}}, found the keys txt',
        ),
        ("a.jsonl", b"[1]\n", '{folder}/a.jsonl, line 1: expected {{"text": "..."}}, found a list'),
        (
            "a.jsonl",
            b"{\n",
            '{folder}/a.jsonl, line 1: expected {{"text": "..."}}, and it is no JSON: Expecting property name enclosed '
            "in double quotes: line 1 column 2 (char 1)",
        ),
        (
            "a.jsonl",
            b'{"text": "\\ud800"}',
            "{folder}/a.jsonl, line 1: the text holds half of a surrogate pair, which UTF-8 cannot write",
        ),
    ],
)
def test_bad_extra_folders(tmp_path: Path, name: str | None, content: bytes, message: str) -> None:
    if name:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_extra(tmp_path, 0.1)
    assert str(raised.value) == message.format(folder=tmp_path)


def test_a_bad_corpus_is_refused() -> None:
    with pytest.raises(UnknownName) as unknown:
        Corpus("standart")
    assert str(unknown.value) == "unknown mixture 'standart': did you mean 'standard'? Known: pilot, scarce, standard"
    with pytest.raises(UnknownName) as unknown:
        Corpus(without=("cod",))  # type: ignore[arg-type]
    assert (
        str(unknown.value)
        == "unknown ingredient 'cod': did you mean 'code'? Known: chain-of-thought, code, instructions"
    )
    with pytest.raises(UnknownName) as unknown:
        Corpus(fill="neutra")  # type: ignore[arg-type]
    assert str(unknown.value) == "unknown fill 'neutra': did you mean 'neutral'? Known: neutral, rest"
    with pytest.raises(InputError) as bad:
        Extra(("x",), 1.0, "x", "")
    assert str(bad.value) == "the share of extra documents must be between 0 and 1, received 1"
    with pytest.raises(InputError) as bad:
        next(read_tokens(Source(Corpus()), 0))
    assert str(bad.value) == "a corpus has at least 1 token, received 0"


def test_a_kept_corpus_is_read_and_a_bad_one_refused(tmp_path: Path) -> None:
    path, source = tmp_path / "deep" / "corpus.npy", Source(Corpus())
    first = np.array(write_tokens(path, source, 3000))
    np.testing.assert_array_equal(first, next(read_tokens(source, 3000)))
    changed = first.copy()
    changed[0] = 7
    np.save(path, changed)
    assert write_tokens(path, source, 3000)[0] == 7  # what is there is not made again
    assert [one.name for one in path.parent.iterdir()] == ["corpus.npy"]
    with pytest.raises(StoreError) as raised:
        write_tokens(path, source, 4000)
    assert str(raised.value) == f"{path} is no corpus of 4000 tokens: int16 of shape (3000,); delete it"


def test_the_command_writes_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "documents.jsonl"
    with pytest.raises(SystemExit) as ended:
        main(
            ["ladder", "corpus", "--tokens", "20k", "--without", "code,instructions", "--seed", "4", "--out", str(out)]
        )
    assert ended.value.code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    expected = read_documents(Source(Corpus(without=("code", "instructions"), seed=4)), 20_000)
    assert rows == [{"kind": one.kind, "text": one.text} for one in expected]
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(rf"{len(rows)} documents, 20,\d\d\d tokens: {re.escape(str(out))}", last)
    assert [one.name for one in out.parent.iterdir()] == ["documents.jsonl"]
