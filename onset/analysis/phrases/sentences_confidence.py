"""Confidence, abstention, and passages against memory in Chinese, by the English templates."""

from __future__ import annotations

SENTENCES = {
    "confidence on {task}, {model} {given}: {method} is {sure} sure of its answers on average, by {kind}, and right"
    " in {right} of them, a difference of {points} ({range}; {sample})": (
        "{task}的置信度（{model}，{given}）：{method}对其答案的平均置信度为 {sure}（{kind}），答对其中 {right}，"
        "相差 {points}（{range}；{sample}）"
    ),
    "of fewer than {fewest} answered items no calibration error is told": "有答案的题不足 {fewest} 道，不报告校准误差",
    "its calibration error (ECE, at most {bins} bins of equal mass) is {value} ({range}); a calibrated model"
    " would show {chance} uncorrected, it shows {plain} (p {p})": (
        "其校准误差（ECE，至多 {bins} 个等量分箱）为 {value}（{range}）；校准良好的模型未经修正会显示 {chance}，"
        "实际为 {plain}（p {p}）"
    ),
    "of the surest half of all questions {half} are right ({range}), of all {whole}": (
        "最有把握的一半题中答对 {half}（{range}），全部题中答对 {whole}"
    ),
    "{count} of {all} outcomes have no answer and are withheld first": (
        "{all} 个结果中有 {count} 个没有答案，最先被舍弃"
    ),
    "withholding unsure answers on {task}, {model} {given}: the share that is wrong, averaged over all coverages"
    " (AURC), is {first} with {a} and {second} with {b}, {points} less ({range}, p {p}; {verdict}; {sample})": (
        "在{task}上舍弃不确定的答案（{model}，{given}）：错误比例对所有覆盖率的平均（AURC），{a}为 {first}，{b}为 "
        "{second}，"
        "低 {points}（{range}，p {p}；{verdict}；{sample}）"
    ),
    "of the surest half {first} and {second} are right, of all {whole} and {other}": (
        "最有把握的一半中分别答对 {first} 和 {second}，全部中答对 {whole} 和 {other}"
    ),
    "where a passage contradicts what is true outside of it, on {task}, {model} ({method}, {given}) answers by"
    " the passage in {passage} ({first}), by memory in {memory} ({second}) and neither in {neither}: {points} apart"
    " ({range}; {verdict}; {sample})": (
        "在段落与事实矛盾的{task}上，{model}（{method}，{given}）按段落作答 {passage}（{first}），按记忆作答 {memory}"
        "（{second}），两者皆非 {neither}：相差 {points}（{range}；{verdict}；{sample}）"
    ),
    "of {known} answers that it knows without a passage ({closed}) it keeps {kept} ({range})": (
        "在没有段落时答对的 {known} 个答案（{closed}）中，保留 {kept}（{range}）"
    ),
    "of {count} ways of asking it is furthest on the passage's side, and that interval holds for each of them": (
        "在 {count} 种提问方式中它最偏向段落，上述区间对每一种都成立"
    ),
    "of {count} sizes the smallest, {model}, follows the passage in {passage} and memory in {memory}": (
        "{count} 种规模中最小的 {model} 按段落作答 {passage}，按记忆作答 {memory}"
    ),
    "the passage is believed": "相信段落",
    "{share} at {size}": "{size} 处 {share}",
    "knowledge on {task}, {method} {given}, family {family}: {points} for a tenfold size ({range}); a line in the"
    " logarithm of size is {fits} (p {p}); measured are {levels}": (
        "{task}的知识（{method}，{given}，家族 {family}）：规模增至十倍时 {points}（{range}）；与规模对数的直线{fits}"
        "（p {p}）；测得 {levels}"
    ),
    "refused": "不相符",
    "not refused": "不能否定",
    "new facts in weights against the same in context, {model}": "新事实在权重中与在上下文中（{model}）",
    "{where}: {said}": "{where}：{said}",
    "{probe}: {weights} with {a}, {context} with {b}, {points} ({range}, p {p}; {verdict}; {sample})": (
        "{probe}：{a} {weights}，{b} {context}，{points}（{range}，p {p}；{verdict}；{sample}）"
    ),
    "asked directly": "直接提问",
    "asked in reverse": "反向提问",
    "asked by syllogism": "三段论提问",
    "weights are better": "权重更好",
    "context is better": "上下文更好",
    "memory is believed": "相信记忆",
    "the probability of the answer among the choices": "答案在选项中的概率",
    "the probability that the model calls it true": "模型判断其为真的概率",
    "the share of samples that agree": "一致的采样比例",
    "the probability of the text that states it": "写出答案的文本的概率",
    "what each of them has for it": "各自所有的依据",
    "of {count} ways of asking, the most accurate is picked on one half of the items and measured on the other,"
    " both ways round": "在 {count} 种问法中，用一半的题选出最准确的，在另一半上测量，两半互换",
}
