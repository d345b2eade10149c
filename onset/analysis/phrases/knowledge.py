"""What figures and tables of knowledge say in Chinese, by their English words and templates."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_FIGURES = {
    "Passage or memory": "段落还是记忆",
    "Facts in weights and in context": "权重中与上下文中的事实",
    "Questions after a passage that contradicts what is true outside of it, one panel a kind of passage, one row a"
    " model (and method), the smallest first: the share of answers that are the passage's (circle), memory's"
    " (diamond) and neither's (hollow square), with 95 % intervals.": (
        "先给一段与外部事实相矛盾的段落再提问，每种段落一幅，每个模型（和方法）一行，最小的在前：按段落（圆）、按记忆（菱形）"
        "和两者都不是（空心方块）的回答比例，附 95 % 区间。"
    ),
    "circle: by the passage; diamond: by memory; hollow square: by neither": (
        "圆：按段落；菱形：按记忆；空心方块：两者都不是"
    ),
    "hollow: in context; filled: in weights": "空心：上下文中；实心：权重中",
    "Share of the answers": "回答的比例",
    "{name}: {passage} by the passage, {memory} by memory, {neither} neither": (
        "{name}：按段落 {passage}，按记忆 {memory}，两者都不是 {neither}"
    ),
    "{task}: answers by passage and by memory.": "{task}：按段落与按记忆的回答。",
    "Answers": "回答",
    "by the passage": "按段落",
    "by memory": "按记忆",
    "by neither": "两者都不是",
    "The same new facts learnt in weights and read in a passage, one row a way of asking about them (and pair of"
    " methods). Above: accuracy in context (hollow) and in weights (filled). Below: the difference in percentage"
    " points with its 95 % interval; left of the line the weights know less than the passage says.": (
        "同样的新事实，学进权重与在段落中读到，每种提问方式（和方法对）一行。上：在上下文中（空心）与在权重中（实心）的准确率。"
        "下：差值（百分点）及其 95 % 区间；竖线左边表示权重所知少于段落所说。"
    ),
    "In weights less in context": "权重中减上下文中",
    "{probe}: {weights} in weights, {context} in context": "{probe}：权重中 {weights}，上下文中 {context}",
    "In context and in weights": "上下文中与权重中",
    "Asked": "问法",
    "{a} against {b}": "{a}对{b}",
    "Fine dashes: the straight line in the logarithm of size through accuracy on a knowledge task, which is drawn where"
    " it is refused, too.": "细虚线：知识任务的准确率对规模对数的直线，不相符之处也画出。",
}

_TABLES = {
    "Knowledge": "知识",
    "Answers to questions whose passage contradicts what is true outside of it, with 95 % intervals. Known: right"
    " without a passage, asked alike; kept: of these, the share that is answered by memory all the same.": (
        "段落与外部事实相矛盾的题的回答，附 95 % 区间。已知：同样问法、没有段落时答对的；保持：其中仍按记忆作答的比例。"
    ),
    "By the passage": "按段落",
    "By memory": "按记忆",
    "Neither": "两者都不是",
    "Passage less memory": "段落减记忆",
    "Known": "已知",
    # "Kept" is the share of the questions that is answered in the figure of confidence
    "Kept by memory": "保持记忆",
    "The same questions about the same new facts: to a model that was tuned on them, and to one that reads them in a"
    " passage. p is corrected for all of a model.": (
        "关于同样新事实的同样问题：问在其上微调过的模型，和在段落中读到它们的模型。p 按同一模型的全部比较校正。"
    ),
    "In weights, by": "权重中，方法",
    "In context, by": "上下文中，方法",
    "In weights": "权重中",
    "In context": "上下文中",
    "Knowledge and the logarithm of size": "知识与规模的对数",
    "A straight line through accuracy over the logarithm of size: what a tenfold size adds, and the p of the line's"
    " misfit, corrected for all such curves of the study.": (
        "准确率对规模对数的直线：规模增至十倍时增加多少，以及直线不相符的 p（按研究中全部此类曲线校正）。"
    ),
    "Sizes": "规模数",
    "Points for a tenfold size, 95 % interval": "规模增至十倍的百分点，95 % 区间",
    "p (Holm) of a line": "直线的 p（Holm）",
    "grows": "增长",
    "falls": "下降",
    "not linear": "不是直线",
}

KNOWLEDGE: Mapping[str, str] = MappingProxyType(_FIGURES | _TABLES)
