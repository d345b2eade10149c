"""The sentences behind lines in Chinese, by their English templates; a template has the same places in both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onset.analysis.phrases import (
    seeds,
    sentences_advice,
    sentences_confidence,
    sentences_methods,
    sentences_scores,
    sentences_sizes,
    sentences_warnings,
    shifts,
    stages,
)

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
    "{given}, {count} of them shown": "{given}，提示中展示 {count} 个",
    "{given}, of which {shown}": "{given}，其中{shown}",
    "{methods} shows {count}": "{methods}展示 {count} 个",
    "{methods} show {count}": "{methods}展示 {count} 个",
    "{low} to {high}": "{low} 至 {high}",
}

_DECISION = {
    "the next step is a larger model, or more labelled examples than {count}": (
        "下一步是换更大的模型，或用多于 {count} 个标注样例"
    ),
    "{method} on {model}": "{model} 加{method}",
    "{method} {given}": "{method}（{given}）",
    "{method} on {model} {given}": "{model} 加{method}（{given}）",
    "{share} right ({range}; {sample})": "正确率 {share}（{range}；{sample}）",
    "use none of these yet on {task}: that {setting} is above chance ({chance}) is not shown, allowing for its being"
    " picked as the best of {count}: {right}": (
        "{task}：暂时都不要用；计入是从 {count} 种中挑出的最好的，{setting}未见高于随机水平（{chance}）：{right}"
    ),
    "use none of these yet on {task}: {setting} is not shown to be above chance ({chance}): {right}": (
        "{task}：暂时都不要用；{setting}未见高于随机水平（{chance}）：{right}"
    ),
    "not settled on {task}; highest so far is {setting}: {right}": "{task}：尚未定论；目前最高的是{setting}：{right}",
    "use {setting} on {task}: {right}": "{task}：请用{setting}：{right}",
    "nothing else was tried": "没有试过别的",
    "it does better than the other one tried": "它胜过试过的另一种",
    "it does better than all {count} others tried": "它胜过试过的其余 {count} 种",
    "{count} of {alternatives} is ruled out": "其余 {alternatives}中有 {count} 种可以排除",
    "{count} of {alternatives} are ruled out": "其余 {alternatives}中有 {count} 种可以排除",
    "as good within the margin, and no cheaper to ask: {names}": "在界限之内同样好、提问也不更便宜的：{names}",
    "as good within the margin, and no cheaper for so many queries: {names}": (
        "在界限之内同样好、这么多次提问也不更便宜的：{names}"
    ),
    "the search for settings, once, {search}": "选择设置一次：{search}",
    "stages of training, once, {stages}": "训练阶段一次：{stages}",
    "as good or better may be: {names}": "可能同样好或更好的：{names}",
    "{names} and {more} more": "{names}，另有 {more} 种",
    "a thousand queries cost {cost}": "一千次提问的成本：{cost}",
    "a thousand queries cost {cost}; tuning, once, {tuning}": "一千次提问的成本：{cost}；微调一次：{tuning}",
    "{time} as measured here": "此处测得 {time}",
    "more seeds or items would hardly tell it from {rival}: take the cheaper one": (
        "再多的种子或题也很难把它与{rival}分开：取更便宜的"
    ),
    "the next step is {key}, which may tell it from {rival}": "下一步：{key}，或可将它与{rival}区分开",
    "the cheapest next step is {key} ({operations} for these two alone), which may tell it from {rival}": (
        "最便宜的下一步是 {key}（仅这两者就需 {operations}），或可把它与{rival}分开"
    ),
    "{key}, if the test set holds so many": "{key}（如果测试集有这么多题）",
    "what may change it: {changes}": "可能改变结论的：{changes}",
    "other examples, since one draw was tried (`seeds: 3`)": "换一批样例，因为只抽取过一次（`seeds: 3`）",
    "more labelled examples hardly ({after} and {before} are level)": (
        "更多标注样例大概无用（{after} 个与 {before} 个相当）"
    ),
    "a larger model hardly ({after} and {before} are level)": "更大的模型大概无用（{after} 与 {before} 相当）",
    "perhaps more labelled examples ({after} is not shown to beat {before}, nor to be level)": (
        "或许更多标注样例（{after} 个既未见胜过 {before} 个，也未见与它相当）"
    ),
    "perhaps a larger model ({after} is not shown to beat {before}, nor to be level)": (
        "或许更大的模型（{after} 既未见胜过 {before}，也未见与它相当）"
    ),
    "more labelled examples ({after} beat {before} by {points})": "更多标注样例（{after} 个比 {before} 个高 {points}）",
    "a larger model ({after} beats {before} by {points})": "更大的模型（{after} 比 {before} 高 {points}）",
    "its weights are in the results folder: {code}": "权重在结果文件夹中：{code}",
    "its weights are in the results folder ({draws}, one each): {code}": (
        "权重在结果文件夹中（{draws}，每次一份）：{code}"
    ),
}

_SIZE = {
    "below 0.001": "低于 0.001",
    "family {family}": "家族 {family}",
    "family {family}, stage {stage}": "家族 {family}，阶段 {stage}",
    "{sample}, at each size": "{sample}，每种规模",
    "n = {items} items × {draws} draws a size": "每种规模 n = {items} 题 × {draws} 次抽取",
    "; halfway between {floor} and {ceiling} at about {at} ({range})": (
        "；在约 {at} 处走完从 {floor} 到 {ceiling} 的一半（{range}）"
    ),
    "; not yet halfway to its ceiling at the largest model ({at}; {range})": (
        "；在最大的模型处还没有走完到上限的一半（{at}；{range}）"
    ),
    "; already past halfway at the smallest model ({at}; {range})": "；在最小的模型处已经过半（{at}；{range}）",
    "; no {kind} fits (p = {p}), so no place on it is said: {measured}": (
        "；没有{kind}符合数据（p = {p}），所以不说其上的位置：{measured}"
    ),
    "steep curve": "陡峭的曲线",
    "smooth curve": "平滑的曲线",
    "curve of the families": "所试各类的曲线",
    "{share} at {size}": "{size} 处 {share}",
    "measured {points}": "测得 {points}",
    "between {low} and {high}": "在 {low} 与 {high} 之间",
    "at about {at} ({range})": "在约 {at} 处（{range}）",
    "below the sizes measured ({range})": "在测过的规模以下（{range}）",
    "beyond the sizes measured ({range})": "在测过的规模以上（{range}）",
    "on {task} {given}, {family}, {grows}": "{task}（{given}；{family}）：{grows}",
    "it leaves chance {place}": "它{place}离开随机水平",
    "{sentence} ({sample})": "{sentence}（{sample}）",
    " (q = {p} against smooth growth)": "（相对平滑增长 q = {p}）",
    "{name} grows smoothly with size{q}": "{name}随规模平滑增长{q}",
    "{name} emerges: it stays at chance and then grows faster than any smooth curve{q}": (
        "{name}突现：先停在随机水平，然后比任何平滑曲线都增长得快{q}"
    ),
    "{name} is not shown to change with size{why}": "不能断定{name}随规模变化{why}",
    "{name} grows with size, and whether smoothly or by emerging is not resolved{why}": (
        "{name}随规模增长，是平滑还是突现尚不能断定{why}"
    ),
    "{name} does not change with size beyond the margin": "{name}随规模的变化不超出界限",
    "{name} falls with size": "{name}随规模下降",
    "{name} falls with size and then rises": "{name}随规模先降后升",
    "at {sizes} fewer than {share} % of its outputs held a readable answer, so part of what emerges may be"
    " the format": ("在 {sizes} 处，能读出答案的输出不到 {share} %，所以突现的一部分可能是格式"),
    "{gain} at {size} ({range})": "在 {size} 处为 {gain}（{range}）",
    "at most {gain} up to {size} ({range})": "直到 {size} 至多 {gain}（{range}）",
    "at least {gain} from {size} on (least at {least}; {range})": "从 {size} 起至少 {gain}（最小在 {least}；{range}）",
    "its gain over {other} is measured as {before}, and as {after}": "它相对{other}的增益{before}，{after}",
    "neighbouring sizes cannot be compared": "相邻的规模无法比较",
    "the largest rise measured between neighbouring sizes is {rise}": "相邻规模之间测得的最大上升是 {rise}",
    ", {points} more than {other} over the same step ({range})": "，比{other}在同一步上多 {points}（{range}）",
    ", {points} less than {other} over the same step ({range})": "，比{other}在同一步上少 {points}（{range}）",
    "that of {other} is {rise}": "{other}的最大上升是 {rise}",
    "the intervals allow for {count} steps": "区间已计入 {count} 步",
    "{points} (from {low} to {high}; {range})": "{points}（从 {low} 到 {high}；{range}）",
}

SENTENCES: Mapping[str, str] = MappingProxyType(
    _WORDS
    | _DECISION
    | sentences_advice.SENTENCES
    | sentences_confidence.SENTENCES
    | _SIZE
    | sentences_methods.SENTENCES
    | sentences_scores.SENTENCES
    | sentences_sizes.SENTENCES
    | sentences_warnings.SENTENCES
    | stages.SENTENCES
    | seeds.SENTENCES
    | shifts.SENTENCES
)
"""English template -> Chinese one."""
