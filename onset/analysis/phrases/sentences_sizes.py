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
    "where the fitted curves meet, these outcomes do not say": "拟合的曲线在哪里相交，这些结果说不出来",
    "the interval of the largest ratio allows for {count} pairs of tasks": "最大之比的区间按 {count} 对任务修正",
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

_TASKS = {
    "{outcomes} at {sizes}": "{outcomes}，{sizes}",
    "no growth shown": "未见增长",
    "no rising curve fits": "没有上升的曲线符合数据",
    "halfway at no size measured": "在测过的规模上都没有走完一半",
    "Size by task on {task} ({method}, {given}, {family}): {said}": (
        "任务与规模，{task}（{method}；{given}；{family}）：{said}"
    ),
    "{task} at about {size} ({range}; from {floor} to {ceiling})": (
        "“{task}”在约 {size} 处（{range}；从 {floor} 到 {ceiling}）"
    ),
    "; then ": "；然后是",
    "accuracy is halfway between its floor and its ceiling for {places}": "准确率走完从下限到上限的一半：{places}",
    "step by step, {ratios} (intervals that allow for {count} steps)": "逐级看，{ratios}（区间已计入 {count} 级）",
    "{task} is left out ({why})": "“{task}”未计入（{why}）",
    "{second} needs {ratio} times the parameters of {first} ({range})": (
        "“{second}”需要的参数是“{first}”的 {ratio} 倍（{range}）"
    ),
    "undecided whether {second} needs more than {first} ({ratio} times; {range})": (
        "“{second}”是否比“{first}”需要更多参数，尚不能断定（{ratio} 倍；{range}）"
    ),
}

_TRAINING = {
    "{differences} is shown too": "另可断定 {differences}",
    "{differences} are shown too": "另可断定 {differences}",
    "no difference beyond the margin in {count} further settings": "另有 {count} 种设置差别不超出界限",
    "no difference beyond the margin: {settings}": "差别不超出界限的：{settings}",
    "undecided in {count} further settings": "另有 {count} 种设置未定",
    "undecided: {settings}": "未定的：{settings}",
    "Ingredients on {task}, {given}, {family}, against the base model of the same size{other}: {said}": (
        "训练成分，{task}（{given}；{family}），与同样规模的基础模型相比{other}：{said}"
    ),
    " unless another is named": "（另有注明者除外）",
    "besides, {said}": "此外，{said}",
    "{sentence} ({sample}; one training run a stage)": "{sentence}（{sample}；每个阶段只训练一次）",
    "Size by ingredient on {task} ({method}, {given}, {family}): {said} ({sample}; one training run a point)": (
        "训练成分与规模，{task}（{method}；{given}；{family}）：{said}（{sample}；每点只训练一次）"
    ),
    "the base model": "基础模型",
    "the model {stage}": "“{stage}”的模型",
    "undecided where {stage} is halfway: no rising curve fits ({reference} is at {before})": (
        "{stage}在何处走完一半，尚不能断定：没有上升的曲线符合数据（{reference}在 {before} 处）"
    ),
    "{reference} is halfway between its floor and its ceiling at {before}, {stage} at no size measured{why}": (
        "{reference}在 {before} 处走完从下限到上限的一半，{stage}在测过的规模上都没有{why}"
    ),
    "undecided whether {stage} needs more: {ratio} times the parameters of {reference} to be halfway between its floor"
    " and its ceiling ({after} against {before}; {range})": (
        "{stage}是否需要更多参数，尚不能断定：走完从下限到上限的一半所需的参数是{reference}的 {ratio} 倍"
        "（{after} 对 {before}；{range}）"
    ),
    "{stage} needs {ratio} times the parameters of {reference} to be halfway between its floor and its ceiling"
    " ({after} against {before}; {range})": (
        "{stage}走完从下限到上限的一半所需的参数是{reference}的 {ratio} 倍（{after} 对 {before}；{range}）"
    ),
    "the model {stage} gains {points} at {size} with {method} ({range}; {before} to {after}{reference})": (
        "“{stage}”的模型在 {size} 处用{method}时高 {points}（{range}；从 {before} 到 {after}{reference}）"
    ),
    "the model {stage} loses {points} at {size} with {method} ({range}; {before} to {after}{reference})": (
        "“{stage}”的模型在 {size} 处用{method}时低 {points}（{range}；从 {before} 到 {after}{reference}）"
    ),
    "; against the model {stage}": "；与“{stage}”的模型相比",
    "{stage} at {size} with {method} ({points}{reference})": "“{stage}”在 {size} 处用{method}（{points}{reference}）",
    " ({why})": "（{why}）",
    ": {why}": "：{why}",
}

_CURVES = {
    "shift {shift}": "“{shift}”变化",
    "{method} on {task}{told}, {family}": "{method}，{task}{told}，{family}",
    "{where}: {sizes}, no curve, which takes {least}": "{where}：{sizes}，没有曲线，画曲线需要 {least} 种",
    "not resolved{why}": "未能断定{why}",
    ": no test decides": "：没有检验可以断定",
    "accuracy emerges, staying at chance and then growing faster than any smooth curve": (
        "准确率突现：先停在随机水平，然后比任何平滑曲线都增长得快"
    ),
    "accuracy grows smoothly with size": "准确率随规模平滑增长",
    "accuracy does not change with size beyond the margin": "准确率随规模的变化不超出界限",
    "accuracy falls with size": "准确率随规模下降",
    "accuracy falls with size and then rises": "准确率随规模先降后升",
    " (q = {p})": "（q = {p}）",
    "Size: {said}": "规模：{said}",
    "{method} on {task}, {measured}": "{method}，{task}，{measured}",
    "Size: {sizes} sizes: no curve, which takes {least} ({listed}{more})": (
        "规模：只有 {sizes} 种规模，没有曲线，画曲线需要 {least} 种（{listed}{more}）"
    ),
    "; and {count} more tasks": "；另有 {count} 个任务",
}

SENTENCES: dict[str, str] = _CROSSOVER | _VOTING | _TASKS | _TRAINING | _CURVES
"""English template -> Chinese one."""
