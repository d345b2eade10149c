"""Runs of lm-evaluation-harness: which one is read, what a metric's samples stand for, files that are not as it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign import harness_run, restated

from onset.analysis.outcomes import Outcomes
from onset.cli import main
from onset.errors import DataError
from onset.read import read_measured, read_outcomes, read_points

RIGHT = [place % 3 > 0 for place in range(60)]
FIRST, LATER = "2026-11-24", "2026-11-25"


def parts(folder: Path, date: str = FIRST) -> tuple[Path, Path]:
    """The results file and the samples file of a run."""
    (results,), (samples,) = folder.glob(f"results_{date}*.json"), folder.glob(f"samples_*_{date}*.jsonl")
    return results, samples


def change(file: Path, how: Callable[[dict[str, Any]], Any]) -> None:
    """A results file with something changed."""
    content = json.loads(file.read_text())
    how(content)
    file.write_text(json.dumps(content))


def change_rows(file: Path, how: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A samples file of which every line is changed."""
    file.write_text("\n".join(json.dumps(how(json.loads(line))) for line in file.read_text().splitlines()))


def of_metric(folder: Path, metric: str) -> Outcomes:
    (found,) = (one for one in read_outcomes(folder) if one.metric == metric)
    return found


# ----------------------------------------------------------------------------------------------------- which is read


def test_two_models_in_one_folder_are_both_read(tmp_path: Path) -> None:
    harness_run(tmp_path, "small-1B", 10**9, RIGHT)
    harness_run(tmp_path, "large-7B", 7 * 10**9, [True] * 60, date=LATER)
    found = {one.model: one.accuracy for one in read_measured(tmp_path).outcomes}
    assert found == {"small-1B": pytest.approx(2 / 3), "large-7B": 1.0}
    for file in tmp_path.glob("samples_*"):
        file.unlink()
    assert [(one.model, one.score) for one in read_points(tmp_path)] == [
        ("small-1B", pytest.approx(2 / 3)),
        ("large-7B", 1.0),
    ]


def test_scores_of_one_setting_in_two_folders_are_not_one_curve(tmp_path: Path) -> None:
    for name in "ab":
        parts(harness_run(tmp_path / name, "m-1M", 10**6, RIGHT))[1].unlink()
    with pytest.raises(DataError, match=r"world_facts, 0-shot by m-1M is there more than once: .*/a/results_.*/b/res"):
        read_points(tmp_path)
    harness_run(tmp_path / "b", "m-1M", 10**6, RIGHT)
    with pytest.raises(DataError, match=r"by m-1M is there more than once: .*/a/results_.*/b/samples_"):
        read_points(tmp_path, metric="acc")
    assert [one.correct for one in read_points(tmp_path / "b", metric="acc")] == [40]


@pytest.mark.parametrize(
    "asked",
    [
        {"model_args": {"pretrained": "EleutherAI/pythia-70m", "revision": "step1000"}},
        {"model_args": "pretrained=EleutherAI/pythia-70m,revision=step1000"},
        {"model_args": "pretrained=EleutherAI/pythia-70m", "model_revision": "step1000"},
    ],
)
def test_a_revision_is_a_model_of_the_same_size(asked: dict[str, Any], tmp_path: Path) -> None:
    harness_run(tmp_path, "EleutherAI/pythia-70m", 70_426_624, RIGHT)
    harness_run(tmp_path, "EleutherAI/pythia-70m", 70_426_624, [True] * 60, date=LATER)
    change(parts(tmp_path)[0], lambda content: content["config"].update(asked))
    change(parts(tmp_path, LATER)[0], lambda content: content["config"].update(model_revision="main"))
    found = {one.model: (one.accuracy, one.params) for one in read_measured(tmp_path).outcomes}
    assert found == {
        "EleutherAI/pythia-70m (step1000)": (pytest.approx(2 / 3), 70_426_624),
        "EleutherAI/pythia-70m": (1.0, 70_426_624),
    }


def test_a_later_run_of_fewer_documents_does_not_take_the_place_of_a_fuller_one(tmp_path: Path) -> None:
    harness_run(tmp_path, "a", 10**6, RIGHT)
    harness_run(tmp_path, "a", 10**6, [True] * 5, date=LATER)
    note = (
        "world_facts: of 2 runs that of 2026-11-24T18-08-52.335607 was read, with 60 documents:"
        " the latest (2026-11-25T18-08-52.335607) has 5 documents"
    )
    found = of_metric(tmp_path, "acc")
    assert (len(found.items), found.notes) == (60, (note,))
    harness_run(tmp_path, "a", 10**6, [True] * 9, date="2026-11-26")
    results, samples = parts(tmp_path, "2026-11-26")
    samples.unlink()
    change(results, lambda content: content.pop("n-samples"))
    found = of_metric(tmp_path, "acc")
    assert len(found.items) == 60
    assert found.notes[0].endswith("the latest (2026-11-26T18-08-52.335607) has no samples")
    results.unlink()
    for file in tmp_path.glob("samples_*"):
        file.unlink()
    measured = read_measured(tmp_path)
    assert {one.n for one in measured.stated} == {60}
    assert note in measured.notes


def test_samples_that_could_be_of_two_models_are_refused(tmp_path: Path) -> None:
    harness_run(tmp_path, "a", 10**6, RIGHT)
    harness_run(tmp_path, "b", 10**6, RIGHT, date=LATER)
    samples = parts(tmp_path)[1]
    copy = samples.with_name("samples_world_facts_2026-11-26T18-08-52.335607.jsonl")
    copy.write_text(samples.read_text())
    with pytest.raises(DataError) as caught:
        read_outcomes(tmp_path)
    assert str(caught.value) == f"{copy}: no results file says whether it is of a or b: name the files to read"


def test_a_score_without_samples_is_kept_beside_another_run_with_samples(tmp_path: Path) -> None:
    harness_run(tmp_path, "a-1M", 10**6, RIGHT)
    harness_run(tmp_path, "a-1M", 10**6, [True] * 60, shots=5, date=LATER)
    parts(tmp_path, LATER)[1].unlink()
    told: list[str] = []
    points = read_points(tmp_path, metric="acc", note=told.append)
    assert [(one.curve, one.score, one.correct) for one in points] == [
        ("world_facts, 5-shot", 1.0, None),
        ("world_facts, 0-shot", None, 40),
    ]
    assert told.count("world_facts: no samples file of a-1M, 5-shot, so no per-item results") == 1


# ------------------------------------------------------------------------------------------------ what a metric means


def test_a_metric_aggregated_in_an_unknown_way_is_what_the_results_file_states(tmp_path: Path) -> None:
    """RULER marks documents of another length by -1, which its own aggregation leaves out."""
    folder = harness_run(tmp_path / "a", "a-1M", 10**6, RIGHT)
    results, samples = parts(folder)
    source = "def aggregate_metrics(metrics: list[float]) -> float:\n    return sum(x for x in metrics if x != -1)"
    asked = [{"metric": "acc", "aggregation": "mean"}, {"metric": "4096", "aggregation": source}]

    def more(content: dict[str, Any]) -> None:
        content["configs"]["world_facts"]["metric_list"] = asked
        content["results"]["world_facts"] |= {"4096,none": 0.75, "4096_stderr,none": 0.1}

    change(results, more)
    change_rows(samples, lambda row: row | {"4096": -1.0 if row["doc_id"] % 2 else 1.0, "metrics": ["acc", "4096"]})
    note = "world_facts: 4096 is made of its documents in a way not known here: what is stated is read"
    assert [(one.metric, note in one.notes) for one in read_outcomes(folder)] == [("acc", True)]
    assert {one.metric: one.value for one in read_measured(folder).stated}["4096"] == 0.75
    (point,) = read_points(folder, metric="4096")
    assert (point.score, point.stderr) == (0.75, 0.1)
    change_rows(samples, lambda row: row | {"metrics": ["4096"]})
    with pytest.raises(DataError) as caught:
        read_outcomes(folder)
    assert str(caught.value) == f"{samples}: no metric with a number for a document; {note}"
    assert [one.metric for one in read_points(folder)] == ["acc"]


def test_documents_that_do_not_make_the_stated_score_are_not_read(tmp_path: Path) -> None:
    folder = harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    change(parts(folder)[0], lambda content: content["results"]["world_facts"].update({"acc,none": 0.9}))
    note = "world_facts: acc is stated as 0.9, its documents make 0.6667: the former is read"
    measured = read_measured(folder)
    assert note in measured.notes
    assert [one.metric for one in measured.outcomes] == ["acc_norm"]
    assert [(one.metric, one.value) for one in measured.stated] == [("acc", 0.9)]
    change(parts(folder)[0], lambda content: content["results"]["world_facts"].update({"acc,none": 0.667}))
    assert of_metric(folder, "acc").accuracy == pytest.approx(2 / 3)


def test_true_and_false_are_scores(tmp_path: Path) -> None:
    """IFEval: right or wrong a prompt, and a list of them for its instructions, which only the results file sums up."""
    folder = harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    results, samples = parts(folder)
    change(results, lambda content: content["results"].update(world_facts={"inst_level_strict_acc,none": 0.75}))
    names = ["prompt_level_strict_acc", "inst_level_strict_acc"]
    change_rows(samples, lambda row: row | {names[0]: row["acc"] == 1, names[1]: [True, False], "metrics": names})
    measured = read_measured(folder)
    assert [(one.metric, one.accuracy) for one in measured.outcomes] == [(names[0], pytest.approx(2 / 3))]
    assert [(one.metric, one.value) for one in measured.stated] == [(names[1], 0.75)]


def test_choices_that_are_asked_twice_are_counted_once(tmp_path: Path) -> None:
    folder = harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    before = of_metric(folder, "acc")

    def mutual(row: dict[str, Any]) -> dict[str, Any]:
        asked = list(row["arguments"].values())
        again = [*asked, *({**one, "arg_0": ""} for one in asked)]
        return row | {
            "filtered_resps": [*row["filtered_resps"], *([["-1.0", "False"]] * len(asked))],
            "arguments": {f"gen_args_{place}": one for place, one in enumerate(again)},
            "acc_mutual_info": row["acc"],
            "metrics": ["acc", "acc_mutual_info"],
        }

    change_rows(parts(folder)[1], mutual)
    after = of_metric(folder, "acc")
    assert after.chance == before.chance == 0.25
    for name, scores in before.outputs.scores.items():
        assert after.outputs.scores[name] == pytest.approx(scores, nan_ok=True)


def test_a_share_of_probability_has_no_chance(tmp_path: Path) -> None:
    folder = harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    results, samples = parts(folder)
    change_rows(samples, lambda row: row | {"acc": 0.25 + row["acc"] / 2})
    restated(results, samples)
    assert (of_metric(folder, "acc").chance, of_metric(folder, "acc_norm").chance) == (None, 0.25)


# -------------------------------------------------------------------------------------------------------- what is not


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"config": None}, "expected an object as config, found null"),
        ({"higher_is_better": {"t": None}}, "expected an object as higher_is_better.t, found null"),
        ({"group_subtasks": []}, "expected an object or null as group_subtasks, found a list"),
        ({"results": {"t": [1]}}, "expected an object as results.t, found a list"),
        ({"versions": [1]}, "expected an object or null as versions, found a list"),
        ({"configs": {"t": "x"}}, 'expected an object or null as configs.t, found "x"'),
    ],
)
def test_results_files_that_are_not_as_the_harness_writes_them(
    wrong: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = parts(harness_run(tmp_path, "a", 10**6, RIGHT))
    change(file, lambda content: content.update(wrong))
    with pytest.raises(SystemExit) as end:
        main(["show", str(tmp_path)])
    assert end.value.code == 2
    assert capsys.readouterr().err == f"onset: {file}: {message}\n"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"arguments": {"gen_args_0": "x"}}, 'expected an object as arguments.gen_args_0, found "x"'),
        ({"filtered_resps": "x"}, 'expected a list as filtered_resps, found "x"'),
        ({"metrics": [[]]}, "expected a text as metrics[0], found a list"),
        ({"resps": [1]}, "expected a list as resps[0], found 1"),
        ({"doc_id": True}, "expected a whole number as doc_id, found true"),
    ],
)
def test_samples_that_are_not_as_the_harness_writes_them(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    _, file = parts(harness_run(tmp_path, "a", 10**6, RIGHT))
    change_rows(file, lambda row: row | wrong)
    with pytest.raises(DataError) as caught:
        read_measured(tmp_path, texts=True)
    assert str(caught.value) == f"{file}, line 1: {message}"
