"""Models that judge pairs of sentences: against transformers alone, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from models_fixtures import CLASSIFIERS, NLI_LABELS, save_nli
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification

from onset.errors import ModelError
from onset.models.nli import open_nli, parameters, revision_of

PAIRS = [
    ("Soup is a liquid.", "Soup is not a liquid."),
    ("Ray owns 17 keys.", "Pam has 7 fewer."),
    ("Ray owns 17 keys.", "Pam has 9 fewer."),
    ("Soup is not a liquid.", "Soup is a liquid."),
    ("The sky is blue.", "Is the façade blue? 😀"),
]


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_are_those_of_transformers_one_pair_at_a_time(kind: str, tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli", kind)
    found = open_nli(str(folder)).judge(PAIRS)
    module, tok = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    for pair, one in zip(PAIRS, found, strict=True):
        inputs = tok(*pair, return_tensors="pt")
        with torch.no_grad():
            best = int(module(**inputs).logits.argmax())
        assert one.label == NLI_LABELS[best].casefold()
        assert one.tokens == inputs["input_ids"].shape[1]


def test_random_weights_tell_pairs_apart(tmp_path: Path) -> None:
    """Else the comparison with transformers would say little."""
    found = [
        one.label for seed in range(3) for one in open_nli(str(save_nli(tmp_path / f"{seed}", seed=seed))).judge(PAIRS)
    ]
    assert len(set(found)) > 1


@pytest.mark.parametrize(("kind", "room"), [("bert", 80), ("deberta", 80), ("roberta", 78)])
def test_what_is_longer_than_it_reads_is_not_judged(kind: str, room: int, tmp_path: Path) -> None:
    judge = open_nli(str(save_nli(tmp_path / "nli", kind)))
    assert judge.most == room
    length = {n: judge.judge([("x" * n, "y")])[0] for n in (room - 4, room - 3)}
    assert (length[room - 4].tokens, length[room - 3].tokens) == (room, 0)
    assert length[room - 4].label is not None
    assert length[room - 3].label is None


def test_its_size_is_known_from_its_configuration(tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli")
    module = AutoModelForSequenceClassification.from_pretrained(folder)
    tables = sum(p.numel() for name, p in module.named_parameters() if "embeddings.weight" in name)
    multiplied = sum(p.numel() for p in module.parameters()) - tables
    judge = open_nli(str(folder))
    assert parameters(str(folder)) == judge.facts.params_compute == multiplied
    assert judge.flops(10) == 20.0 * multiplied
    assert judge.name == "nli"


def test_it_is_loaded_once_and_again_where_its_files_change(tmp_path: Path) -> None:
    folder = str(save_nli(tmp_path / "nli"))
    first, revision = open_nli(folder), revision_of(folder)
    assert open_nli(folder) is first
    assert first.facts.revision == revision
    save_nli(tmp_path / "nli", seed=4)
    assert open_nli(folder) is not first
    assert open_nli(folder).facts.revision == revision_of(folder) != revision


@pytest.mark.parametrize(
    "labels", [{0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {0: "entailment", 1: "neutral"}, {0: "yes", 1: "neutral", 2: "no"}]
)  # fmt: skip
def test_other_labels_are_refused_before_anything_is_loaded(labels: dict[int, str], tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"], config["label2id"] = labels, {name: place for place, name in labels.items()}
    (folder / "config.json").write_text(json.dumps(config))
    for look in (revision_of, open_nli):
        with pytest.raises(ModelError) as error:
            look(str(folder))
        assert str(error.value) == (
            f"entailment model '{folder}': its labels are {', '.join(labels.values())}; expected entailment,"
            " contradiction and neutral (id2label in config.json)"
        )


def test_what_is_no_such_model_is_one_line(tmp_path: Path) -> None:
    for spec, message in (
        ("ladder/r0", "entailment model 'ladder/r0': expected a folder or a hub id of a model of transformers"),
        (f"{tmp_path}/none", f"entailment model '{tmp_path}/none': no such folder"),
    ):
        with pytest.raises(ModelError) as error:
            revision_of(spec)
        assert str(error.value) == message


def test_a_model_without_a_classifier_is_refused(tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli")
    module = BertForSequenceClassification.from_pretrained(folder)
    kept = {name: one for name, one in module.state_dict().items() if not name.startswith("classifier")}
    module.save_pretrained(folder, state_dict=kept)
    with pytest.raises(ModelError, match=r"2 weights are not in its files, the first is classifier\.bias"):
        open_nli(str(folder))
