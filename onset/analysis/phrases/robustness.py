"""Headings and heads of the tables of ``onset show --robustness`` in Chinese, by their English words and templates."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ROBUSTNESS: Mapping[str, str] = MappingProxyType(
    {
        "Robustness (accuracy in per cent; drop: clean minus shifted, in points; p adjusted by Holm)": (
            "稳健性（准确率为百分数；降幅：原题减变化后，百分点；p 按 Holm 校正）"
        ),
        "Flips: right answers that become wrong / wrong ones that become right, in per cent of either. Matched:"
        " shifted accuracy minus what the other methods have at this clean accuracy, in points.": (
            "翻转：答对变答错的 / 答错变答对的，各占其百分比。同等：变化后的准确率减其他方法在同样的原题准确率下的，"
            "百分点。"
        ),
        "Flips: right answers that become wrong / wrong ones that become right, in per cent of either.": (
            "翻转：答对变答错的 / 答错变答对的，各占其百分比。"
        ),
        "At matched clean accuracy (shifted accuracy minus that of the other methods, in points)": (
            "原题准确率相同时（变化后的准确率减其他方法的，百分点）"
        ),
        "Worst of several shifts (simultaneous intervals; drop in points, accuracy in per cent)": (
            "多种变化中最坏的（同时区间；降幅为百分点，准确率为百分数）"
        ),
        "Leads under a shift (first method minus the second, in points)": "变化下的领先（前一方法减后一方法，百分点）",
        "Ahead under a shift alone (in points; p adjusted by Holm over all shifts)": (
            "只在变化下领先（百分点；p 按 Holm 对全部变化校正）"
        ),
        "Over size (points per tenfold parameters: of a drop, or of what a shift does to a lead)": (
            "随规模（每十倍参数的百分点：降幅的，或变化对领先之影响的）"
        ),
        "Parts of the test items (accuracy in per cent; intervals simultaneous over the parts)": (
            "测试题的各部分（准确率为百分数；区间对各部分同时成立）"
        ),
        "all {n} items of {task} under the shift {shift} have one answer, {label}: a constant answer is right": (
            "{task}在“{shift}”变化下的 {n} 题答案都是 {label}：恒定答案总是对的"
        ),
        "{arms} without a clean counterpart: nothing to hold against": "{arms}没有原题上的对应：无可对照",
        "another test set": "另一个测试集",
        "labels {labels}": "标注 {labels}",
        "shift {shift}": "变化“{shift}”",
        "stage {stage}": "阶段 {stage}",
        " ({details})": "（{details}）",
        ", line: slope {slope}, r2 {r2}": "，直线：斜率 {slope}，r2 {r2}",
        "left out: {arms}, {why}": "未列入：{arms}，{why}",
        "nothing to say of {places}: {why}": "{places}：无可断言：{why}",
        "by {key}": "按 {key}",
        "answer": "答案",
        "a constant answer {share}": "恒定答案 {share}",
        "Clean": "原题",
        "Shifted": "变化后",
        "Change": "改变",
        "95 % interval": "95 % 区间",
        "Flips": "翻转",
        "Matched": "同等",
        "Matched interval": "同等区间",
        "Arms": "点数",
        "Diff.": "差值",
        "Worst": "最坏",
        "Lowest": "最低",
        "Of": "对象",
        "Slope": "斜率",
        "Mean of parts": "各部分平均",
        "Worst right": "最坏准确率",
    }
)
