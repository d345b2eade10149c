"""The short lines of findings: question or curve, verdict, and what is known; English and Chinese."""

from __future__ import annotations

LINES: dict[str, tuple[str, str]] = {
    "of": ("{of}: {line}", "{of}：{line}"),
    # a curve over size
    "curve.emergent": (
        "{method} appears with size, faster than any smooth curve",
        "{method}随规模突现，快于任何平滑曲线",
    ),
    "curve.emergent.gap": (
        "{method} appears between {low} and {high} parameters",
        "{method}在 {low} 与 {high} 参数之间出现",
    ),
    "curve.emergent.at": (
        "{method} appears at about {at} parameters ({range})",
        "{method}在约 {at} 参数处出现（{range}）",
    ),
    "curve.smooth": ("{method} grows smoothly with size", "{method}随规模平滑增长"),
    "curve.smooth.at": (
        "{method} grows smoothly with size, halfway at about {at} parameters ({range})",
        "{method}随规模平滑增长，约 {at} 参数处走完一半（{range}）",
    ),
    "curve.flat": (
        "{method} does not change with size, from {first} to {last} parameters",
        "{method}从 {first} 到 {last} 参数不随规模变化",
    ),
    "curve.inverse": (
        "{method} gets worse with size, from {first} to {last} parameters",
        "{method}从 {first} 到 {last} 参数随规模变差",
    ),
    "curve.u-shaped": (
        "{method} gets worse with size and then better, from {first} to {last} parameters",
        "{method}从 {first} 到 {last} 参数先变差后变好",
    ),
    "curve.unresolved": (
        "{method} is not shown to change with size, from {first} to {last} parameters",
        "没有证据表明{method}从 {first} 到 {last} 参数有变化",
    ),
    "curve.unresolved.no fit": (
        "{method} follows no curve over size: {start} right at {first} parameters, {end} at {last}",
        "{method}不随规模成任何曲线：{first} 参数时答对 {start}，{last} 时 {end}",
    ),
    "curve.unresolved.grows": (
        "{method} grows with size; whether smoothly or all at once is not decided",
        "{method}随规模增长；是平滑还是突现尚不能断定",
    ),
    "curves.no curve": (
        "accuracy was measured at {sizes}; a curve takes {least}",
        "只在 {sizes}上测过准确率；画曲线需要 {least} 种",
    ),
    # one method over another, by size
    "crossover.from": (
        "{method} beats {other} from {shown} parameters on, not at {below}",
        "{method}从 {shown} 参数起胜过{other}，在 {below} 处还没有",
    ),
    "crossover.from.at": (
        "{method} overtakes {other} at {at} parameters ({range}); shown from {shown} on",
        "{method}在 {at} 参数处超过{other}（{range}）；从 {shown} 起可以断定",
    ),
    "crossover.always": (
        "{method} beats {other} at every size, from {first} parameters on",
        "{method}从 {first} 参数起在每种规模上都胜过{other}",
    ),
    "crossover.none": (
        "{method} beats {other} at no size up to {last} parameters",
        "直到 {last} 参数，{method}在任何规模上都不胜过{other}",
    ),
    "crossover.unresolved": (
        "from which size on {method} beats {other} is not shown",
        "{method}从哪种规模起胜过{other}，尚不能断定",
    ),
    "crossover.unresolved.at": (
        "{method} may overtake {other} at {at} parameters ({range}); a lasting lead is not shown",
        "{method}或许在 {at} 参数处超过{other}（{range}）；持续领先尚不能断定",
    ),
    "voting.helps": (
        "a vote over {other} adds most at {size} parameters: {points} ({range})",
        "对{other}投票在 {size} 参数处增益最大：{points}（{range}）",
    ),
    "voting.hurts": (
        "a vote over {other} helps at no size and hurts at some; at best {points} ({range})",
        "对{other}投票在任何规模上都无益，有的规模上有害；最好时 {points}（{range}）",
    ),
    "voting.equivalent": (
        "a vote over {other} makes no difference at any size; the largest: {points} ({range})",
        "对{other}投票在任何规模上都没有差别；最大的是 {points}（{range}）",
    ),
    "voting.undecided": (
        "a vote over {other} is not shown to help at any size; the largest gain: {points} ({range})",
        "没有证据表明对{other}投票在某种规模上有益；最大增益 {points}（{range}）",
    ),
    "calibration.narrows": (
        "{method} varies {ratio} times as much between draws as {other} ({range})",
        "{method}在各次抽取之间的波动是{other}的 {ratio} 倍（{range}）",
    ),
    "calibration.widens": (
        "{method} varies {ratio} times as much between draws as {other} ({range})",
        "{method}在各次抽取之间的波动是{other}的 {ratio} 倍（{range}）",
    ),
    "calibration.undecided": (
        "{method} is not shown to vary otherwise between draws than {other}: {ratio} times ({range})",
        "没有证据表明{method}在各次抽取之间的波动与{other}不同：{ratio} 倍（{range}）",
    ),
    "search.gains": (
        "choosing settings within the budget gains {method} {points} ({range})",
        "在预算内挑选设置使{method}提高 {points}（{range}）",
    ),
    "search.loses": (
        "choosing settings within the budget costs {method} {points} ({range})",
        "在预算内挑选设置使{method}变化 {points}（{range}）",
    ),
    "search.equivalent": (
        "choosing settings within the budget makes no difference to {method}: {points} ({range})",
        "在预算内挑选设置对{method}没有差别：{points}（{range}）",
    ),
    "search.undecided": (
        "choosing settings within the budget is not shown to help {method}: {points} ({range})",
        "没有证据表明在预算内挑选设置对{method}有益：{points}（{range}）",
    ),
    "samples.gains": (
        "{vote} gains {points} over one of its {count} samples ({range})",
        "{vote}比其 {count} 次采样中的一次高 {points}（{range}）",
    ),
    "samples.loses": (
        "{vote} is worse than one of its {count} samples: {points} ({range})",
        "{vote}不如其 {count} 次采样中的一次：{points}（{range}）",
    ),
    "samples.equivalent": (
        "{vote} is no better than one of its {count} samples: {points} ({range})",
        "{vote}并不好于其 {count} 次采样中的一次：{points}（{range}）",
    ),
    "samples.undecided": (
        "{vote} is not shown to beat one of its {count} samples: {points} ({range})",
        "没有证据表明{vote}胜过其 {count} 次采样中的一次：{points}（{range}）",
    ),
    "process.sound": (
        "right answers of {method} come from right steps: a wrong one in {share} ({range} %)",
        "{method}的正确答案来自正确的步骤：含错误步骤的占 {share}（{range} %）",
    ),
    "process.lucky": (
        "{share} of the right answers of {method} have a wrong step ({range} %)",
        "{method}的正确答案中有 {share} 含错误步骤（{range} %）",
    ),
    "process.undecided": (
        "not settled: {share} of the right answers of {method} have a wrong step ({range} %)",
        "{method}的正确答案是否来自正确的步骤尚不能断定：{share} 含错误步骤（{range} %）",
    ),
    "calculator.gains": (
        "a calculator for the sums of {method} on {model} adds {points} ({range})",
        "用计算器算{method}中的算式，{model} 提高 {points}（{range}）",
    ),
    "calculator.loses": (
        "a calculator for the sums of {method} on {model} costs: {points} ({range})",
        "用计算器算{method}中的算式，{model} 反而降低：{points}（{range}）",
    ),
    "calculator.equivalent": (
        "a calculator for the sums of {method} makes no difference for {model}: {points} ({range})",
        "用计算器算{method}中的算式，对 {model} 没有差别：{points}（{range}）",
    ),
    "calculator.undecided": (
        "whether a calculator for the sums of {method} helps {model} is not decided: {points} ({range})",
        "用计算器算{method}中的算式对 {model} 是否有益，尚不能断定：{points}（{range}）",
    ),
    "second reader.higher": (
        "math-verify reads {share} of outputs unlike the task ({method}): accuracy rises, {points} ({range})",
        "math-verify 对 {share} 的输出（{method}）读法不同，准确率升高：{points}（{range}）",
    ),
    "second reader.lower": (
        "math-verify reads {share} of outputs unlike the task ({method}): accuracy falls, {points} ({range})",
        "math-verify 对 {share} 的输出（{method}）读法不同，准确率降低：{points}（{range}）",
    ),
    "second reader.equivalent": (
        "math-verify reads {share} of outputs unlike the task ({method}): accuracy stays, {points} ({range})",
        "math-verify 对 {share} 的输出（{method}）读法不同，准确率不变：{points}（{range}）",
    ),
    "second reader.undecided": (
        "math-verify reads {share} of outputs unlike the task ({method}); undecided: {points} ({range})",
        "math-verify 对 {share} 的输出（{method}）读法不同；准确率是否改变尚不能断定：{points}（{range}）",
    ),
    "size by task.ordered": (
        "“{larger}” needs {ratio} times the parameters of “{smaller}” ({range})",
        "“{larger}”需要的参数是“{smaller}”的 {ratio} 倍（{range}）",
    ),
    "size by task.undecided": (
        "whether “{larger}” needs a larger model than “{smaller}” is undecided ({ratio} times; {range})",
        "“{larger}”是否比“{smaller}”需要更大的模型，尚不能断定（{ratio} 倍；{range}）",
    ),
    # methods at one size
    "best method.best": ("{method} does best: {share} ({range} %)", "{method}最好：{share}（{range} %）"),
    "best method.undecided": (
        "{method} scores highest, {share} ({range} %), not shown to beat every other",
        "{method}得分最高，{share}（{range} %），但不能断定胜过所有其他方法",
    ),
    "best method.undecided.tied": (
        "{method} score highest alike, {share} ({range} %)",
        "{method}得分同为最高，{share}（{range} %）",
    ),
    "best method.measured": ("{method} reaches {share} ({range} %)", "{method}达到 {share}（{range} %）"),
    "best method.not above chance": (
        "no method is shown to beat chance ({chance}); best is {method}, {share} ({range} %)",
        "没有方法可以断定高于随机水平（{chance}）；最好的是{method}，{share}（{range} %）",
    ),
    "prompt or tune.tuning": (
        "tuning wins: {tuned} beats {prompted} by {points} ({range})",
        "微调胜出：{tuned}比{prompted}高 {points}（{range}）",
    ),
    "prompt or tune.prompting": (
        "prompting wins: {prompted} beats {tuned} by {points} ({range})",
        "提示胜出：{prompted}比{tuned}高 {points}（{range}）",
    ),
    "prompt or tune.equivalent": (
        "{tuned} and {prompted} are level: they differ by {points} ({range})",
        "{tuned}与{prompted}不相上下：相差 {points}（{range}）",
    ),
    "prompt or tune.undecided": (
        "undecided between {tuned} and {prompted}: {points} ({range})",
        "{tuned}与{prompted}难分高下：{points}（{range}）",
    ),
    "best model.best": (
        "best is {model}, {points} ahead of {other} ({range})",
        "最好的是 {model}，比 {other} 高 {points}（{range}）",
    ),
    "best model.undecided": (
        "highest is {model}, {points} above {other} ({range}); not settled",
        "最高的是 {model}，比 {other} 高 {points}（{range}），尚不能断定",
    ),
    "best model.undecided.level": (
        "as many right with {model} as with {other}, {share} ({range} points); none is ahead",
        "{model} 与 {other} 同样答对 {share}（{range} 个百分点），没有模型领先",
    ),
    "best model.undecided.shared": (
        "highest is {model}, {share}; level with {other} on the items of both ({range} points; n = {items})",
        "最高的是 {model}，{share}；在共有的题上与 {other} 持平（{range} 个百分点；n = {items}）",
    ),
    "best model.undecided.apart": (
        "highest is {model}, {share}; it shares no items with {other}, so they are not compared",
        "最高的是 {model}，{share}；它与 {other} 没有共同的题，不作比较",
    ),
    "best model.measured": ("{share} right with {model} ({range} %)", "答对 {share}：{model}（{range} %）"),
    "best model.not above chance": (
        "no model is shown to be above chance ({chance}); highest is {model}",
        "不能断定有模型高于随机水平（{chance}）；最高的是 {model}",
    ),
    "facts in weights.context": (
        "new facts, {probe}, are right in {weights} in weights and {context} in context: {points} ({range})",
        "新事实（{probe}）：在权重中答对 {weights}，在上下文中答对 {context}：{points}（{range}）",
    ),
    "facts in weights.weights": (
        "new facts, {probe}, are right in {weights} in weights, only {context} in context: {points} ({range})",
        "新事实（{probe}）：在权重中答对 {weights}，在上下文中只答对 {context}：{points}（{range}）",
    ),
    "facts in weights.equivalent": (
        "new facts, {probe}, are as usable in weights ({weights}) as in context ({context}): {points} ({range})",
        "新事实（{probe}）：在权重中（{weights}）与在上下文中（{context}）同样可用：{points}（{range}）",
    ),
    "facts in weights.undecided": (
        "new facts, {probe}: {weights} in weights, {context} in context: {points} ({range}), not settled",
        "新事实（{probe}）：在权重中 {weights}，在上下文中 {context}：{points}（{range}），尚不能断定",
    ),
    "knowledge by size.grows": (
        "{method} knows {points} more for a tenfold size ({range}), and a line fits",
        "规模增至十倍，{method}多答对 {points}（{range}），直线相符",
    ),
    "knowledge by size.falls": (
        "{method} knows less with size, {points} for a tenfold size ({range}), and a line fits",
        "规模增至十倍，{method}变化 {points}（{range}），直线相符",
    ),
    "knowledge by size.not linear": (
        "what {method} knows is no line in log size: a line would rise {points} for a tenfold ({range})",
        "{method}的知识与规模的对数不成直线：直线会升高 {points}（规模十倍；{range}）",
    ),
    "knowledge by size.undecided": (
        "whether {method} knows more with size is not decided: {points} for a tenfold size ({range})",
        "{method}的知识是否随规模增加尚不能断定：规模十倍时 {points}（{range}）",
    ),
    "passage or memory.passage": (
        "a wrong passage is believed by {model} in {share}, memory in {other}: {points} ({range})",
        "{model} 在 {share} 的题中相信错误段落，{other} 中相信记忆：相差 {points}（{range}）",
    ),
    "passage or memory.memory": (
        "memory is believed by {model} in {other}, a wrong passage in {share}: {points} ({range})",
        "{model} 在 {other} 的题中相信记忆，{share} 中相信错误段落：相差 {points}（{range}）",
    ),
    "passage or memory.undecided": (
        "{model} follows a wrong passage in {share} and memory in {other}; {points} ({range}), not settled",
        "{model} 在 {share} 的题中依从错误段落，{other} 中依从记忆；{points}（{range}），尚不能断定",
    ),
    "confidence.overconfident": (
        "{method} is surer of its answers than it is right, by {points} ({range})",
        "{method}的置信度比实际准确率高 {points}（{range}）",
    ),
    "confidence.underconfident": (
        "{method} is less sure of its answers than it is right, by {points} ({range})",
        "{method}的置信度比实际准确率低 {points}（{range}）",
    ),
    "confidence.matches": (
        "{method} is on average as sure as it is right: {points} apart ({range})",
        "{method}的置信度平均与准确率相符：相差 {points}（{range}）",
    ),
    "confidence.undecided": (
        "whether {method} is too sure of its answers is not decided: {points} ({range})",
        "{method}是否过于自信尚不能断定：{points}（{range}）",
    ),
    "abstention.gains": (
        "withholding unsure answers leaves less risk with {method} than {other}: {points} ({range})",
        "舍弃不确定的答案后，{method}的风险比{other}低 {points}（{range}）",
    ),
    "abstention.loses": (
        "withholding unsure answers leaves more risk with {method} than {other}: {points} ({range})",
        "舍弃不确定的答案后，{method}的风险比{other}高：{points}（{range}）",
    ),
    "abstention.undecided": (
        "whether {method} or {other} knows better when it is wrong is not decided: {points} ({range})",
        "{method}与{other}哪个更清楚自己何时出错尚不能断定：{points}（{range}）",
    ),
    "partial score.agrees": (
        "token F1 decides between methods as exact match does; {method} against {other}: {points} ({range})",
        "词级 F1 对各方法的判断与完全匹配一致；{method}对{other}：{points}（{range}）",
    ),
    "partial score.differs": (
        "token F1 decides otherwise than exact match; {method} against {other}: {points} ({range})",
        "词级 F1 的判断与完全匹配不同；{method}对{other}：{points}（{range}）",
    ),
    # other tools' scores that are not right or wrong
    "score.best": (
        "best {metric} is that of {model}: {value}, better than {other} by {gap} ({range})",
        "最好的 {metric} 属于 {model}：{value}，比 {other} 好 {gap}（{range}）",
    ),
    "score.undecided": (
        "best {metric} so far is that of {model}: {value}, ahead of {other} by {gap} ({range}); not settled",
        "目前最好的 {metric} 属于 {model}：{value}，比 {other} 好 {gap}（{range}），尚不能断定",
    ),
    "score.undecided.bare": (
        "best {metric} so far is that of {model}: {value}; {other} has {against}; no interval, not settled",
        "目前最好的 {metric} 属于 {model}：{value}；{other} 为 {against}；没有区间，尚不能断定",
    ),
    "score.measured": ("{value} {metric} with {model} ({range})", "得分 {metric} 为 {value}：{model}（{range}）"),
    "score.measured.bare": (
        "{value} {metric} with {model}, without a standard error",
        "得分 {metric} 为 {value}：{model}，没有标准误",
    ),
    "chain of thought.helps": (
        "{method} helps {model} by {points} ({range})",
        "{method}使 {model} 提高 {points}（{range}）",
    ),
    "chain of thought.hurts": (
        "{method} costs {model} {points} ({range})",
        "{method}使 {model} 降低 {points}（{range}）",
    ),
    "chain of thought.equivalent": (
        "{method} makes no difference for {model}: {points} ({range})",
        "{method}对 {model} 没有差别：{points}（{range}）",
    ),
    "chain of thought.mixed": (
        "{method} does not do the same for every model; for {model} {points} ({range})",
        "{method}对各模型的作用不同；对 {model} 为 {points}（{range}）",
    ),
    "chain of thought.undecided": (
        "whether {method} helps {model} is not decided: {points} ({range})",
        "{method}对 {model} 是否有益尚不能断定：{points}（{range}）",
    ),
    "ingredient.gains": (
        "the model {stage} gains {points} at {size} parameters ({range})",
        "“{stage}”的模型在 {size} 参数处高出 {points}（{range}）",
    ),
    "ingredient.loses": (
        "the model {stage} loses {points} at {size} parameters ({range})",
        "“{stage}”的模型在 {size} 参数处低 {points}（{range}）",
    ),
    "ingredient.equivalent": (
        "no ingredient makes a difference; most for the model {stage}: {points} ({range})",
        "没有哪种训练成分造成差别；最大的是“{stage}”的模型：{points}（{range}）",
    ),
    "ingredient.undecided": (
        "whether an ingredient matters is not decided; most for the model {stage}: {points} ({range})",
        "训练成分是否要紧尚不能断定；最大的是“{stage}”的模型：{points}（{range}）",
    ),
    "ingredient by size.later": (
        "the model {stage} needs {ratio} times the parameters ({range})",
        "“{stage}”的模型需要 {ratio} 倍的参数（{range}）",
    ),
    "ingredient by size.earlier": (
        "the model {stage} needs only {ratio} times the parameters ({range})",
        "“{stage}”的模型只需要 {ratio} 倍的参数（{range}）",
    ),
    "ingredient by size.not reached": (
        "the model {stage} is halfway at no size measured; the one it is against at {size} parameters",
        "“{stage}”的模型在测过的规模上都没有走完一半；对照模型在 {size} 参数处走完一半",
    ),
    "ingredient by size.undecided": (
        "whether the model {stage} needs more parameters is not decided",
        "“{stage}”的模型是否需要更多参数，尚不能断定",
    ),
    "ingredient by size.undecided.at": (
        "whether the model {stage} needs more parameters is not decided ({ratio} times; {range})",
        "“{stage}”的模型是否需要更多参数，尚不能断定（{ratio} 倍；{range}）",
    ),
    "shift.loses": (
        "{method} loses {points} under the shift {shift} ({range})",
        "在“{shift}”变化下{method}降低 {points}（{range}）",
    ),
    "shift.gains": (
        "no method is shown to lose under the shift {shift}; {method} gains {points} ({range})",
        "在“{shift}”变化下没有方法显示出降低；{method}提高 {points}（{range}）",
    ),
    "shift.undecided": (
        "no loss is shown under the shift {shift}; largest measured: {method}, {points} ({range})",
        "在“{shift}”变化下不能断定有损失；测得损失最大的是{method}：{points}（{range}）",
    ),
    "cost.pays": (
        "{tuned} is cheaper than {prompted} from about {queries} queries on",
        "从约 {queries} 次提问起，{tuned}比{prompted}便宜",
    ),
    "cost.pays.first": (
        "{tuned} is cheaper than {prompted} from the first query on",
        "从第一次提问起，{tuned}就比{prompted}便宜",
    ),
    "cost.pays.range": (
        "{tuned} is cheaper than {prompted} from about {queries} queries on ({range})",
        "从约 {queries} 次提问起，{tuned}比{prompted}便宜（{range}）",
    ),
    "break-even labels.reached": (
        "{tuned} beats {prompted} from about {labels} labels on ({range})",
        "{tuned}从约 {labels} 个标注起胜过{prompted}（{range}）",
    ),
    "break-even labels.reached.bound": (
        "{tuned} beats {prompted} from at most {labels} labels on",
        "{tuned}至多从 {labels} 个标注起胜过{prompted}",
    ),
    "break-even labels.throughout": (
        "{tuned} beats {prompted} from the fewest labels tried on ({labels})",
        "{tuned}从试过的最少标注数（{labels}）起就胜过{prompted}",
    ),
    "break-even labels.not reached": (
        "{tuned} does not beat {prompted} with up to {labels} labels",
        "{tuned}用到 {labels} 个标注仍不胜过{prompted}",
    ),
    "break-even labels.lost again": (
        "{tuned} beats {prompted} at some budgets and falls behind at larger ones",
        "{tuned}在有些标注数下胜过{prompted}，更多标注时又落后",
    ),
    "break-even labels.undecided": (
        "from how many labels on {tuned} beats {prompted} is not decided",
        "{tuned}从多少个标注起胜过{prompted}，尚不能断定",
    ),
    "cost.at first": (
        "{tuned} is cheaper than {prompted} up to about {queries} queries: finding the prompt took more",
        "在约 {queries} 次提问以内，{tuned}比{prompted}便宜：寻找提示花费更多",
    ),
    "cost.never": (
        "tuning never pays: a query of {tuned} costs no less than one of {prompted}",
        "微调永远不划算：{tuned}的一次提问不比{prompted}便宜",
    ),
    "undecided.undecided": ("undecided: {open} of {comparisons}", "{comparisons}中有 {open} 个尚不能断定"),
    "undecided.undecided.items": (
        "undecided: {open} of {comparisons}; more test items alone would decide {count} of them, half of these at about"
        " {items}",
        "{comparisons}中有 {open} 个尚不能断定；其中 {count} 个单靠增加测试题即可断定，约 {items} 道可断定这些的一半",
    ),
    # what a reader has to know first
    "results.no results": ("no cell of this study is finished", "这项研究还没有完成的单元"),
    "results.no results.bounds": (
        "every finished cell is an upper bound (settings chosen beyond the budget)",
        "完成的单元都是上界（设置用预算之外的标注选出）",
    ),
    "cells.incomplete": (
        "{cells} missing or failed: the rest is what this says",
        "{cells}缺失或失败：以下结论只据其余单元",
    ),
    "pairing.refused": (
        "in {comparisons} some seeds could not be compared and were left out",
        "{comparisons}中有些种子无法比较，已略去",
    ),
    # what to use
    "decision.best": (
        "use {method} on {model} {given}: {share} right ({range} %)",
        "请用 {model} 加{method}（{given}）：正确率 {share}（{range} %）",
    ),
    "decision.level": (
        "use {method} on {model} {given}: {share} right ({range} %)",
        "请用 {model} 加{method}（{given}）：正确率 {share}（{range} %）",
    ),
    "decision.open": (
        "not settled; so far {method} on {model} {given}: {share} right ({range} %)",
        "尚未定论；目前以 {model} 加{method}（{given}）最高：正确率 {share}（{range} %）",
    ),
    "decision.only one": (
        "{method} on {model} {given}: {share} right ({range} %); nothing else was tried",
        "{model} 加{method}（{given}）：正确率 {share}（{range} %）；没有试过别的",
    ),
    "decision.not above chance": (
        "nothing is shown to beat chance ({chance}): best of {count} is {method} on {model}, {share} ({range} %)",
        "暂不要用：未见有方法高于随机（{chance}）；{count} 种中最好的是 {model} 加{method}，{share}（{range} %）",
    ),
    "parse rate.low parse rate": (
        "in {settings} an answer was often not found; at worst it was found in {share} of outputs",
        "{settings}中常常找不到答案；最差时只在 {share} 的输出中找到",
    ),
    "wordy.wordy answers": (
        "in {settings} answers counted as wrong hold the right one among other words; at worst {share} of all",
        "{settings}中有些判错的答案在别的词之间含有正确答案；最多占全部的 {share}",
    ),
    "lost.overlong prompts": (
        "{prompts} did not fit the model's context and counted as wrong",
        "{prompts}放不进模型的上下文，算作答错",
    ),
    "sizes.size unknown": (
        "the size of {models} is not known: no place on curves over size, no FLOPs",
        "{models}的规模未知：不在规模曲线上，也没有 FLOPs",
    ),
    "lost.failed items": (
        "at {items} the method raised an error; they counted as wrong",
        "{items}上方法出错，算作答错",
    ),
    "one label.one label": (
        "{method} answers nearly always the same label: in {share} of its outputs",
        "{method}几乎总答同一个标签：占输出的 {share}",
    ),
    "majority.majority baseline": (
        "nothing is shown to beat the most frequent answer ({share})",
        "不能断定有什么胜过总答最常见的答案（{share}）",
    ),
}
