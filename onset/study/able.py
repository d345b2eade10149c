"""What a cell needs of its model, before it is run."""

from __future__ import annotations

from onset.errors import ModelError
from onset.models.base import Model, ability
from onset.models.chat import chosen_template
from onset.study.cell import Cell


def check_able(model: Model, cell: Cell) -> None:
    """Raises ModelError where the method or the stage of ``cell`` needs what ``model`` cannot do."""
    if cell.made is not None and not ability(model).tune:
        raise ModelError(
            f"model '{cell.model}' cannot be trained: stage {cell.made.stage} needs a local Hugging Face model"
        )
    if cell.tuned is not None and not (ability(model).tune or ability(model).adapters):
        raise ModelError(
            f"model '{cell.model}' cannot be tuned: method {cell.method.name} needs a local Hugging Face model"
        )
    chat = chosen_template(model, cell.method.template) is not None
    if "scores" in cell.method.needs and not (can := ability(model)).scores(chat=chat):
        why = f" ({can.why})" if can.why else ""
        raise ModelError(f"model '{cell.model}' gives no log-probabilities{why}: method {cell.method.name} needs them")
