"""The page's own words in Chinese, by the English words of the template.

What is said of results is in `onset.analysis.phrases`; here are headings, buttons, labels and help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from onset.analysis.phrases import Language
from onset.analysis.phrases.costs import COSTS
from onset.analysis.phrases.figures import FIGURES
from onset.analysis.phrases.knowledge import KNOWLEDGE
from onset.analysis.phrases.robustness import ROBUSTNESS

Say = Callable[[str], str]
"""Words of the page in English -> in the page's language."""


def words_in(language: Language) -> Say:
    """What says the page's words in a language; English and names stay as they are."""
    return (lambda text: text) if language == "en" else (lambda text: CHINESE.get(text, text))


_FIRST_SCREEN = {
    "Onset report": "Onset 报告",
    "Skip to the findings": "跳到结论",
    "Sections": "章节",
    "Findings": "结论",
    "Figures": "图",
    "Figure": "图",
    "Comparisons": "比较",
    "Cells": "单元",
    "Items": "题目",
    "Facts": "研究信息",
    "What was read": "读取的内容",
    "Models, two by two": "模型两两比较",
    "Two models on the same items of a task, asked in the same way, item by item. The verdict is said of the model,"
    " against the other; p is corrected for all pairs of models on the task.": (
        "两个模型以同样的问法回答同一任务的同样题目，逐题比较。判断说的是前一个模型；p 按该任务上所有模型对作了校正。"
    ),
    "all tasks": "所有任务",
    "Score": "指标",
    "Version": "版本",
    "File": "文件",
    "A cell is one model, asked in one way, on one task, in one run over its items.": (
        "一个单元是一个模型用一种问法在一个任务上对其题目的一次作答。"
    ),
    "What stands behind it": "依据",
    "Which ones?": "哪些？",
    "All of this figure, and how to read it": "完整的图与读法",
    "Appears: where its curve stands {points} points above chance (dotted; shaded: 95 % interval).": (
        "“出现”：曲线比随机水平高出 {points} 个百分点之处（虚线；阴影：95 % 区间）。"
    ),
    "More findings": "更多结论",
    "Press a line for what stands behind it.": "点击一行可看依据。",
    "To run them: `onset run STUDY` again, with the same `--out`; finished cells are kept.": (
        "要补上它们：再运行 `onset run STUDY`，`--out` 不变；已完成的单元会保留。"
    ),
    "How it was tested": "检验方法",
    "Small pictures: the dot is the estimate and the bar its 95 % interval.": "小图：点是估计值，横条是 95 % 区间。",
    "Of a difference, right of the upright line at 0 what the line names first does better (under a shift: better than"
    " on the items as given). Ratios are on a log scale; a place on the size axis has a tick for each size measured.": (
        "差值：在竖线（0）右边，表示该行先说的一方更好（分布变化时：比原样的题更好）。"
        "倍数用对数刻度；规模轴上每个测过的规模有一条刻度。"
    ),
    "How to read the verdicts": "如何读这些判断",
    "Which way of using the same labelled examples works best, and does that change with the size of the model?": (
        "同样的标注样例怎样用最好？这是否随模型规模而变？"
    ),
    "Which way of using the same labelled examples works best?": "同样的标注样例怎样用最好？",
    "How does accuracy change with the size of the model?": "准确率怎样随模型规模变化？",
    "How accurate is the model?": "模型的准确率有多高？",
    "No cell of this study has been run yet.": "这项研究还没有运行任何单元。",
    "{methods} on {models}, for {tasks}.": "模型：{models}；{methods}；{tasks}。",
    "Every method was given the same labelled examples ({many} of them) and was asked the same test items.": (
        "各方法使用同样的标注样例（{many} 个），回答同样的测试题。"
    ),
    "Every method was given the same labelled examples ({many} of them, drawn {seeds} times) and was asked the same"
    " test items.": "各方法使用同样的标注样例（{many} 个，抽取 {seeds} 次），回答同样的测试题。",
    "{done} of {all}": "{all} 个中的 {done} 个",
    "model, {span}": "个模型，{span}",
    "models, {span}": "个模型，{span}",
    " to ": " 至 ",
    "{sizes} parameters": "{sizes} 参数",
    "unknown size": "规模未知",
    "method": "种方法",
    "methods": "种方法",
    "task": "个任务",
    "tasks": "个任务",
    "labelled examples": "个标注样例",
    "draw of examples (seeds)": "次抽取样例（种子）",
    "draws of examples (seeds)": "次抽取样例（种子）",
    "test items a cell": "道测试题（每单元）",
    "cells finished": "个单元已完成",
}

_FIGURES = {
    "Accuracy by model": "各模型的准确率",
    "Accuracy and model size": "准确率与模型规模",
    "Gain and model size": "增益与模型规模",
    "Tasks by the size they need": "各任务所需的规模",
    "What each ingredient changes": "各训练成分的作用",
    "What a stage adds to the gain": "阶段给增益增添了什么",
    "What samples reach after a stage": "阶段之后采样能答对什么",
    "Gain of either": "两者的增益",
    "What training forgets elsewhere": "训练在别处遗忘了什么",
    "Change elsewhere": "别处的变化",
    "Change elsewhere (bits a byte)": "别处的变化（比特/字节）",
    "Change elsewhere (percentage points)": "别处的变化（百分点）",
    "Gain on its own task": "在自己任务上的增益",
    "Gain on its own task (percentage points)": "在自己任务上的增益（百分点）",
    "Added to the gain (percentage points)": "给增益增添的（百分点）",
    "Accuracy and labelled examples": "准确率与标注样例数",
    "Accuracy and cost": "准确率与成本",
    "Answers and their steps": "答案与步骤",
    "Accuracy and number of samples": "准确率与采样次数",
    "Accuracy and thinking": "准确率与思考",
    "Confidence": "置信度",
    "Accuracy under a shift": "分布变化下的准确率",
    "Shifted and clean accuracy": "变化后与原题上的准确率",
    "Drop and model size": "降幅与模型规模",
    "Drop by shift and method": "各种变化与方法的降幅",
    "Accuracy by right answer": "按正确答案的准确率",
    "Accuracy on clean items": "原题上的准确率",
    "Accuracy on shifted items": "变化后的准确率",
    "Drop (percentage points)": "降幅（百分点）",
    "Which labels are taken for which": "哪些标签被误认",
    "Gain (percentage points)": "增益（百分点）",
    "Difference from the reference": "与参照之差",
    "Difference (percentage points)": "差值（百分点）",
    "FLOPs a query": "每次提问的 FLOPs",
    "Methods: press one to see it alone": "方法：点击一种可单独查看",
    "Solid: prompted. Dashed: tuned. Press a method to see it alone; point at a mark for its numbers.": (
        "实线：提示。虚线：微调。点击一种方法可单独查看；指向一点可看数字。"
    ),
    "Queries a tuned model serves": "微调后的模型服务的提问次数",
    "Save": "保存",
    "Nothing was measured for this choice.": "没有测过这种组合。",
    "How to read it": "读法",
    "Curves over size, in words": "随规模变化的曲线（文字）",
}

_TABLES = {
    "Two methods on the same model, labelled examples and test items, item by item. The verdict is said of the method,"
    " against the other.": "同一模型、同样的标注样例和测试题上逐题比较两种方法。判断说的是该方法相对于对照。",
    "Bars run from −{reach} to +{reach} points; one that reaches the edge goes further.": (
        "横条的范围是 −{reach} 到 +{reach} 个百分点；到边缘的还要更远。"
    ),
    "found a difference": "个有差别",
    "found the two equivalent": "个相当",
    "Find": "查找",
    "a method, model, task …": "方法、模型、任务……",
    "Verdict": "判断",
    "wins": "胜",
    "loses": "负",
    "equivalent": "相当",
    "undecided": "未定",
    "Method": "方法",
    "Against": "对照",
    "Difference (points), 95 % interval": "差值（百分点），95 % 区间",
    "Accuracy": "准确率",
    "Against it": "对照的准确率",
    "Model": "模型",
    "Task": "任务",
    "Labels": "标注数",
    "Labelled examples": "标注样例",
    "Shift": "分布变化",
    "Test items": "测试题",
    "Stage": "阶段",
    "Draws": "抽取次数",
    "Items needed": "所需题数",
    "Draws needed": "所需抽取次数",
    "Test": "检验",
    "differ": "不同之处",
    "A cell is one model, one method, one budget of labelled examples, one task and one draw of examples.": (
        "一个单元是一个模型、一种方法、一种标注样例数、一个任务和一次抽取的组合。"
    ),
    "Accuracy, 95 % interval": "准确率，95 % 区间",
    "Seed": "种子",
    "Parse rate": "可读率",
    "Token F1": "词级 F1",
    "Macro-F1, 95 % interval": "宏 F1，95 % 区间",
    "Correct": "答对",
    "Cut off": "被截断",
    "Too long": "过长",
    "Parameters": "参数量",
    "Tokens": "词元",
    "Seconds": "秒",
    "show": "查看",
    "Other scores": "其他得分",
    "Metrics that are not right or wrong, each in its own unit and by itself: they are never mixed with accuracies or"
    " with each other.": "不分对错的指标，各用自己的单位单独列出：不与准确率混合，也不互相混合。",
    "Score": "得分",
    "Value, 95 % interval": "数值，95 % 区间",
    "Better is": "更好为",
    "higher": "更高",
    "lower": "更低",
    "Known of it": "所知",
    "every item": "逐题",
    "no items, no standard error": "没有逐题结果，没有标准误",
    "no items, only the standard error": "没有逐题结果，只有标准误",
    "no interval": "没有区间",
    "Two by two": "两两比较",
    "Scores that are known item by item are paired on the items that both have; of others the standard errors are taken"
    " as if of different items. p is corrected for all pairs of the metric on the task.": (
        "有逐题结果的得分按双方都有的题配对；其余的按各自的标准误计算，当作不同的题。"
        "p 已按该任务上该指标的全部配对校正。"
    ),
    "Of": "哪一个",
    "Value": "数值",
    "Value against it": "对照的数值",
    "Difference, 95 % interval": "差值，95 % 区间",
    "Where": "在何处",
    "{scores} of {models}, for {tasks}.": "模型：{models}；得分：{scores}；{tasks}。",
    "model": "个模型",
    "models": "个模型",
}

_ITEMS = {
    "Every prompt, output and extracted answer behind the numbers.": "数字背后的每个提示、输出和读出的答案。",
    "All {count} items are in this page.": "本页含全部 {count} 道题。",
    "all": "全部",
    "Outcome": "结果",
    "correct": "答对",
    "wrong answer": "答错",
    "no answer found": "读不出答案",
    "prompt too long": "提示过长",
    "failed": "失败",
    "the method raised an error": "方法出错",
    "right in one cell, wrong in another": "有的单元对，有的错",
    "Order": "顺序",
    "by cell": "按单元",
    "same question together": "同一题放在一起",
    "Text": "文字",
    "in question, output or answer": "在题目、输出或答案中",
    "The items are unpacked when you get here.": "到这里时才解开题目。",
    "Previous": "上一页",
    "Next": "下一页",
}

_FACTS = {
    "Facts of the study": "研究信息",
    "How to read the numbers": "如何读这些数字",
    "Accuracy and its interval": "准确率及其区间",
    "The share of test items answered correctly, with its 95 % interval: what other test items of the same kind could"
    " have given (Wilson’s, for one draw of examples), or other items and other draws of examples (for several). An"
    " output without a readable answer counts as wrong.": (
        "答对的测试题的比例，附 95 % 区间：换一批同类测试题可能得到的结果（一次抽取，Wilson 区间），"
        "或换一批题与示例可能得到的结果（多次抽取）。"
        "读不出答案的输出算答错。"
    ),
    "The share of items an answer could be read from. Where it is low, a low accuracy may be about the format of the"
    " answer rather than the ability.": (
        "能读出答案的题的比例。它低的地方，准确率低可能是答案格式的问题，而不是能力的问题。"
    ),
    "Chance": "随机水平",
    "The accuracy of a blind guess. An interval that holds it shows no ability.": (
        "盲猜的准确率。区间包含它，就没有显示出能力。"
    ),
    "Always the most frequent label": "总答最常见的标签",
    "The accuracy of one answer to every test item: what a method that tells nothing apart can reach where labels are"
    " not equally frequent.": "对每道题都给同一答案的准确率：标签频率不均时，什么都分不出的方法也能达到的水平。",
    "The mean of the labels’ F1, each label counting the same however rare it is; a label that is never answered has F1"
    " 0, and answers that are no label or were not found count as wrong.": (
        "各标签 F1 的平均，不论多罕见，每个标签权重相同；从未答出的标签 F1 为 0，不是标签或读不出的答案算错。"
    ),
    "The method is more accurate than the one it is against: p, corrected for the number of comparisons, is at most"
    " 0.05.": "该方法比对照更准：按比较次数校正后的 p 不超过 0.05。",
    "The method is less accurate than the one it is against: p, corrected for the number of comparisons, is at most"
    " 0.05.": "该方法不如对照准：按比较次数校正后的 p 不超过 0.05。",
    "The difference is shown to be smaller than the margin in both directions (two one-sided tests).": (
        "可以断定两个方向的差值都小于界限（两个单侧检验）。"
    ),
    "Neither a difference nor equivalence is shown. Where more test items or draws could decide, the table says how"
    " many. An interval that leaves out zero can still be undecided after the correction.": (
        "既不能断定有差别，也不能断定相当。若更多的题或抽取可以断定，表中给出需要多少。不含零的区间在校正后仍可能未定。"
    ),
    "Margin in points of accuracy:": "界限（准确率的百分点）：",
    "The p value of the comparison’s test, corrected for the number of comparisons on the same task, test items, model"
    " and stage (Holm 1979).": "比较检验的 p 值，按同一任务、测试题、模型和阶段上的比较次数校正（Holm 1979）。",
    "Cost": "成本",
    "FLOPs: 2 for each parameter and token of inference, 4 (LoRA) or 6 (full) for each parameter and token of"
    " tuning.": ("FLOPs：推理时每个参数每个词元 2；微调时每个参数每个词元 4（LoRA）或 6（全参数）。"),
    "Cells that are not finished": "未完成的单元",
    "missing": "缺失",
    "Models": "模型",
    "Loaded from": "载自",
    "Family": "家族",
    "Template": "模板",
    "Without embeddings": "不含嵌入",
    "Context": "上下文长度",
    "Number format": "数值格式",
    "Revision": "版本",
    "Tasks": "任务",
    "Ability": "能力",
    "Hash of the data": "数据的散列",
    "Source": "来源",
    "Methods": "方法",
    "Labelled examples used": "用到的标注样例",
    "From the ledger of every cell: no method may use an example that its budget does not hold. Rationales (worked"
    " steps) are labels too, so they are counted apart.": (
        "来自每个单元的账目：任何方法都不得使用预算之外的样例。解题步骤也是标注，所以另计。"
    ),
    "Granted": "可用",
    "Used": "用到",
    "With rationale": "带解题步骤",
    "Example plans": "样例计划",
    "One plan for each task and seed orders the labelled pool; all methods draw from its beginning.": (
        "每个任务和种子有一份计划排定标注样例的顺序；所有方法都从头取用。"
    ),
    "Plan": "计划",
    "Versions": "软件版本",
    "The study as it was run": "运行时的研究文件",
    ".": "。",
    "Made with Onset. This page is complete in itself: it loads nothing and sends nothing.": (
        "由 Onset 生成。本页自成一体：不加载也不发送任何内容。"
    ),
}

_SCRIPT = {
    "0 (zero-shot)": "0（零样本）",
    "not stated": "未说明",
    "{cell} (not begun)": "{cell}（尚未开始）",
    "complex reasoning": "复杂推理",
    "knowledge reasoning": "知识推理",
    "robustness": "稳健性",
    "symbolic": "符号推理",
    "own": "自有任务",
    "chat": "对话",
    "plain": "纯文本",
    "Save {name} as {kind}": "把“{name}”存为 {kind}",
    "Show the items on which {a} and {b} differ: {model}, {task}": "查看{a}与{b}不同的题：{model}，{task}",
    "Show the items of {model}, {method}, {task}": "查看 {model} 的题：{method}，{task}",
    "{part} of {whole}": "{part} / {whole}",
    "Only the first draws of each way of asking ({draws} of each, {shown} of {total} cells) are in this table": (
        "本表只含每种提问方式的前几次抽取（各 {draws} 次，{total} 个单元中的 {shown} 个）"
    ),
    "; all are in onset show --json, and every number above is computed from all of them.": (
        "；全部都在 onset show --json 中，上面的每个数字都由全部单元算出。"
    ),
    "Only the first {limit} items of each cell ({shown} of {total}) are in this page": (
        "本页只含每个单元的前 {limit} 题（{total} 题中的 {shown} 题）"
    ),
    ", because the records hold more text than a page should carry. All are in the results folder, in "
    "cells/*/records.parquet; every number above is computed from all of them.": (
        "，因为记录的文字多于一页所宜容纳的。全部都在结果文件夹的 cells/*/records.parquet 中；"
        "以上数字都由全部记录算出。"
    ),
    "This browser cannot unpack the items (it lacks DecompressionStream); any current browser can.": (
        "此浏览器无法解开题目（缺少 DecompressionStream）；任何新版浏览器都可以。"
    ),
    "{outcome} in {method}": "{method}{outcome}",
    ", ": "，",
    "right": "答对",
    "wrong": "答错",
    "no answer": "无答案",
    "too long": "过长",
    "none found": "未找到",
    "cut off before an answer": "答案之前被截断",
    "still thinking at the end of its budget": "思考用尽预算",
    "several different answers": "有几个不同的答案",
    "prompt too long for the model": "提示对模型过长",
    "ended by itself": "自行结束",
    "ended at a stop string": "遇停止串结束",
    "cut off at the token limit": "到词元上限被截断",
    "not run": "未运行",
    "Settings chosen within the budget": "在预算内挑选的设置",
    "Score: accuracy on the held-out examples that the setting was picked by, so too high; change: against the settings"
    " as written. Few labels choose hardly better than chance (Perez et al. 2021).": (
        "得分：据以挑选设置的留出样例上的准确率，因此偏高；变化：与原设置相比。标注很少时，挑选几乎不比随机好"
        "（Perez 等，2021）。"
    ),
    "Upper bounds: settings chosen by oracle-dev": "上限：用 oracle-dev 挑选的设置",
    "Chosen on labels beyond the budget: what choosing could bring at most, and in no comparison.": (
        "用预算之外的标注挑选：挑选设置至多能带来什么；不参与任何比较。"
    ),
    "Taken (draws)": "选中的设置（次数）",
    "Change, in points": "变化（百分点）",
    "as written": "原设置",
    "{count} labelled examples": "{count} 个标注样例",
    "shift {shift}": "变化 {shift}",
    "seed {seed}": "种子 {seed}",
    "draw {seed}": "第 {seed} 次",
    "Gold answer": "标准答案",
    "Extracted answer": "读出的答案",
    "Error": "错误",
    "Probability of the gold answer among the choices": "标准答案在选项中的概率",
    "Votes": "投票",
    "Prompt": "提示",
    "Instruction and demonstrations, the same for every item of the cell ({count} characters)": (
        "指令与示例，单元内每题相同（{count} 个字符）"
    ),
    "answer: {answer}, gold: {gold}": "答案：{answer}，标准答案：{gold}",
    "answer: {answer}": "答案：{answer}",
    "none": "无",
    "Output": "输出",
    "Output {i} of {count}": "第 {i} 个输出，共 {count} 个",
    "{count} items on which {a} (A) and {b} (B) differ; any filter shows single answers again": (
        "{a}（A）与{b}（B）不同的题共 {count} 道；任选一个筛选即回到单个答案"
    ),
    "{count} of {total} items": "{total} 题中的 {count} 题",
    "No item fits these filters.": "没有符合这些筛选的题。",
    "Page {page} of {pages}": "第 {page} 页，共 {pages} 页",
}

CHINESE: Mapping[str, str] = MappingProxyType(
    dict(ROBUSTNESS)
    | _SCRIPT
    | _FIRST_SCREEN
    | _FIGURES
    | _TABLES
    | _ITEMS
    | _FACTS
    | dict(COSTS)
    | dict(KNOWLEDGE)
    | dict(FIGURES)
)
"""English words of the page -> Chinese ones, with the same places."""
