"""What estimates call their tests and give as reasons, in Chinese, by the English templates they are made from.

Names of tests and reasons are put together where they are estimated, in English, and JSON keeps them so. `retold` finds
the template that a text was made from, so that the page can say them in its language.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

_TESTS = {
    "{test}; and a t interval from the scatter of {arms} arms about their line: the wider": (
        "{test}；并有由 {arms} 个点绕其直线的离散得出的 t 区间：取较宽者"
    ),
    "an answer of fewer than {fewest} items carries no test": "有答案的题少于 {fewest} 道，不作检验",
    "{test}, items within each answer": "{test}，各答案之内抽题",
    "{test}, items within each group, simultaneous over {groups} groups": (
        "{test}，各组之内抽题，对 {groups} 组同时成立"
    ),
    "simultaneous over {shifts} shifts (Bonferroni)": "对 {shifts} 种变化同时成立（Bonferroni）",
    "bootstrap over items": "题的自助法",
    "exact McNemar; interval: the wider of its own and Tango's score interval": (
        "McNemar 精确检验；区间：其自身的区间与 Tango 得分区间中较宽者"
    ),
    "paired with a constant answer": "与恒定答案配对比较",
    "crossing of the lead in log labels; interval: where that of the lead holds 0": (
        "领先在对数标注数上的过零点；区间：领先的区间包含 0 之处"
    ),
    "FLOPs counted, no prefix reuse": "按 FLOPs 计，不重用前缀",
    "profile likelihood of the ratio of two midpoints": "两个中点之比的剖面似然",
    "mean over draws and items; comparisons adjusted by Holm": "各次抽取与各题的平均；比较按 Holm 校正",
    "against the observed best: verdicts of the comparisons, else Bonferroni over all alternatives": (
        "逐一与观察到的最好者相比：已有比较的取其结论，其余按 Bonferroni 对全部其他选择校正"
    ),
    "bootstrap against the best smooth curve; halfway: profile likelihood": (
        "相对最好的平滑曲线的自助法；半程处：剖面似然"
    ),
    "bootstrap against the best smooth curve; threshold: profile likelihood; paired differences": (
        "相对最好的平滑曲线的自助法；阈值：剖面似然；配对差值"
    ),
    "paired comparisons at each size; place: both fitted curves, profile likelihood": (
        "每种规模上的配对比较；位置：两条拟合曲线，剖面似然"
    ),
    "paired comparisons at each size": "每种规模上的配对比较",
    "its clean accuracy is not shown to be above chance": "没有证据表明其原题准确率高于随机水平",
    "its clean accuracies are beyond the range of the other methods'": "其原题准确率在其他方法的范围之外",
    "the clean accuracies of other methods differ by little more than their noise: too narrow for a line": (
        "其他方法的原题准确率之差几乎不超过噪声：太窄，画不出直线"
    ),
    "1 arm of other methods: a line takes {least}": "其他方法只有 1 个点：直线需要 {least} 个",
    "{count} arms of other methods: a line takes {least}": "其他方法只有 {count} 个点：直线需要 {least} 个",
    "{test}; p adjusted by Holm over all shifts": "{test}；p 按 Holm 对全部变化校正",
    "{test}; p adjusted by Holm": "{test}；p 按 Holm 校正",
    "{test}, each item averaged over its draws": "{test}，每题对各次抽取取平均",
    "{test}, with a t interval over {draws} draws: the wider of the two": (
        "{test}，并有 {draws} 次抽取的 t 区间：取两者中较宽者"
    ),
    "moderated t over draws and items (noise between draws pooled over {comparisons} comparisons: {design}; prior {df}"
    " degrees of freedom), {items}": (
        "抽取与题的缓和 t 检验（抽取之间的噪声由 {comparisons} 个比较合并估计：{design}；先验自由度 {df}），{items}"
    ),
    "moderated t over draws and items (noise between draws pooled over {comparisons} comparisons: {design}; prior {df}"
    " degrees of freedom)": (
        "抽取与题的缓和 t 检验（抽取之间的噪声由 {comparisons} 个比较合并估计：{design}；先验自由度 {df}）"
    ),
    "crossed bootstrap over draws and items": "抽取与题的交叉自助法",
    "t over draws and items": "抽取与题的 t 区间",
    "paired bootstrap over items": "题的配对自助法",
    "crossed bootstrap, {items}": "交叉自助法，{items}",
    "bootstrap, {items}": "自助法，{items}",
    "two test sets, not paired": "两个测试集，不配对",
    "paired on clean twins": "按原题配对",
    "paired on items": "按题配对",
    "normal, from both standard errors, not paired": "由两个标准误得出的正态检验，不配对",
    "none: a standard error is not known": "无：有一个标准误未知",
    "none: a single item": "无：只有一道题",
    "none: nothing to pair": "无：没有可配对的",
}

_DESIGNS = {
    "{design}, {draws} draws": "{design}，{draws} 次抽取",
    "{design}, paired items": "{design}，题配对",
    "{design}, two test sets": "{design}，两个测试集",
    "prompted against prompted": "提示对提示",
    "tuned against prompted": "微调对提示",
    "tuned against tuned": "微调对微调",
    "other tasks after tuning": "微调之后的其他任务",
    "other tasks after a stage": "阶段之后的其他任务",
    "a text after tuning": "微调之后的文本",
    "a text after a stage": "阶段之后的文本",
    "gains of two stages, prompted": "两个阶段的增益，提示",
    "stages, tuned": "阶段，微调",
    "stages, prompted": "阶段，提示",
    "loss of a tuned method": "微调方法的损失",
    "arms beside a line": "各点与直线之差",
    "methods beside a line": "各方法与直线之差",
    "slopes over size of a drop": "降幅随规模的斜率",
    "slopes over size of a lead": "领先随规模的斜率",
    "one sample of two stages": "两个阶段的单个样本",
    "any of the samples of two stages": "两个阶段的任一样本",
    "growth with samples, of two stages": "两个阶段随样本数的增长",
    "majorities of samples, tuned": "样本多数（微调）",
    "majorities of samples, prompted": "样本多数（提示）",
    "calculators": "计算器",
    "loss of a prompted method": "提示方法的损失",
    "losses, {design}": "损失，{design}",
    "draws that lack items have no variance to pool": "缺题的抽取没有可合并的方差",
    "{count} comparison of this design ({design}), {independent} independent: too few to pool noise between draws over,"
    " {least} are needed": (
        "这种设计（{design}）的比较只有 {count} 个，"
        "其中 {independent} 个独立：太少，不足以合并抽取之间的噪声，需要 {least} 个"
    ),
    "{count} comparisons of this design ({design}), {independent} independent: too few to pool noise between draws"
    " over, {least} are needed": (
        "这种设计（{design}）的比较有 {count} 个，"
        "其中 {independent} 个独立：太少，不足以合并抽取之间的噪声，需要 {least} 个"
    ),
}

_REASONS = {
    "first: {why}": "第一个：{why}",
    "they share no draw": "没有共同的抽取",
    "only {side} has seed {seeds}": "只有 {side} 有种子 {seeds}",
    "only {side} has seeds {seeds}": "只有 {side} 有种子 {seeds}",
    "seed {draw}: task hash {a} against {b}, refused": "种子 {draw}：任务散列 {a} 对 {b}，拒绝比较",
    "seed {draw}: example plan {a} against {b}, refused": "种子 {draw}：样例计划 {a} 对 {b}，拒绝比较",
    "no change is shown, and one of {points} points is not excluded": ("未见变化，也不能排除 {points} 个百分点的变化"),
    "changes by {change} points, less than the margin of {margin} points": (
        "变化 {change} 个百分点，小于 {margin} 个百分点的界限"
    ),
    "rises faster than a smooth curve, but {why}": "上升得比平滑曲线快，但{why}",
    "from above chance": "起点已高于随机水平",
    "fewer than {count} sizes before the rise": "上升之前的规模不足 {count} 种",
    "the sizes before the rise are not shown to be at chance": "不能断定上升之前的规模处于随机水平",
    "the sizes before the rise are below chance": "上升之前的规模低于随机水平",
    "from where is open: the source states no chance level": "起点未定：来源没有给出随机水平",
    "no size is shown to be above chance": "没有规模可以断定高于随机水平",
    "is not shown to end {points} points above chance": "不能断定最终比随机水平高 {points} 个百分点",
    "smooth growth is the likelier of the two: {why}": "平滑增长是两者中更可能的：{why}",
    "grows, but neither smooth growth nor a jump is shown: {why}": "有增长，但平滑增长与跃升都不能断定：{why}",
    "a jump has probability {p}, yet the test does not reject smooth growth (q = {q})": (
        "跃升的概率为 {p}，但检验没有拒绝平滑增长（q = {q}）"
    ),
    "a jump has probability {p}": "跃升的概率为 {p}",
    "{why}: before the rise a smooth curve expects {count} right answers above chance, too few to be seen with these"
    " items": "{why}：上升之前，平滑曲线预期高出随机水平的答对数只有 {count}，用这些题看不出来",
}

_METRIC = {
    "{curve}: the jump is no matter of the metric: {scores} of the same outputs breaks as well.": (
        "跃升与指标无关：同样输出的{scores}也有突变。"
    ),
    "{curve}: the jump is no matter of the metric: {scores} of the same outputs break as well.": (
        "跃升与指标无关：同样输出的{scores}也有突变。"
    ),
    "{curve}: {metric} jumps, but {scores} of the same outputs grows smoothly: the jump is one of the metric.": (
        "{metric}跃升，而同样输出的{scores}平滑增长：跃升出自指标。"
    ),
    "{curve}: {metric} jumps, but {scores} of the same outputs grow smoothly: the jump is one of the metric.": (
        "{metric}跃升，而同样输出的{scores}平滑增长：跃升出自指标。"
    ),
}

_SCORES = {
    "accuracy": "准确率",
    "{a}, {b}": "{a}、{b}",
    "{a} and {b}": "{a}和{b}",
    "gold_logprob": "标准答案的对数概率",
    "gold_prob": "标准答案在选项中的概率",
    "token F1": "词级 F1",
    "pass rate": "采样中答对的比例",
    "edit similarity": "编辑相似度",
    "1 - Brier": "1 − Brier 得分",
}

_SOURCES = {
    "generated: {label}, seed {seed}": "生成：{label}，种子 {seed}",
}

TOLD: Mapping[str, str] = MappingProxyType(_TESTS | _DESIGNS | _REASONS | _SOURCES)
"""English template -> Chinese one: tests, reasons, where data are from. The first that fits is taken: one that another
would swallow stands before it."""
CHECKED: Mapping[str, str] = MappingProxyType(_METRIC)
"""The same of the check whether a jump is one of the metric, which follows a sentence that names the curve."""
SCORES: Mapping[str, str] = MappingProxyType(_SCORES)
"""Names of metrics in it, and of several: ``{a} and {b}`` would take other texts apart."""


def retold(text: str, table: Mapping[str, str], places: Mapping[str, str] | None = None) -> str | None:
    """``text`` by the template of ``table`` that it was made from, what fills its places by those of ``places``
    (default: ``table``); None: by none.
    """
    if text in table:
        return table[text]
    within = table if places is None else places
    for template, said in table.items():
        found = _pattern(template).fullmatch(text) if "{" in template else None
        if found:
            return said.format(**{name: retold(part, within) or part for name, part in found.groupdict().items()})
    return None


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", template)
    held = [
        (f"(?P<{part}>{_NUMBER if part in _COUNTS else '.+?'})" if place % 2 else re.escape(part))
        for place, part in enumerate(parts)
    ]
    return re.compile("".join(held))


_COUNTS = ("draws", "comparisons", "independent", "least", "seed", "count")
_NUMBER = r"[\d.]+"
