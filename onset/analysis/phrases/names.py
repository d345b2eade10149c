"""Names of shifts and of stages of training that come with the package; English and Chinese.

In English they are the names that a study writes. A stage is recognised by its steps: ``without code, extra notes``.
"""

from __future__ import annotations

SHIFTS: dict[str, tuple[str, str]] = {
    "none": ("as given", "原样"),
    "typos": ("typos", "拼写错误"),
    "letters": ("letters", "错字母"),
    "casing": ("casing", "大小写"),
    "spacing": ("spacing", "空格"),
    "punctuation": ("punctuation", "标点"),
    "fillers": ("fillers", "口头语"),
    "other-names": ("other-names", "换人名"),
    "other-things": ("other-things", "换事物"),
    "other-units": ("other-units", "换单位"),
    "reworded": ("reworded", "换说法"),
    "irrelevant": ("irrelevant", "无关句子"),
    "reordered": ("reordered", "前提换序"),
    "edited-numbers": ("edited-numbers", "换数字"),
    "negated": ("negated", "否定说法"),
    "overlap": ("overlap", "词语重叠陷阱"),
    "option-order": ("option-order", "选项换序"),
    "test-set": ("test-set", "另一个数据集"),
    "demo-order": ("demo-order", "示例换序"),
    "demo-count": ("demo-count", "示例减少"),
    "wording": ("wording", "换提示用词"),
    "instruction": ("instruction", "指令移位"),
    "unseen-names": ("unseen-names", "没见过的人名"),
    "unseen-things": ("unseen-things", "没见过的事物"),
    "seen-things": ("seen-things", "见过的事物"),
    "unseen-wording": ("unseen-wording", "没见过的说法"),
    "distractors": ("distractors", "干扰句"),
    "second-root": ("second-root", "另一个起点"),
    "shuffled": ("shuffled", "乱序"),
    "longer": ("longer", "更长的题"),
}

STEPS: dict[str, str] = {
    "base": "基础",
    "scarce chain of thought": "思维链稀少",
    "without {what}": "缺{what}",
    "extra {what}": "另加 {what}",
    "{what} and {more}": "{what}和{more}",
    "chain of thought": "思维链",
    "code": "代码",
    "instructions": "指令",
}
"""A step of training, and what it lacks or adds, by English template."""
