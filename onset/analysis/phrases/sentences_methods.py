"""The sentences of comparisons and of methods in Chinese, by their English templates."""

from __future__ import annotations

_COMPARISON = {
    "they share no items": "没有共同的题",
    "{method} with {labels} on {task}, {size}": "{method}（{labels}），{task}，{size}",
    "{a} and {b} cannot be compared: {why}": "{a}与{b}无法比较：{why}",
    " with these examples": "就这些样例而言，",
    "{a} beats {b}{scope} by {gap} ({range}; {sample})": "{scope}{a}胜过{b}，高 {gap}（{range}；{sample}）",
    "{a} is worse than {b}{scope} by {gap} ({range}; {sample})": "{scope}{a}不如{b}，低 {gap}（{range}；{sample}）",
    ", less than the margin of {margin}": "，小于 {margin}的界限",
    "{a} and {b} are equivalent within {margin}{scope}: they differ by {gap} ({range}; {sample})": (
        "{scope}{a}与{b}在 {margin}之内等价：相差 {gap}（{range}；{sample}）"
    ),
    "undecided between {a} and {b}{scope}: they differ by {gap} ({range}; {sample})": (
        "{scope}{a}与{b}难分高下：相差 {gap}（{range}；{sample}）"
    ),
    "; not all draws were compared{why}": "；并非每次抽取都作了比较{why}",
    "; {side} is ahead in {draws}": "；{side}在{draws}",
    "; each alone would settle it for its own examples": "；每次单独都足以就其样例断定",
    "; {count} of them alone would settle it for its own examples": "；其中 {count} 次单独足以就其样例断定",
    "; {count} of them alone would settle it for their own examples": "；其中 {count} 次单独足以就各自的样例断定",
    "both draws (by {shown} points{each})": "两次抽取中都领先（{shown} 个百分点{each}）",
    "each of the {count} draws (by {shown} points{each})": "全部 {count} 次抽取中都领先（{shown} 个百分点{each}）",
    ", p {alone} alone and {together} after correcting for {count} comparisons": (
        "，单独检验的 p 值 {alone}，按 {count} 个比较校正后 {together}"
    ),
    "below .001": "小于 .001",
    "unknown": "未知",
    "; an exact McNemar test needs at least {least} items that only one side has right, all the same side, for p below"
    " .05, and here {found}": (
        "；McNemar 精确检验要使 p 小于 .05，至少需要 {least} 道仅一方答对、且都由同一方答对的题，而这里{found}"
    ),
    "there is 1": "只有 1 道",
    "there are {count}": "只有 {count} 道",
    "; the two are level, which shows neither a difference nor equivalence": (
        "；两者持平，这既不说明有差别，也不说明等价"
    ),
    "about {items} items": "约 {items} 道题",
    "{draws} draws of as many items": "题数不变而抽取 {draws} 次",
    " or ": "，或",
    "; {draws} alone hardly show how draws differ": "；仅 {draws}几乎看不出各次抽取的差异",
    "; {ways} would decide it with 80 % power": "；需要{ways}，才能以 80 % 的检验功效断定",
    "; more items alone may not decide it, because the draws differ by too much: use more seeds": (
        "；只增加题数未必能断定，因为各次抽取相差太大：请用更多种子"
    ),
}

_PROMPT_OR_TUNE = {
    "Prompt or tune on {task}, {model} {given}: {said}": "提示还是微调，{task}，{model}（{given}）：{said}",
    "Over the budgets, {said}": "就各种标注数看，{said}",
    "Of all {count} comparisons of tuning with prompting on the same examples, tuning wins {wins}, prompting {losses};"
    " {winner}": ("在同样的样例上，微调与提示共有 {count} 个比较，微调胜 {wins} 个，提示胜 {losses} 个；{winner}"),
    "{count} has no winner": "{count} 个未分胜负",
    "{count} have no winner": "{count} 个未分胜负",
    "{model} on {task}": "{model}，{task}",
    ", shift {shift}": "，“{shift}”变化",
    "{where}: {said}": "{where}：{said}",
    "{budgets} labels": "{budgets} 个标注",
    "{tuned} is ahead of {prompted} at every budget tried ({at})": (
        "{tuned}在试过的每种标注数下都领先{prompted}（{at}）"
    ),
    "{tuned} overtakes {prompted} at {first} labels": "{tuned}从 {first} 个标注起超过{prompted}",
    "{tuned} is ahead of {prompted} at {at}": "用 {at}时{tuned}领先{prompted}",
    "{prompted} is ahead at {at}": "用 {at}时{prompted}领先",
    "equivalent at {at}": "用 {at}时等价",
    "not settled at {at}": "用 {at}时尚未定论",
    "{tuned} does not overtake {prompted}: {why}": "{tuned}没有超过{prompted}：{why}",
    "undecided at {at}, where it leads by up to {points}": "用 {at}时未定，其间前者至多领先 {points}",
    "undecided at {at}, where it leads by {points}": "用 {at}时未定，前者领先 {points}",
    "undecided at {at}, without a lead": "用 {at}时未定，前者没有领先",
    "it is not shown that {tuned} overtakes {prompted}: {why}": "不能断定{tuned}超过{prompted}：{why}",
    "By size in the family {family}, the best tuned against the best prompted method {given}: {parts}": (
        "按规模看，家族 {family} 中最好的微调方法对最好的提示方法（{given}）：{parts}"
    ),
    "under the shift {shift} {winners}": "在“{shift}”变化下，{winners}",
    "tuning wins at {sizes}": "{sizes} 处微调胜出",
    "prompting wins at {sizes}": "{sizes} 处提示胜出",
    "equivalent at {sizes}": "{sizes} 处等价",
    "undecided at {sizes}": "{sizes} 处未定",
}

_BEST = {
    "on {task}, {model} {given}": "{task}，{model}（{given}）",
    "{share}, {range}; {sample}": "{share}，{range}；{sample}",
    "{start}: no method is shown to be above chance ({chance}); best is {method} ({level})": (
        "{start}：没有方法可以断定高于随机水平（{chance}）；最好的是{method}（{level}）"
    ),
    "{start} reaches {share} with {method} ({level})": "{start}：{method}达到 {share}（{level}）",
    "{start} does best with {method} ({level}): {scope}{standing}": (
        "{start}：最好的是{method}（{level}）：{scope}{standing}"
    ),
    "{start} scores highest with {method} ({level}): {scope}{standing}": (
        "{start}：得分最高的是{method}（{level}）：{scope}{standing}"
    ),
    "with these examples ": "就这些样例而言，",
    "{name}, though it is ahead in {draws}": "{name}，尽管得分最高者在{draws}",
    "; nor from ": "；以及",
    "it beats {methods}": "它胜过{methods}",
    "it is equivalent to {methods}": "它与{methods}等价",
    "it cannot be told apart from {methods}": "与它不能分出高下的有{methods}",
}

_CHAIN = {
    "Chain of thought on {task}, {given}": "思维链，{task}（{given}）",
    "Chain of thought ({chain} against {direct}) on {task}, {given}": "思维链（{chain}对{direct}），{task}（{given}）",
    "helps {models}": "对 {models} 有益",
    "hurts {models}": "对 {models} 有害",
    "makes no difference for {models}": "对 {models} 没有差别",
    "is undecided for {models}": "对 {models} 未定",
    "with these examples it ": "就这些样例而言，它",
    "the gain for {model} is {points} ({range}; {sample})": "{model} 的增益为 {points}（{range}；{sample}）",
    "the models are of different families, so this is not an effect of size alone": (
        "这些模型属于不同家族，所以这不只是规模的作用"
    ),
    "in the family {family} it first helps at {size} and at every larger size tried": (
        "在家族 {family} 中，它从 {size} 起有益，在试过的更大规模上也都有益"
    ),
    "in the family {family} it first helps at {size}": "在家族 {family} 中，它到 {size} 才有益",
}

_BEST_MODEL = {
    "n = {items} items": "n = {items} 题",
    " × {draws} draws": " × {draws} 次抽取",
    ", each counting the same": "，每题权重相同",
    "on {where} no model is shown to be above chance ({chance}); highest is {model} ({level})": (
        "{where}：没有模型可以断定高于随机水平（{chance}）；最高的是 {model}（{level}）"
    ),
    "on {where}, {model} has {share} right ({level})": "{where}：{model} 答对 {share}（{level}）",
    "it beats {models}": "它胜过 {models}",
    "it is equivalent to {models}": "它与 {models}等价",
    "it cannot be told apart from {models}": "与它不能分出高下的有 {models}",
    "it shares no items with {models}": "它与 {models}没有共同的题",
    "n = {items} items of both": "n = {items} 道共有的题",
    "on what both were asked it loses to {models}": "在双方共有的题上它输给 {models}",
    "on {where}, {model} does best ({level}): {standing}": "{where}：最好的是 {model}（{level}）：{standing}",
    "on {where}, {model} scores highest ({level}): {standing}": "{where}：得分最高的是 {model}（{level}）：{standing}",
    "by {points}, {range}": "{points}，{range}",
    "{model} ({far})": "{model}（{far}）",
    "{count} more": "另外 {count} 个",
}

_SHIFT = {
    "{method} loses {points} ({range})": "{method}降低 {points}（{range}）",
    "{methods} loses less": "{methods}降低得较少",
    "{methods} lose less": "{methods}降低得较少",
    "{methods} gains": "{methods}提高",
    "{methods} gain": "{methods}提高",
    "a change is not shown for {methods}": "不能断定{methods}有变化",
    "{a} loses more than {b}": "{a}比{b}降低得多",
    "{a} loses less than {b}": "{a}比{b}降低得少",
    "between methods, {said}": "方法之间，{said}",
    "which method suffers more is undecided": "哪种方法受损更大，尚不能断定",
    "under the shift {shift} on {task}, {model} {given}: {scope}{said} ({sample})": (
        "在“{shift}”变化下，{task}，{model}（{given}）：{scope}{said}（{sample}）"
    ),
}

_COST = {
    "Cost: {said}": "成本：{said}",
    "{tuned} is cheaper than {prompted} up to about {queries} queries: finding the prompt took more": (
        "在约 {queries} 次提问以内，{tuned}比{prompted}便宜：寻找提示花费更多"
    ),
    "where what the prompts begin with is kept between queries, up to about {queries}": (
        "若提问之间保留提示的开头，则在约 {queries} 次以内"
    ),
    "a query of {tuned} costs no less than one of {prompted}: tuning never pays for itself": (
        "{tuned}的一次提问不比{prompted}便宜：微调永远收不回成本"
    ),
    "{tuned} is cheaper than {prompted} from about {queries} queries on": (
        "从约 {queries} 次提问起，{tuned}比{prompted}便宜"
    ),
}

_COST |= {
    "{said} ({range})": "{said}（{range}）",
    "where what the prompts begin with is kept between queries, it never is": (
        "若各次提问之间保留提示的共同开头，则永远不会更便宜"
    ),
    "where what the prompts begin with is kept between queries, from about {queries} on": (
        "若各次提问之间保留提示的共同开头，则从约 {queries} 次起"
    ),
}

_LABELS = {
    "Labels needed on {task}, {model} ({sample}): {said}": "所需标注，{task}，{model}（{sample}）：{said}",
    "on the mean over draws {said}": "按各次抽取的平均，{said}",
    "{tuned} is ahead of {prompted} from about {labels} labels on ({range})": (
        "{tuned}从约 {labels} 个标注起领先{prompted}（{range}）"
    ),
    "{tuned} is ahead of {prompted} from at most {labels} labels on": "{tuned}至多从 {labels} 个标注起领先{prompted}",
    "{tuned} is ahead of {prompted} at every budget tried, {labels} labels or fewer being enough": (
        "{tuned}在试过的每种标注数下都领先{prompted}，{labels} 个标注或更少就够"
    ),
    "{tuned} is behind {prompted} at the largest budget tried, {labels} labels: not reached": (
        "{tuned}在试过的最大标注数 {labels} 时仍落后{prompted}：未达到"
    ),
    "{tuned} is ahead of {prompted} at some budgets and behind at larger ones: there is no break-even": (
        "{tuned}在有些标注数下领先{prompted}，更多标注时又落后：没有平衡点"
    ),
    "whether {tuned} is ahead of {prompted} at {labels} labels, the largest budget tried, is not shown": (
        "{tuned}在试过的最大标注数 {labels} 时是否领先{prompted}，尚不能断定"
    ),
    "it takes more than {labels}": "需要多于 {labels} 个",
    "they were picked as the best of {count} pairs: that one is ahead on the mean, or behind, is corrected for this,"
    " the ranges and what is said of one draw are of this pair alone": (
        "这是从 {count} 对中挑出的最好一对：平均上领先或落后的判定已按此校正，各区间与对单次抽取的说法只属于这一对"
    ),
    "they were picked as the best of {count} pairs, and the ranges are of this pair alone": (
        "这是从 {count} 对中挑出的最好一对，各区间只属于这一对"
    ),
    "the estimate is {labels}": "估计为 {labels} 个",
    "for one draw of your own ({deviation}), {said}": "对你自己的一次抽取（{deviation}），{said}",
    "the mean lead less one standard deviation between draws": "平均领先减去抽取之间的一个标准差",
    "in what annotation costs, in answers: {said}": "按标注成本（以答案计）：{said}",
    "with a rationale at {price}, {cost}": "推理过程价为 {price} 时，{cost}",
    "from {cost} on": "从 {cost} 起",
    "at every cost": "任何成本都领先",
    "not reached": "未达到",
    "undecided": "未定",
    "lost again": "得而复失",
}

_UNDECIDED = {
    "{open} of {comparisons} is undecided: neither a difference nor equivalence within {margin} is shown": (
        "{comparisons}中有 {open} 个未定：既不能断定有差别，也不能断定在 {margin}之内等价"
    ),
    "{open} of {comparisons} are undecided: neither a difference nor equivalence within {margin} is shown": (
        "{comparisons}中有 {open} 个未定：既不能断定有差别，也不能断定在 {margin}之内等价"
    ),
    "at the differences observed, {needed}": "按观察到的差别，{needed}",
    "{count} takes {draws} draws rather than more items": "{count} 个需要抽取 {draws} 次，而不是更多的题",
    "{count} take {draws} draws rather than more items": "{count} 个需要抽取 {draws} 次，而不是更多的题",
    "{count} needs more seeds rather than more items": "{count} 个需要更多种子，而不是更多的题",
    "{count} need more seeds rather than more items": "{count} 个需要更多种子，而不是更多的题",
    "one of them takes about {items} items to decide": "其中 1 个需要约 {items} 道题才能断定",
    "{count} of them take about {items} items to decide": "其中 {count} 个需要约 {items} 道题才能断定",
    ", half of them at most {items}": "，其中一半至多 {items} 道",
    "{count} of them take about {low} to {high} items to decide{half}": (
        "其中 {count} 个需要约 {low} 至 {high} 道题才能断定{half}"
    ),
}

_SAMPLES = {
    "Samples on {task}, {model} {given}: the majority of the {count} samples of {vote} is {points} more often right"
    " than one of them ({range}; {verdict}; {sample})": (
        "采样，{task}，{model}（{given}）：{vote}的 {count} 次采样取多数，比其中一次多答对 {points}"
        "（{range}；{verdict}；{sample}）"
    ),
    "Samples on {task}, {model} {given}: the majority of the {count} samples of {vote} is {points} less often"
    " right than one of them ({range}; {verdict}; {sample})": (
        "采样，{task}，{model}（{given}）：{vote}的 {count} 次采样取多数，比其中一次少答对 {points}"
        "（{range}；{verdict}；{sample}）"
    ),
    "one is right in {one} ({one_range}), their majority in {majority} ({majority_range})": (
        "一次采样的正确率为 {one}（{one_range}），取多数为 {majority}（{majority_range}）"
    ),
    "at least one of them is right in {any} of items ({any_range}): a perfect choice would add {room} ({room_range})": (
        "{any} 的题至少有一次采样正确（{any_range}）：完美的挑选还能增加 {room}（{room_range}）"
    ),
    "the majority of {few} samples is within a point of that of {count}": (
        "{few} 次采样取多数，与 {count} 次相差不到一个百分点"
    ),
}

_SEARCH = {
    "Choosing settings on {task}, {model} {given}: with the best of {trials} settings by the granted examples,"
    " {method} is right in {share}; against its settings as written that is {points} ({range}; {verdict}; {sample})": (
        "挑选设置，{task}，{model}（{given}）：用已给的样例在 {trials} 种设置中取最好的一种，{method}答对 {share}，"
        "与原设置相差 {points}（{range}；{verdict}；{sample}）"
    ),
    "in {kept} of {draws} draws the settings as written were kept": "{draws} 次抽取中有 {kept} 次保留了原设置",
    "{failed} trials failed and count": "{failed} 次试验失败，也计入",
    "a search takes {flops}": "一次搜索需要 {flops}",
    "chosen on {outside} labels beyond the budget, an upper bound, it would be right in {share} ({range})": (
        "若用预算之外的 {outside} 个标注来挑选（上限），答对 {share}（{range}）"
    ),
}

_CALIBRATION = {
    "Calibration on {task}, {model} {given}: between draws the accuracy of {plain} has a standard deviation of"
    " {before}, that of {method} of {after}, {ratio} times as much ({range}; {verdict}; {sample})": (
        "校准，{task}，{model}（{given}）：各次抽取之间{plain}准确率的标准差为 {before}，{method}为 {after}，"
        "是前者的 {ratio} 倍（{range}；{verdict}；{sample}）"
    ),
    "on average the two are right in {plain} and {calibrated}": "两者平均答对 {plain} 与 {calibrated}",
    "batch calibration looks at the test questions, without their labels": "批校准会看测试问题，但不看其标签",
    "it varies less": "波动更小",
    "it varies more": "波动更大",
}

_STEPS = {
    "Steps on {task}, {model} {given}: of {whole} right answers of {method} whose steps can be checked, {part}"
    " ({share}; {range}) have a wrong step": (
        "步骤，{task}，{model}（{given}）：{method}有 {whole} 个正确答案的步骤可以检查，"
        "其中 {part} 个（{share}；{range}）含错误步骤"
    ),
    "{count} right answers have no step that can be checked": "{count} 个正确答案没有可以检查的步骤",
    "{share} of all steps checked are right ({range}; {unchecked} steps unchecked)": (
        "检查过的步骤中 {share} 正确（{range}；另有 {unchecked} 步无法检查）"
    ),
    "after right steps the answer is right in {share} ({range})": "步骤正确时答案正确的占 {share}（{range}）",
    "after a wrong step in {share} ({range})": "含错误步骤时占 {share}（{range}）",
    "A calculator on {task}, {model} {given}: with the sums of its steps worked out, {method} is right in"
    " {with_sums} instead of {without}, {points} ({range}; {verdict}; {sample})": (
        "计算器，{task}，{model}（{given}）：把步骤中的算式算对后，{method}的正确率为 {with_sums}，原为"
        " {without}，相差 {points}（{range}；{verdict}；{sample}）"
    ),
    "it replaced results in {part} of {whole} outputs": "它在 {whole} 个输出中的 {part} 个里改了结果",
}

_SECOND_READER = {
    "A second reader on {task}, {model} {given}: by math-verify {second} of the outputs of {method} are right"
    " ({second_range}), by the task's reader {first} ({first_range}), {points} ({range}; {verdict}; {sample})": (
        "另一种读法，{task}，{model}（{given}）：按 math-verify，{method}的输出有 {second} 正确（{second_range}），"
        "按任务自己的读法为 {first}（{first_range}），相差 {points}（{range}；{verdict}；{sample}）"
    ),
    "they find different answers in {differ} of outputs ({differ_range}), right by one alone in {disagree}"
    " ({disagree_range})": (
        "两者在 {differ} 的输出中读出不同的答案（{differ_range}），只有一方判为正确的占 {disagree}（{disagree_range}）"
    ),
    "of {outputs} outputs math-verify finds no answer in {second}, the task's reader in {first}": (
        "{outputs} 个输出中，math-verify 有 {second} 个读不出答案，任务自己的读法有 {first} 个"
    ),
    "math-verify ran out of time in {count}, which count as wrong by it": (
        "math-verify 在 {count} 个输出上超时，按它的读法算作错误"
    ),
}

SENTENCES: dict[str, str] = (
    _CALIBRATION
    | _SEARCH
    | _COMPARISON
    | _PROMPT_OR_TUNE
    | _BEST
    | _CHAIN
    | _SAMPLES
    | _STEPS
    | _SECOND_READER
    | _BEST_MODEL
    | _SHIFT
    | _COST
    | _LABELS
    | _UNDECIDED
)
"""English template -> Chinese one."""
