"""A real server beside a local copy of its weights: ``ONSET_SERVER=URL#MODEL ONSET_SERVER_LOCAL=SPEC`` names them, and
``ONSET_SERVER_KIND=transformers`` one that is known to draw nothing (docs/notes/servers.md).
"""

from __future__ import annotations

import os

import pytest

from onset.errors import ModelError
from onset.models import open_model
from onset.models.base import Model, ability
from onset.records import Pair, Request

pytestmark = pytest.mark.slow
ASKED = "Question: How many days has a week?\nAnswer:"


@pytest.fixture(scope="module")
def models() -> tuple[Model, Model]:
    served, local = os.environ.get("ONSET_SERVER"), os.environ.get("ONSET_SERVER_LOCAL")
    if not served or not local:
        pytest.skip("no server is named: set ONSET_SERVER and ONSET_SERVER_LOCAL")
    return open_model(f"openai:{served}"), open_model(local, device="cpu", dtype="float32")


def test_it_is_the_model_that_it_is_said_to_be(models: tuple[Model, Model]) -> None:
    from onset.models.servers.agreement import agreement

    found = agreement(*models)
    assert found.verdict in ("same", "not shown")
    assert found.lengths in (None, found.texts)


def test_its_greedy_text_begins_as_that_of_the_local_copy(models: tuple[Model, Model]) -> None:
    (there,), (here,) = (one.generate([Request(ASKED, 12)])[0] for one in models)
    assert there.text[:8] == here.text[:8]
    assert there.prompt_tokens in (None, here.prompt_tokens)


def test_its_scores_are_those_of_the_local_copy_or_refused(models: tuple[Model, Model]) -> None:
    served, local = models
    pairs = [Pair(ASKED, " seven."), Pair(ASKED, " Fünf Tage – oder 5."), Pair("Monday, Tuesday,", " Wednesday")]
    if not ability(served).score:
        with pytest.raises(ModelError, match="gives no log-probabilities"):
            served.score(pairs)
        return
    for there, here in zip(served.score(pairs), local.score(pairs), strict=True):
        assert (there.tokens, there.context_tokens) == (here.tokens, here.context_tokens)
        assert there.logprob == pytest.approx(here.logprob, abs=0.1 * here.tokens)


def test_its_scores_through_its_template_are_those_of_the_local_copy_or_refused(models: tuple[Model, Model]) -> None:
    served, local = models
    if not ability(served).score_chat:
        assert ability(served).why
        return
    turns = [("user", "How many days has a week?")]
    pairs = [[Pair(f"{one.chat(turns)}It has", f" {end} days.", True) for end in ("seven", "four")] for one in models]  # type: ignore[attr-defined]
    for there, here in zip(served.score(pairs[0]), local.score(pairs[1]), strict=True):
        assert there.tokens == here.tokens
        assert there.logprob == pytest.approx(here.logprob, abs=0.1 * here.tokens)


def test_its_samples_differ_or_are_refused(models: tuple[Model, Model]) -> None:
    asked = Request("Once upon a time there was a", 12, n=4, temperature=1.0, seed=3)
    served = models[0]
    if "transformers" in os.environ.get("ONSET_SERVER_KIND", ""):
        with pytest.raises(ModelError, match="draws no samples"):
            served.generate([asked])
        return
    (found,) = served.generate([asked])
    assert len(found) == 4
    assert len({one.text for one in found}) > 1
