"""Nothing that comes with a model, a server or a study is executed: neither code, nor pickles, nor texts."""

from __future__ import annotations

import ast
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

import onset
from onset.answers import ChoiceFormat, NumberFormat
from onset.chains.arithmetic import equations
from onset.errors import ModelError, OnsetError
from onset.models import backend_of, open_model
from onset.prompting.checkers import arithmetic
from onset.prompting.formal import Undefined, Unreadable, read_line, value
from onset.records import Item

ROOT = Path(onset.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# ---- the source ----------------------------------------------------------------------------------------------------

EXECUTES = {"eval", "exec", "compile", "__import__", "execfile"}
ATTRIBUTES = {
    "os.system", "os.popen", "os.execv", "os.spawnl", "pickle.load", "pickle.loads", "joblib.load", "dill.load",
    "marshal.loads", "shelve.open", "pl.from_pickle", "sympy.sympify", "sympy.parse_expr", "library.sympify",
    "library.parse_expr", "library.parse_smt2_string", "yaml.unsafe_load", "yaml.full_load", "xml.etree",
    "library.parse_smt2_file",
}  # fmt: skip
SUBPROCESSES = {"prompting/checkers.py", "report/library.py", "processors.py"}
"""The proofs of Coq: a script of numbers, numbered names and signs, with limits of time and memory; the figure library of a
page, and work beside this process: scripts of our own."""
YAML_LOADERS = {"untrusted.py"}


def _calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every call of a module, by the dotted name that is called."""
    return [(ast.unparse(one.func), one) for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)]


def test_no_module_evaluates_text_or_reads_pickles() -> None:
    assert len(MODULES) > 300
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        for called, call in _calls(path):
            words = {one.arg: ast.unparse(one.value) for one in call.keywords}
            assert called not in EXECUTES, f"{name}: {called}"
            assert called not in ATTRIBUTES, f"{name}: {called}"
            assert words.get("shell", "False") == "False", f"{name}: a shell"
            assert words.get("trust_remote_code", "False") == "False", f"{name}: remote code"
            assert words.get("allow_pickle", "False") == "False", f"{name}: pickled arrays"
            if called == "torch.load":
                assert words.get("weights_only") == "True", f"{name}: torch.load of more than weights"
            if called.startswith("subprocess."):
                assert name in SUBPROCESSES, f"{name}: {called}"
            if called.startswith("yaml.") and "load" in called:
                assert name in YAML_LOADERS, f"{name}: {called}"
            if called.startswith("Auto") and called.endswith(
                ".from_pretrained"
            ):  # left out, it is asked on the terminal
                assert words.get("trust_remote_code") == "False", f"{name}: {called} does not say trust_remote_code"


# ---- models --------------------------------------------------------------------------------------------------------


def _marks(path: Path) -> str:
    return f"import pathlib; pathlib.Path({str(path)!r}).write_text('owned')"


class Evil:
    """An object whose pickle runs a line of Python where it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (_marks(self.mark),)


def model_folder(folder: Path, **config: Any) -> Path:
    folder.mkdir()
    sizes = {"vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
    (folder / "config.json").write_text(
        json.dumps(
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "intermediate_size": 4, **sizes} | config
        )
    )
    tokenizer = {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


@pytest.mark.slow
def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where the model is opened nor where its size is looked up, and nobody is asked whether it may run."""
    mark, folder = tmp_path / "owned", model_folder(tmp_path / "model", model_type="evil")
    config = json.loads((folder / "config.json").read_text())
    auto = {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.EvilModel"}
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": auto}))
    (folder / "evil.py").write_text(f"{_marks(mark)}\n")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    for ask in (
        open_model,
        lambda spec: backend_of(spec)[0].peek(spec),
        lambda spec: backend_of(spec)[0].template(spec),
    ):
        with pytest.raises(ModelError) as stopped:
            ask(str(folder))
        assert str(stopped.value).count("\n") == 0
    held = {"tokenizer_class": "EvilTokenizer", "auto_map": {"AutoTokenizer": ["evil.EvilTokenizer", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(held))
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))
    with pytest.raises(OnsetError) as stopped:
        backend_of(str(folder))[0].template(str(folder))
    assert str(stopped.value).count("\n") == 0
    assert not mark.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_weights_that_are_a_pickle_of_code_are_not_run(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "owned"
    folder = model_folder(tmp_path / "model")
    (folder / name).write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(ModelError) as stopped:
        open_model(str(folder))
    assert str(stopped.value).count("\n") == 0
    assert not mark.exists()
    pickle.loads((folder / name).read_bytes())  # as a reader of pickles would
    assert mark.read_text() == "owned"


def test_a_zip_of_pickled_weights_is_not_run(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    mark = tmp_path / "owned"
    folder = model_folder(tmp_path / "model")
    torch.save({"model.norm.weight": Evil(mark)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError):
        open_model(str(folder))
    assert not mark.exists()


def test_a_gguf_file_of_nonsense_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60) + b"\xff" * 64)
    with pytest.raises(OnsetError) as stopped:
        open_model(f"gguf:{path}")
    assert str(stopped.value).count("\n") == 0


def test_a_chat_template_reaches_nothing_of_python(tmp_path: Path) -> None:
    """Templates come with models and are programs of Jinja: they run in its sandbox."""
    jinja2 = pytest.importorskip("jinja2")
    from transformers import PreTrainedTokenizerFast

    folder = model_folder(tmp_path / "model")
    mark = tmp_path / "owned"
    evil = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.system('touch " + str(mark)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.chat_template = evil + "') }}"
    with pytest.raises((jinja2.exceptions.SecurityError, jinja2.exceptions.UndefinedError)):
        tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False)
    assert not mark.exists()


# ---- texts ---------------------------------------------------------------------------------------------------------

PROGRAMS = [
    "__import__('os').system('touch owned')",
    "open('owned', 'w') = 1",
    "(lambda: 1)() = 1",
    "x.__class__ = 1",
    "{{7*7}} = 49",
    "7 if 1 else 2 = 7",
    "exec = exec(1)",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_text_that_is_a_program_is_no_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((Unreadable, Undefined)):
        [value(side, {}) for side in read_line(text).sides]
    assert [one.right for one in equations(text)] in ([], [True], [False])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    ["9^9^9^9 = 1", "9^64^64 = 1", "(((((2^64)^64)^64)^64)^64) = 1", "10^-64 ^ 64 = 1", "0.0000001^64^2 = 1"],
)
def test_a_sum_that_would_take_the_memory_is_not_worked_out(text: str) -> None:
    line = read_line(text)
    with pytest.raises(Undefined, match=r"a power must be|digits"):
        value(line.sides[0], {})
    assert not any(one.right for one in equations(text))


def test_a_product_that_grows_from_line_to_line_ends() -> None:
    """Names carry values on: thirty squarings would be a number of ten to the ninth digits."""
    lines = [read_line("a0 = 12345678")]
    lines += [read_line(f"a{place} = a{place - 1} * a{place - 1}") for place in range(1, 31)]
    found = [arithmetic(lines[:place], line) for place, line in enumerate(lines)]
    assert found[0] is None
    assert any("digits" in (one or "") for one in found)
    assert found[-1] is not None


@pytest.mark.parametrize(
    "text", ["(" * 290, "(" * 200 + "1" + ")" * 50, "-" * 250 + "1 = 1", "2" + "^2" * 140 + " = 1"]
)
def test_brackets_within_brackets_end(text: str) -> None:
    with pytest.raises((Unreadable, Undefined)):
        [value(side, {}) for side in read_line(text).sides]
    assert isinstance(equations(text * 20), list)


PIECES = [
    "1",
    "1,",
    "1.",
    "1 = 1 ",
    "1/",
    "a",
    " ",
    "\n",
    "(",
    "$",
    "- ",
    "*",
    "\\boxed{",
    "\\frac{1}",
    "The answer is ",
    "(A",
    "<think>",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_text_of_one_repeated_piece_is_read(piece: str) -> None:
    """A pattern that tries every way of parting a text would not come back from these."""
    text = piece * (20_000 // len(piece))
    assert NumberFormat().extract(text, Item("i", "q", "7")).status in ("ok", "none", "ambiguous", "truncated")
    letters = ChoiceFormat().extract(text, Item("i", "q", "A", choices=("x", "y")))
    assert letters.status in ("ok", "none", "ambiguous", "truncated")
    assert all(0 <= one.start < one.end <= len(text) for one in equations(text))
