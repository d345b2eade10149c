"""Scores that are not right or wrong in Chinese, by the English templates."""

from __future__ import annotations

SENTENCES = {
    "{value}, {range}": "{value}，{range}",
    "no items, only what is stated": "没有逐题结果，只有所报的数值",
    "no standard error": "没有标准误",
    "{metric} of {model} on {task} is {level}": "{task}：{model} 的 {metric} 为 {level}",
    "on {task}, {model} has the best {metric}, where higher is better ({level}): {standing}": (
        "{task}：{model} 的 {metric} 最好（越高越好；{level}）：{standing}"
    ),
    "on {task}, {model} has the best {metric}, where lower is better ({level}): {standing}": (
        "{task}：{model} 的 {metric} 最好（越低越好；{level}）：{standing}"
    ),
    "by {gap}, no interval": "相差 {gap}，没有区间",
    "{metric} on {task}, {way}": "{task}（{way}）的 {metric}",
    "{where}: {a} and {b} share no items": "{where}：{a} 与 {b} 没有共同的题",
    "{a} wins against {b}": "{a} 胜过 {b}",
    "{a} loses against {b}": "{a} 不如 {b}",
    "no interval": "没有区间",
    "{where} (higher is better): {a} minus {b} is {difference} ({parts}; {test}): {verdict}": (
        "{where}（越高越好）：{a} 减 {b} 为 {difference}（{parts}；{test}）：{verdict}"
    ),
    "{where} (lower is better): {a} minus {b} is {difference} ({parts}; {test}): {verdict}": (
        "{where}（越低越好）：{a} 减 {b} 为 {difference}（{parts}；{test}）：{verdict}"
    ),
    "{task}, {model} {given}": "{task}（{model}，{given}）",
    "{where}: by token F1, how much of a right answer each answer is, {count} of {whole} comparisons of methods have"
    " another verdict than by exact match": (
        "{where}：词级 F1 衡量每个答案与正确答案的重合程度；在 {whole} 项方法比较中，有 {count} 项的结论与完全匹配不同"
    ),
    "token F1 is {high} for {a} and {low} for {b}: {difference} ({range}, p {p}; {verdict}; {sample}); by exact match"
    " the difference is {strict} ({other})": (
        "{a} 的词级 F1 为 {high}，{b} 为 {low}：{difference}（{range}，p {p}；{verdict}；{sample}）；"
        "按完全匹配，差异为 {strict}（{other}）"
    ),
    "the first is better": "前者更好",
    "the second is better": "后者更好",
    "by {gap}, {range}": "相差 {gap}，{range}",
}
