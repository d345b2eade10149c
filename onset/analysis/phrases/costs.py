"""What the page's tables of costs and the figure of labels say in Chinese, by their English words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COSTS: Mapping[str, str] = MappingProxyType(
    {
        "Costs": "成本",
        "FLOPs of a query: with nothing reused, and with what all prompts of a cell begin with kept (run once). Once:"
        " tuning, the search for settings and stages of training. Seconds and memory are those of the machine that ran"
        " the study; of memory the most that was held is given, on a CPU all that the process had in memory,"
        " interpreter and libraries too, on a GPU what tensors took.": (
            "一次提问的 FLOP：不复用任何内容，以及保留单元内所有提示的共同开头（只算一次）。"
            "一次性：微调、搜索设置与训练阶段。秒数与内存是运行本研究的机器上的；内存为占用的最大值："
            "在 CPU 上是进程的全部内存，包括解释器与程序库，在 GPU 上是张量所占。"
        ),
        "Dotted upright line, in the colour of the most accurate tuned method: the labels from which on it is ahead"
        " of the most accurate prompting one, on the mean over draws, where that is reached; shaded: the 95 %"
        " interval, of that pair by itself.": (
            "竖直点线（用最准确的微调方法的颜色）：从多少个标注起，它按各次抽样的平均领先最准确的提示方法（达到时才画）；"
            "阴影：仅就这一对而言的 95 % 区间。"
        ),
        "Below: the same in money, by the prices that the study gives; what is done once (tuning, search, stages of"
        " training) is divided by the number of queries. Methods whose price is not known are in the upper plot"
        " alone.": (
            "下：按研究给出的价格以金钱计；一次性开销（微调、搜索、训练阶段）按提问数分摊。价格不明的方法只在上图中。"
        ),
        "{currency} a query": "每次提问 {currency}",
        "Tokens a query": "每次提问的词元",
        "Beginnings kept": "保留开头",
        "FLOPs once": "一次性 FLOP",
        "Seconds a query": "每次提问秒数",
        "Seconds once": "一次性秒数",
        "Money, 1,000 queries": "一千次提问的费用",
        "Money once": "一次性费用",
        "Memory, asked": "提问时内存",
        "Memory, trained": "训练时内存",
        "Weights stored": "存储的权重",
        "Break-even labels": "持平标注数",
        "Break-even queries": "持平提问数",
        "Tuned": "微调方法",
        "Prompted": "提示方法",
        "On the mean over draws": "各次抽样平均",
        "For one draw": "单次抽样",
        "Cheaper from": "更便宜始于",
        "the first on": "第一次起",
        "Labelled examples from which on the tuned method is ahead of the prompting one, with the 95 % interval: on"
        " the mean over draws, and for one draw (the mean lead less one standard deviation between draws).": (
            "微调方法从多少个标注样例起领先提示方法，附 95 % 区间：按各次抽样的平均，以及单次抽样"
            "（平均领先减去抽样之间的一个标准差）。"
        ),
        "Queries from which on the tuned method is cheaper in all, in FLOPs, with the 95 % interval; kept: where what"
        " prompts begin with is run once.": (
            "微调方法从多少次提问起总计更便宜（按 FLOP），附 95 % 区间；保留：提示的共同开头只算一次。"
        ),
        "Tuning that never pays is left out ({count} of {all}).": "从不划算的微调未列出（{all} 对中的 {count} 对）。",
        "Which is cheaper says nothing of which is right more often.": "更便宜并不说明更常答对。",
        "{low} to {high}": "{low} 至 {high}",
        "above {low}": "高于 {low}",
        "up to {high}": "至多 {high}",
        "throughout": "始终领先",
        "never": "从不",
    }
)
"""English words -> Chinese ones, with the same places."""
