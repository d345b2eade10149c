"""From a results folder's tables to everything the report and the terminal show."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from onset.analysis.contrast.asked import compare_all, loss_differences, losses, stage_comparisons
from onset.analysis.contrast.best import known_pairs
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis, ByLabels, BySize, ByStage, Classes, Contrasts
from onset.analysis.estimates.banks import banks_of
from onset.analysis.estimates.break_evens import break_evens
from onset.analysis.estimates.calibration import calibrations_of
from onset.analysis.estimates.chains import chains_of
from onset.analysis.estimates.classification import CellF1, classified
from onset.analysis.estimates.confidence import Begun, Confidences
from onset.analysis.estimates.conflicts import conflicts_of
from onset.analysis.estimates.costs import spent_of
from onset.analysis.estimates.decisions import Basis, decisions
from onset.analysis.estimates.forgetting import forgettings
from onset.analysis.estimates.gains import gain_curves
from onset.analysis.estimates.label_breaks import label_breaks
from onset.analysis.estimates.label_curves import LabelPoint, label_curves, means_of, overtakings
from onset.analysis.estimates.log_linear import growths_of
from onset.analysis.estimates.models import NO_MODELS, compare_models
from onset.analysis.estimates.new_facts import placements_of
from onset.analysis.estimates.partial import partial_pairs
from onset.analysis.estimates.pretraining_seeds import pretraining_seeds
from onset.analysis.estimates.robustness import robustness_of
from onset.analysis.estimates.scores import compare_scores
from onset.analysis.estimates.searches import apart, searches_of
from onset.analysis.estimates.second_reader import second_readings
from onset.analysis.estimates.size_curves import size_curves
from onset.analysis.estimates.stage_gains import stage_gains
from onset.analysis.estimates.stage_reach import stage_reaches
from onset.analysis.estimates.stage_sizes import stage_shifts
from onset.analysis.estimates.stage_steps import stage_steps
from onset.analysis.estimates.stages import trainings_of
from onset.analysis.estimates.task_sizes import task_orders
from onset.analysis.estimates.thinking import thinking_lines
from onset.analysis.finding import Finding
from onset.analysis.outcomes import KEY, Measured, measured_of, source_of
from onset.analysis.phrases import Language
from onset.analysis.questions import findings_of
from onset.analysis.questions.comparison_words import comparison_sentence, stage_sentence
from onset.analysis.questions.curve_words import curve_sentence
from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.questions.score_words import pair_sentence
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.results.files import Place, as_files, put_json
from onset.results.format import FINDINGS
from onset.results.read import Results


def analyse(
    results: Results | Measured,
    *,
    margin: float | None = None,
    replicates: int = REPLICATES,
    math_verify: bool = False,
) -> Analysis:
    """Estimate everything of a results folder, or of anybody's results (`onset.read.read_measured`).

    ``margin``: equivalence margin as a share; by default the study's, else 5 points. Equal results give equal numbers:
    the bootstrap's seed follows from the shapes of the tables. ``math_verify``: also read answers that are numbers by
    that library (`onset.analysis.estimates.second_reader`). Raises InputError where it cannot.
    """
    measured, bounds = apart(results if isinstance(results, Measured) else measured_of(results))
    arms = measured.outcomes
    confidences = None if measured.foreign else Begun(measured)
    chosen = margin if margin is not None else float(measured.study.get("margin", MARGIN))
    methods = compare_all(arms, margin=chosen, replicates=replicates)
    by_labels, spent = label_curves(arms, replicates=replicates), spent_of(measured)
    uses = {key: (one.labels, one.rationales) for key, one in spent.items()}
    basis = Basis(measured.study, means_of(by_labels), spent, known_pairs(methods), chosen, replicates)
    curves = size_curves([arm for arm in arms if arm.at.params])
    banks = () if measured.foreign else banks_of(measured, margin=chosen, replicates=replicates)
    chains = () if measured.foreign else chains_of(measured, margin=chosen, replicates=replicates)
    trainings = trainings_of(measured)
    stages = stage_comparisons(arms, margin=chosen, replicates=replicates)
    lost, lost_more = losses(arms, replicates=replicates), loss_differences(arms, replicates=replicates)
    classes = Classes(*(((), {}) if measured.foreign else classified(measured, replicates=replicates)))
    measures = Analysis(
        measured=measured,
        margin=chosen,
        contrasts=Contrasts(
            methods=methods,
            stages=stages,
            losses=lost,
            loss_differences=lost_more,
            models=compare_models(arms, margin=chosen, replicates=replicates) if measured.foreign else NO_MODELS,
            scores=compare_scores(measured.scores, measured.stated, margin=chosen, replicates=replicates),
        ),
        sizes=BySize(
            curves=curves,
            gains=gain_curves(arms, methods, replicates=replicates),
            task_orders=task_orders(curves),
            stage_shifts=stage_shifts(curves),
            pretraining_seeds=pretraining_seeds(arms, margin=chosen),
        ),
        labels=ByLabels(
            curves=by_labels,
            overtakings=overtakings(methods, {arm.method for arm in arms if arm.tuned}),
            breaks=label_breaks(methods, arms, uses),
        ),
        break_evens=break_evens(arms, measured, spent),
        classes=classes,
        decisions=decisions(arms, basis),
        spent=spent,
        replicates=replicates,
        confidence=Confidences() if confidences is None else confidences.end(replicates=replicates),
        placements=() if measured.foreign else placements_of(measured, margin=chosen, replicates=replicates),
        growths=() if measured.foreign else growths_of(measured, curves),
        conflicts=() if measured.foreign else conflicts_of(measured),
        partial=() if measured.foreign else partial_pairs(arms, methods, margin=chosen, replicates=replicates),
        calibrations=() if measured.foreign else calibrations_of(measured),
        searches=searches_of(measured, bounds, methods, means_of(by_labels), margin=chosen, replicates=replicates)
        if not measured.foreign
        else (),
        bounds=bounds,
        banks=banks,
        chains=chains,
        thinking=() if measured.foreign else thinking_lines(measured, means_of(by_labels), replicates=replicates),
        second_readings=second_readings(measured, margin=chosen, replicates=replicates) if math_verify else (),
        stages=ByStage(
            gains=stage_gains(arms, methods, trainings, margin=chosen, replicates=replicates),
            reach=stage_reaches(banks, trainings, margin=chosen, replicates=replicates),
            steps=stage_steps(chains, trainings, margin=chosen, replicates=replicates),
        ),
        forgetting=forgettings(measured.asides, arms, methods, stages, margin=chosen, replicates=replicates),
        robustness=robustness_of(
            measured, methods, lost, lost_more, basis.means, classes.arms, margin=chosen, replicates=replicates
        ),
    )
    return replace(measures, findings=findings_of(measures))


def to_json(analysis: Analysis, language: Language = "en") -> dict[str, Any]:
    """The value of ``onset show D --json``, as documented in docs/notes/formats.md; None for what is not known.

    ``language``: of the sentences and short lines; names of tests and reasons stay English.
    """
    means, say = analysis.means, Say(language)
    return {
        "study": analysis.study.get("name"),
        "sources": list(map(source_of, analysis.measured.read)),
        "notes": list(analysis.measured.notes),
        "cells": [
            _cell_json(
                row,
                means.get(tuple(row[name] or 0 if name == "labels" else row[name] for name in KEY)),
                analysis.classes.cells.get(row["cell"]),
            )
            for row in analysis.measured.cells.to_dicts()
        ],
        "comparisons": [comparison_json(one, say) for one in analysis.contrasts.methods],
        "models": [model_json(one, say) for one in analysis.contrasts.models.pairs],
        "scores": [one.json() for one in analysis.contrasts.scores.means],
        "score_pairs": [one.json() | {"sentence": pair_sentence(one, say)} for one in analysis.contrasts.scores.pairs],
        "partial_scores": [one.json() for one in analysis.partial],
        "confidence": [one.json() for one in analysis.confidence.arms],
        "abstention": [one.json() for one in analysis.confidence.pairs],
        "knowledge_by_size": [one.json() for one in analysis.growths],
        "facts_in_weights": [one.json() for one in analysis.placements],
        "conflicts": [one.json() for one in analysis.conflicts],
        "stages": [stage_json(one, say) for one in analysis.contrasts.stages],
        "stage_gains": [one.json() for one in analysis.stages.gains],
        "stage_reach": [one.json() for one in analysis.stages.reach],
        "stage_steps": [one.json() for one in analysis.stages.steps],
        "forgetting": [one.json() for one in analysis.forgetting],
        "robustness": analysis.robustness.json(),
        "stage_shifts": [one.json() for one in analysis.sizes.stage_shifts],
        "pretraining_seeds": [one.json() for one in analysis.sizes.pretraining_seeds],
        "curves": [one.json() | {"sentence": curve_sentence(one, say)} for one in analysis.sizes.curves],
        "gains": [one.json() for one in analysis.sizes.gains],
        "task_orders": [one.json() for one in analysis.sizes.task_orders],
        "label_curves": [one.json() for one in analysis.labels.curves if len(one.points) > 1],
        "break_even_labels": [one.json() for one in analysis.labels.breaks],
        "costs": [dict(zip(KEY, key, strict=True)) | one.json() for key, one in analysis.spent.items()],
        "break_even_queries": [one.json() for one in analysis.break_evens],
        "classification": [one.json() for one in analysis.classes.arms],
        "banks": [one.json() for one in analysis.banks],
        "chains": [one.json() for one in analysis.chains],
        "calibrations": [one.json() for one in analysis.calibrations],
        "thinking": [one.json() for one in analysis.thinking],
        "searches": [one.json() for one in analysis.searches],
        "second_readings": [one.json() for one in analysis.second_readings],
        "decisions": [one.json() for one in analysis.decisions],
        "findings": [finding_json(one, language) for one in analysis.findings],
        "missing": list(analysis.measured.missing),
        "failed": dict(analysis.measured.failed),
    }


def _cell_json(row: dict[str, Any], mean: LabelPoint | None, f1: CellF1 | None) -> dict[str, Any]:
    of_labels = {
        "macro_f1": f1 and f1.macro_f1,
        "macro_f1_interval": f1 and list(f1.interval),
        "majority": f1 and f1.majority,
        "majority_label": f1 and f1.majority_label,
    }
    row = row | {
        name: None if row[name] is None else json.loads(row[name]) for name in ("method_spec", "made", "search")
    }
    return row | {"interval": _pair(row["low"], row["high"]), "mean": mean and mean.json()} | of_labels


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


def comparison_json(one: Contrast, say: Say = ENGLISH) -> dict[str, Any]:
    """A comparison of two methods as plain JSON."""
    return {
        "model": one.model,
        "params": one.params,
        "stage": one.stage,
        **_asked(one),
        "sentence": comparison_sentence(one, say),
    }


def stage_json(one: Contrast, say: Say = ENGLISH) -> dict[str, Any]:
    """A comparison of two stages as plain JSON; ``params`` are the reference's."""
    return {
        "models": [one.plus.model, one.minus.model],
        "model_family": one.family,
        "params": one.params,
        "method": one.method,
        **_asked(one),
        "sentence": stage_sentence(one, say),
    }


def model_json(one: Contrast, say: Say = ENGLISH) -> dict[str, Any]:
    """A comparison of two models as plain JSON; a comparison over all tasks has none."""
    same = (
        "sides", "n", "accuracy_a", "accuracy_b", "difference", "interval", "p", "p_holm", "p_equivalent_holm", "test",
        "margin", "discordant", "unpaired", "mismatch", "family_size", "verdict", "needed", "needed_draws",
    )  # fmt: skip
    held = one.json()
    return {
        "task": one.task or None,
        "shift": one.shift,
        "method": one.at.method,
        "sizes": [one.plus.params, one.minus.params],
        "draws": held["seeds"],
        **{name: held[name] for name in same},
        "sentence": comparison_sentence(one, say),
    }


def _asked(one: Contrast) -> dict[str, Any]:
    return {"labels": one.at.labels, "task": one.task, "shift": one.shift, **one.json()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def finding_json(one: Finding, language: Language = "en") -> dict[str, Any]:
    """A finding as plain JSON: every field but its rank, its sentence and short line in one ``language``."""
    hidden = ("rank", "sentences", "lines")
    fields = {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__ if name not in hidden}
    return fields | {"sentence": one.sentences[language], "short": one.lines[language]}


def write_findings(folder: Place, analysis: Analysis) -> str:
    """Write ``folder/findings.json`` as a whole and return what it is called.

    Raises StoreError when it cannot be written.
    """
    files = as_files(folder)
    content = {
        "findings": [finding_json(one) for one in analysis.findings],
        "comparisons": [comparison_json(one) for one in analysis.contrasts.methods],
        "stages": [stage_json(one) for one in analysis.contrasts.stages],
    }
    put_json(files, FINDINGS, content)
    return files.name(FINDINGS)
