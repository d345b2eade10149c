"""What a reader has to know before believing the rest in Chinese, by the English templates."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    'One label nearly always: {method} {given} for {model} answers "{label}" in {count} of {outputs} on {task}'
    " (right for {share} of its items)": (
        "几乎总答同一个标签：{model} 用{method}（{given}）在{task}的 {outputs}中有 {count} 个答“{label}”"
        "（对其中 {share} 的题是对的）"
    ),
    ", and in {count} more of {settings} with labels one label is given to nine in ten items or more": (
        "；在 {settings}中，另有 {count} 种对九成以上的题答同一个标签"
    ),
    "its accuracy says how frequent that label is, not what the method can tell apart": (
        "其准确率说明的是该标签有多常见，而不是方法能分辨什么"
    ),
    'No better than one label: always answering "{label}" is right on {share} of the test items of {where}, and'
    " none of {settings} is shown to do better (best: {method} {given} for {model}, {points} above it, {range})": (
        "不胜过单一标签：总答“{label}”就能答对{where}的测试题的 {share}，{settings}中没有一种可以断定更好"
        "（最好的：{model} 用{method}（{given}），比它高 {points}，{range}）"
    ),
    'No better than one label: always answering "{label}" is right on {share} of the test items of {where}, and'
    " none of {settings} is shown to do better (best: {method} {given} for {model}, {points} below it, {range})": (
        "不胜过单一标签：总答“{label}”就能答对{where}的测试题的 {share}，{settings}中没有一种可以断定更好"
        "（最好的：{model} 用{method}（{given}），比它低 {points}，{range}）"
    ),
    "{task} under the shift {shift}": "“{shift}”变化下的{task}",
    "no cell of this study is finished": "这项研究还没有完成的单元",
    "every finished cell is an upper bound, its settings chosen on labels beyond the budget": (
        "完成的单元都是上界，其设置是用预算之外的标注选出的"
    ),
    "{cells} not run yet": "{cells}还没有运行",
    "{cells} failed (for example: {error})": "{cells}失败（例如：{error}）",
    " and ": "，",
    "Incomplete: {what}; what is said here rests on the rest": "不完整：{what}；这里的结论只据其余单元",
    "in {comparisons} the two sides did not have the same task or example plan at some seed; those seeds were left"
    " out{why}": "{comparisons}中，双方在某些种子上的任务或样例计划不同；这些种子已略去{why}",
    "Answers not found: in {count} of {settings} fewer than {share} % of the outputs held a readable answer"
    " (lowest: {method}{given} for {model} on {task}, {readable})": (
        "找不到答案：{settings}中有 {count} 种，能读出答案的输出不到 {share} %"
        "（最低的：{model} 用{method}{given}，{task}，{readable}）"
    ),
    "Answers that say more: in {count} of {settings} at least {share} % of the outcomes are answers that are counted"
    " as wrong and hold the right one among other words (most: {method}{given} for {model} on {task}, {most})": (
        "答案多说了话：{settings}中有 {count} 种，至少 {share} % 的结果是判错的答案，但在别的词之间含有正确答案"
        "（最多的：{model} 用{method}{given}，{task}，{most}）"
    ),
    "ask for the answer alone (`instruction`), or show examples": "请要求只给出答案（`instruction`），或展示样例",
    " {given}": "（{given}）",
    "a low accuracy there may be a matter of format, not of ability": "那里准确率低可能是格式问题，而不是能力问题",
    "{verdicts} on who wins rests on them": "{verdicts}（谁胜出）以它们为据",
    "{verdicts} on who wins rest on them": "{verdicts}（谁胜出）以它们为据",
    "{method} on {task} for {model}": "{model} 用{method}答{task}",
    "{count} other settings": "另外 {count} 种设置",
    "{prompts} does not fit the model's context and counts as wrong ({settings})": (
        "{prompts}放不进模型的上下文，算作答错（{settings}）"
    ),
    "{prompts} do not fit the model's context and count as wrong ({settings})": (
        "{prompts}放不进模型的上下文，算作答错（{settings}）"
    ),
    "The size of {models} is not known: it is on no curve over size, and what it costs is not counted": (
        "{models} 的规模未知：它不在任何规模曲线上，其开销也未计入"
    ),
    "The sizes of {models} are not known: they are on no curve over size, and what they cost is not counted": (
        "{models} 的规模未知：它们不在任何规模曲线上，其开销也未计入"
    ),
    "a study can tell it: `{key}` beside the model": "研究文件可以写明：在模型旁写 `{key}`",
    "at {items} the method raised an error: it counts as wrong ({settings})": (
        "{items}上方法出错，算作答错（{settings}）"
    ),
    "at {items} the method raised an error: they count as wrong ({settings})": (
        "{items}上方法出错，算作答错（{settings}）"
    ),
    "the first error: {error}": "第一个错误：{error}",
}
"""English template -> Chinese one."""
