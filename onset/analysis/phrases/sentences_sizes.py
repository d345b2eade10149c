"""The sentences of what changes with size in Chinese, by their English templates; emergence has its own."""

from __future__ import annotations

_CROSSOVER = {
    "Crossover on {task}, {given}, {family}: {said}": "交叉，{task}（{given}；{family}）：{said}",
    "a win of {name} over {other} is shown only at the largest size, {high}, not at {low}{but}": (
        "只在最大的规模 {high} 处可以断定{name}胜过{other}，在 {low} 处不能{but}"
    ),
    "a win of {name} over {other} is shown at every size measured from {high} on, not at {low}{but}": (
        "从 {high} 起，在测过的每种规模上都可以断定{name}胜过{other}，在 {low} 处不能{but}"
    ),
    "taken size by size, {said}": "逐个规模看，{said}",
    "below {size}, it {said}": "在 {size} 以下，它{said}",
    "a win of {name} over {other} is shown at every size measured, from {first} on; a crossover, if there is one, lies"
    " below": ("从 {first} 起，在测过的每种规模上都可以断定{name}胜过{other}；若有交叉，则在更小的规模上"),
    "it {said}": "它{said}",
    "{name} does not beat {other} at any size up to {last}: it {said}": (
        "直到 {last}，{name}在任何规模上都不胜过{other}：它{said}"
    ),
    "from which size on {name} beats {other} is not shown: it {said}": (
        "{name}从哪种规模起胜过{other}，尚不能断定：它{said}"
    ),
    "{why}where the two meet is not said": "{why}两条曲线在何处相交，不作结论",
    "the fitted curves do not meet within the sizes": "拟合的曲线在测过的规模之内不相交",
    "by the fitted curves {name} overtakes {other} at about {at} ({range})": (
        "按拟合的曲线，{name}在约 {at} 处超过{other}（{range}）"
    ),
    ": the lead that the curves have at {sizes} is too small to be shown there by itself": (
        "：曲线在 {sizes} 处的领先太小，单凭该处的数据不能断定"
    ),
    "{does}, but not after correcting for {count} sizes": "{does}，但按 {count} 种规模校正后不再成立",
    "is worse than {other} at {sizes}": "在 {sizes} 处不如{other}",
    "makes no difference beyond the margin at {sizes}": "在 {sizes} 处差别不超出界限",
    "is undecided at {sizes}": "在 {sizes} 处未定",
    "wins at {sizes}": "在 {sizes} 处胜出",
    "{size} ({points}, {range})": "{size}（{points}，{range}）",
    "{sizes} ({low} to {high}; 95 % intervals within {least} to {most})": (
        "{sizes}（{low} 至 {high}；95 % 区间都在 {least} 至 {most} 之内）"
    ),
}

_VOTING = {
    "Voting on {task}, {given}, {family}: a gain of {vote} over {other} is shown at {sizes}": (
        "投票，{task}（{given}；{family}）：在 {sizes} 处可以断定{vote}比{other}有增益"
    ),
    "Voting on {task}, {given}, {family}: a gain of {vote} over {other} is shown at no size": (
        "投票，{task}（{given}；{family}）：在任何规模上都不能断定{vote}比{other}有增益"
    ),
    "the largest is measured at {size}, {points} ({range}; {verdict})": (
        "最大的增益在 {size} 处测得，为 {points}（{range}；{verdict}）"
    ),
    "at the smallest size, {size}, it is {points} ({range}; {verdict})": (
        "在最小的规模 {size} 处为 {points}（{range}；{verdict}）"
    ),
    "at the largest size, {size}, it is {points} ({range}; {verdict})": (
        "在最大的规模 {size} 处为 {points}（{range}；{verdict}）"
    ),
    "not settled after correcting for {count} sizes": "按 {count} 种规模校正后未定",
    "a gain": "有增益",
    "a loss": "有损失",
    "equivalent within the margin": "在界限之内等价",
    "undecided": "未定",
}

SENTENCES: dict[str, str] = _CROSSOVER | _VOTING
"""English template -> Chinese one."""
