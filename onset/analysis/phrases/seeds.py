"""What is said of seeds of pretraining: short lines in both languages, and sentences in Chinese by their English
templates.
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {"of seeds": ("{has} of {of}", "{of} 个中的 {has} 个")}

LINES: dict[str, tuple[str, str]] = {
    "pretraining seeds.emergent in distribution": (
        "{method} is emergent in distribution: {low} seeds have it at {small}, {high} at {large}",
        "{method}在种子的分布上突现：{small} 处 {low}种子有此能力，{large} 处 {high}",
    ),
    "pretraining seeds.rises": (
        "more seeds have it as models grow ({method}): {low} at {small}, {high} at {large}",
        "模型越大，有此能力的种子越多（{method}）：{small} 处 {low}，{large} 处 {high}",
    ),
    "pretraining seeds.falls": (
        "fewer seeds have it as models grow ({method}): {low} at {small}, {high} at {large}",
        "模型越大，有此能力的种子越少（{method}）：{small} 处 {low}，{large} 处 {high}",
    ),
    "pretraining seeds.two clusters": (
        "seeds of one size have it or lack it ({method}): {low} at {small}, {high} at {large}",
        "同一规模的种子或有或无（{method}）：{small} 处 {low}，{large} 处 {high}",
    ),
    "pretraining seeds.open": (
        "no trend of seeds that have it is shown ({method}): {low} at {small}, {high} at {large}",
        "有此能力的种子的份额未见趋势（{method}）：{small} 处 {low}，{large} 处 {high}",
    ),
    "pretraining seeds.one size": (
        "{high} seeds have it at {large} ({method})",
        "{large} 处 {high}种子有此能力（{method}）",
    ),
    "pretraining seeds.refused": (
        "seeds of pretraining cannot be told apart ({method})",
        "无法区分预训练的种子（{method}）",
    ),
}

LABELS: dict[str, tuple[str, str]] = {
    "kind.pretraining seeds": ("Seeds of pretraining", "预训练的种子"),
    "emergent in distribution": ("emergent in distribution", "在分布上突现"),
    "rises": ("rises", "上升"),
    "falls": ("falls", "下降"),
    "two clusters": ("two clusters", "两簇"),
}

SENTENCES: dict[str, str] = {
    "emergent in distribution: what grows with size is the share of seeds that have the ability, and not how good those"
    " are that have it": "在分布上突现：随规模增长的是有此能力的种子的份额，而不是有此能力者的水平",
    "the share of seeds that have the ability rises with size": "有此能力的种子的份额随规模上升",
    "the share of seeds that have the ability falls with size": "有此能力的种子的份额随规模下降",
    "seeds of one size have the ability or lack it, and no trend over size is shown": (
        "同一规模的种子或有或无此能力，未见随规模的趋势"
    ),
    "neither a trend over size nor two clusters of seeds are shown": "既未见随规模的趋势，也未见种子分为两簇",
    "Seeds of pretraining on {task} ({method}, {family}): nothing is said, two models of one size have the same seed"
    " or one has none": (
        "预训练的种子，{task}（{method}；{family}）：不作结论，同一规模的两个模型种子相同，或有一个没有种子"
    ),
    "Seeds of pretraining on {task} ({method}, {given}, {family}): {said}": (
        "预训练的种子，{task}（{method}；{given}；{family}）：{said}"
    ),
    "shown to be above {above}, and so to have it, are {shares}": "可以断定高于 {above}、即有此能力的：{shares}",
    "{has} of {of} at {size} ({range})": "{size} 处 {of} 个中的 {has} 个（{range}）",
    "trend of the share over size, exact test: q = {p}": "份额随规模的趋势，精确检验：q = {p}",
    "two clusters of seeds rather than one at {sizes}, dip test: q = {p}": (
        "{sizes} 处种子是两簇而非一簇，dip 检验：q = {p}"
    ),
    "whether seeds fall into clusters is not asked, which takes {least} seeds of a size (at most {most} here)": (
        "未问种子是否分簇：这需要同一规模有 {least} 个种子（这里至多 {most} 个）"
    ),
    "whether seeds fall into clusters is not asked: at no size are two or more on either side": (
        "未问种子是否分簇：没有一种规模两边各有两个以上的种子"
    ),
    "the mean over seeds rises by {points}, of which {share} is due to the share that has it": (
        "种子的均值上升 {points}，其中 {share} 来自有此能力的份额"
    ),
    "those that have it are right in {first} at {small} and in {last} at {large}": (
        "有此能力者在 {small} 处答对 {first}，在 {large} 处答对 {last}"
    ),
    "accuracies of seeds of one size differ most at {size} (standard deviation {points})": (
        "同一规模各种子的准确率在 {size} 处差别最大（标准差 {points}）"
    ),
    "of {count} of {all} seeds the items do not tell whether they have it: they count as not having it": (
        "{all} 个种子中有 {count} 个凭这些题不能断定是否有此能力：计为没有"
    ),
    "there is one seed alone at {sizes}": "{sizes} 处只有一个种子",
    "Seeds of pretraining: above, each seed's accuracy against the number of parameters, filled where it is shown to"
    " have the ability (its interval lies above chance by the margin); below, the share of seeds that have it, with its"
    " exact 95 % interval.": (
        "预训练的种子：上方是每个种子的准确率与参数数量，可以断定有此能力者（其区间比随机水平高出界限）为实心；"
        "下方是有此能力的种子的份额及其精确 95 % 区间。"
    ),
    "{task}: accuracy of each seed against model size for {methods}, and the share that has the ability: {shares}.": (
        "{task}：{methods}的每个种子的准确率与模型规模，以及有此能力的份额：{shares}。"
    ),
    "{method} {has} of {of} at {size}": "{method}在 {size} 处 {of} 个中的 {has} 个",
    "more than all": "超过全部",
    "has it": "有",
    "lacks it": "没有",
    "not told by its items": "凭题不能断定",
}
SENTENCES |= {
    "Seeds of pretraining": "预训练的种子",
    "Accuracy of each seed": "每个种子的准确率",
    "Share of seeds that have the ability": "有此能力的种子的份额",
    "Seed": "种子",
    "Has it": "有此能力",
    "Share": "份额",
}
"""English template -> Chinese one."""
