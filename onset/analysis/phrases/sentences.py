"""The sentences behind lines in Chinese, by their English templates; a template has the same places in both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WORDS = {
    "none": "无",
    "{size} parameters": "{size} 参数",
    "95 % interval open at both ends": "95 % 区间两端未定",
    "95 % interval below {high}": "95 % 区间低于 {high}",
    "95 % interval above {low}": "95 % 区间高于 {low}",
    "95 % interval {low} to {high}": "95 % 区间 {low} 至 {high}",
    "95 % interval {low} to {high} %": "95 % 区间 {low} 至 {high} %",
    "n = {items} items × {draws} draws": "n = {items} 题 × {draws} 次抽取",
    "n = {items} items, one draw of examples": "n = {items} 题，样例只抽取一次",
    "without labelled examples": "不用标注样例",
    "with {examples}": "用 {examples}",
    "{given}, {count} of them shown": "{given}（提示中展示 {count} 个）",
    "{given}, of which {shown}": "{given}（其中{shown}）",
    "{methods} shows {count}": "{methods}展示 {count} 个",
    "{methods} show {count}": "{methods}展示 {count} 个",
    "{low} to {high}": "{low} 至 {high}",
}

_DECISION = {
    "{method} on {model}": "{model} 加{method}",
    "{method} {given}": "{method}({given})",
    "{method} on {model} {given}": "{model} 加{method}（{given}）",
    "{share} right ({range}; {sample})": "正确率 {share}（{range}；{sample}）",
    "use none of these yet on {task}: the best, {setting}, is not shown to be above chance: {right}": (
        "{task}：暂时都不要用；最好的{setting}未见高于随机水平：{right}"
    ),
    "not settled on {task}; highest so far is {setting}: {right}": "{task}：尚未定论；目前最高的是{setting}：{right}",
    "use {setting} on {task}: {right}": "{task}：请用{setting}：{right}",
    "nothing else was tried": "没有试过别的",
    "it does better than the other one tried": "它胜过试过的另一种",
    "it does better than all {count} others tried": "它胜过试过的其余 {count} 种",
    "{count} of {alternatives} are ruled out": "其余 {alternatives}中有 {count} 种可以排除",
    "as good within the margin, and no cheaper to ask: {names}": "在界限之内同样好、提问也不更便宜的：{names}",
    "as good or better may be: {names}": "可能同样好或更好的：{names}",
    "{names} and {more} more": "{names}，另有 {more} 种",
    "a thousand queries cost {cost}": "一千次提问的成本：{cost}",
    "a thousand queries cost {cost}; tuning, once, {tuning}": "一千次提问的成本：{cost}；微调一次：{tuning}",
    "{time} as measured here": "此处测得 {time}",
    "more seeds or items would hardly tell it from {rival}: take the cheaper one": (
        "再多的种子或题也很难把它与{rival}分开：取更便宜的"
    ),
    "the cheapest next step is {key} ({operations}), which may tell it from {rival}": (
        "最便宜的下一步是 {key}（{operations}），或可把它与{rival}分开"
    ),
    "what may change it: {changes}": "可能改变结论的：{changes}",
    "other examples, since one draw was tried (`seeds: 3`)": "换一批样例，因为只抽取过一次（`seeds： 3`）",
    "more labelled examples hardly ({after} is not shown to beat {before})": (
        "更多标注样例大概无用（{after} 个未见胜过 {before} 个）"
    ),
    "a larger model hardly ({after} is not shown to beat {before})": "更大的模型大概无用（{after} 未见胜过 {before}）",
    "more labelled examples ({after} beat {before} by {points})": "更多标注样例（{after} 个比 {before} 个高 {points}）",
    "a larger model ({after} beats {before} by {points})": "更大的模型（{after} 比 {before} 高 {points}）",
    "its weights are in the results folder: {code}": "权重在结果文件夹中：{code}",
    "its weights are in the results folder ({draws}, one each): {code}": (
        "权重在结果文件夹中（{draws}，每次一份）：{code}"
    ),
}

SENTENCES: Mapping[str, str] = MappingProxyType(_WORDS | _DECISION)
"""English template -> Chinese one."""
