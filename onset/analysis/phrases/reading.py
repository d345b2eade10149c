"""What reading other tools' results had to decide, in Chinese, by the English templates that it is told in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WHAT = {
    "filter {used} was used, not {rest} (choose with --filter)": "用了筛选 {used}，而不是 {rest}（可用 --filter 选择）",
    "metric {used} was used, not {rest} (choose with --metric)": "用了指标 {used}，而不是 {rest}（可用 --metric 选择）",
    "{count} of {all} documents are copies of another and count too": "{all} 篇中有 {count} 篇与另一篇重复，也都计入",
    "{count} repeated lines counted once": "{count} 行重复，只计一次",
    "{count} lines without doc_hash, which was computed": "{count} 行没有 doc_hash，已另行计算",
    "{metric}: over all words, so a document counts by how many it has": "{metric}：对所有词计算，一篇按其词数计入",
    "{metric}: over all bytes, so a document counts by how many it has": "{metric}：对所有字节计算，一篇按其字节数计入",
    "{metric}: over all units, so a document counts by how many it has": "{metric}：对所有单位计算，一篇按其单位数计入",
    "no samples file, so no per-item results": "没有样本文件，所以没有逐题结果",
    "no metric has a number for each document in its samples, so no per-item results": (
        "没有指标在样本中对每篇都有数值，所以没有逐题结果"
    ),
    "of {count} runs the latest was read ({date})": "{count} 次运行中读取了最新的一次（{date}）",
    "of {count} logs the latest was read ({date})": "{count} 份日志中读取了最新的一份（{date}）",
    "of {count} runs that of {date} was read, with {documents} documents: the latest ({latest}) has {has}": (
        "{count} 次运行中读取了 {date} 的一次（{documents} 篇）：最新的一次（{latest}）{has}"
    ),
    "of {count} logs one was read ({told}) that is not the latest ({latest})": (
        "{count} 份日志中读取了一份（{told}），它不是最新的（{latest}）"
    ),
    "no samples file of {asked}, so no per-item results": "没有 {asked} 的样本文件，所以没有逐题结果",
    "{metric} is made of its documents in a way not known here: what is stated is read": (
        "{metric} 由各篇汇总的方式在此未知：读取所报的数值"
    ),
    "{metric} is stated as {stated}, its documents make {made}: the former is read": (
        "{metric} 所报为 {stated}，由各篇算得 {made}：读取前者"
    ),
    "{scorer} gives no number for any sample and is left out": "{scorer} 对任何样本都没有给出数值，未计入",
    "the log's status is {status}": "日志的状态是 {status}",
    "{count} of {all} samples are in the log": "{all} 个样本中有 {count} 个在日志里",
    "{count} of {all} samples have no score": "{all} 个样本中有 {count} 个没有得分",
    "{count} of {all} outcomes have no score and do not count": "{all} 个结果中有 {count} 个没有得分，不计入",
    "{count} prompts did not fit and count as wrong": "{count} 个提示放不下，算作答错",
    "{count} items failed and count as wrong": "{count} 道题出错，算作答错",
    "{count} rows have the key of an earlier row and count too": "{count} 行与前面的行键相同，也都计入",
    "rows without index and question are paired by their line": "没有序号和问题的行按行号配对",
    "no accuracy of {model}: no score is right or wrong ({scores})": (
        "{model} 没有准确率：没有分对错的得分（{scores}）"
    ),
    "left out for {model}: {error}": "{model} 未计入：{error}",
    "{count} item with another right answer in another run left out": (
        "{count} 道题在另一次运行中的正确答案不同，未计入"
    ),
    "{count} items with another right answer in another run left out": (
        "{count} 道题在另一次运行中的正确答案不同，未计入"
    ),
    "not all runs have the same items ({least} to {most}, of which {count} are in all); pairs are compared on those"
    " that both have": (
        "各次运行的题不全相同（{least} 至 {most} 道，其中 {count} 道各次都有）；成对比较只用双方都有的题"
    ),
}

READING: Mapping[str, str] = MappingProxyType(
    {f"{{where}}: {english}": f"{{where}}：{chinese}" for english, chinese in _WHAT.items()}
    | {
        "no items of {names}: only what the results files state of them is known": (
            "没有 {names} 的逐题结果：只知道结果文件所报的数值"
        ),
        "{count} of {all} cells are not finished": "{all} 个单元中有 {count} 个未完成",
        "no samples": "没有样本",
        "{count} documents": "有 {count} 篇",
        "{date}, {count} sample": "{date}，{count} 个样本",
        "{date}, {count} samples": "{date}，{count} 个样本",
        "{date}, {count} sample, {status}": "{date}，{count} 个样本，{status}",
        "{date}, {count} samples, {status}": "{date}，{count} 个样本，{status}",
        "{metric} of {task}": "{task} 的 {metric}",
    }
)
"""English template -> Chinese one."""
