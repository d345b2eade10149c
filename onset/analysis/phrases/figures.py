"""What figures say in Chinese, by their English templates: captions, what stands beside plots, texts for the blind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onset.analysis.phrases import shifts

_CAPTIONS = {
    "Bars: 95 % intervals, Wilson’s for one draw of examples, over draws and items for several. Grey dashes: the"
    " accuracy of a blind guess, where it is above zero.": (
        "竖条：95 % 区间，一次抽取为 Wilson 区间，多次抽取则兼计抽取与题。灰色虚线：盲猜的准确率（大于零时）。"
    ),
    "Large points: the mean over seeds with its interval; small points: each seed by itself.": (
        "大点：各种子的平均及其区间；小点：每个种子单独的结果。"
    ),
    "Not drawn: {count} of {all} cells, which have no {what}.": ("未画出：{all} 个单元中有 {count} 个没有{what}。"),
    "parameter count": "参数量",
    "FLOP count": "FLOP 计数",
    "Above: accuracy (share of test items answered correctly) against the number of parameters, on a log scale.": (
        "上：准确率（答对的测试题的比例）随参数量的变化，对数刻度。"
    ),
    "Below: parse rate, the share of outputs an answer could be read from; where it is low, a low accuracy "
    "may be about format rather than ability.": (
        "下：可读率，即能读出答案的输出的比例；它低的地方，准确率低可能是格式的问题，而不是能力的问题。"
    ),
    "One line a method; sizes of different families are never joined. Points at one size are moved apart sideways.": (
        "每种方法一条线；不同家族的规模从不相连。同一规模上的点左右错开。"
    ),
    "Lines: the fitted curve that goes with the verdict.": "线：与判断相应的拟合曲线。",
    "Thin straight lines join the points of a method for which there is no curve: fewer than four sizes, or "
    "no curve that the data bear.": ("细直线连接没有曲线的方法的点：规模不足四种，或没有数据支持的曲线。"),
    "Above the plot: does accuracy grow smoothly with size or emerge, for methods with four sizes or more. "
    "Dotted, in the method's colour: the size at which its curve leaves chance, that is, comes to stand 5 "
    "points above it (more where items are few); shaded: the 95 % interval of that size.": (
        "图上方：有四种以上规模的方法，其准确率是随规模平滑增长还是突现。点线（用该方法的颜色）："
        "其曲线离开随机水平的规模，即比随机高出 5 个百分点之处（题少时更多）；阴影：该规模的 95 % 区间。"
    ),
    "In the middle: a continuous score of the same outputs, mean and 95 % interval; a jump of the ability "
    "shows in it as well, a jump of the metric does not.": (
        "中：同样输出的连续得分，平均与 95 % 区间；能力的跃升也会显示在其中，指标的跃升则不会。"
    ),
    "Above: accuracy (share of test items answered correctly), one row a model.": (
        "上：准确率（答对的测试题的比例），每个模型一行。"
    ),
    "Below: parse rate, the share of outputs an answer could be read from.": ("下：可读率，即能读出答案的输出的比例。"),
    "No model family has two sizes here, so there is no curve over size to draw.": (
        "这里没有一个模型家族有两种规模，所以没有随规模变化的曲线可画。"
    ),
    "Difference in accuracy, in percentage points, against the number of parameters, on a log scale: chain "
    "of thought minus answer-only on the same items, and a vote minus one sample. Bars: 95 % intervals of "
    "the paired comparisons. Shaded: between the size from which on chain of thought is shown to win and the "
    "one below it.": (
        "准确率之差（百分点）随参数量的变化，对数刻度：同样的题上思维链减直接作答，以及投票减单次采样。竖条："
        "配对比较的 95 % 区间。阴影：思维链可断定胜出的最小规模与其下一规模之间。"
    ),
    "Accuracy against the number of parameters, on a log scale, one curve a task of the same kind: the "
    "fitted curve that goes with its verdict (straight lines between the points where the data bear none). "
    "Diamond: where accuracy is halfway between its floor and its ceiling; the bar through it is the 95 % "
    "interval of that size.": (
        "准确率随参数量的变化，对数刻度，同类任务各一条曲线："
        "与其判断相应的拟合曲线（数据不支持曲线时用直线连点）。菱形：准确率走完从下限到上限的一半之处；"
        "穿过它的横条是该规模的 95 % 区间。"
    ),
    "Models of one family and size that differ in their training, one row a pair and method. Above: accuracy "
    "of the reference, the base model unless another is named (hollow), and of the other one (filled). Below:"
    " the difference in percentage points with its 95 % interval; left of the line the other model is less "
    "accurate.": (
        "同一家族、同一规模而训练不同的模型，每对模型和方法一行。上：参照模型（未另注明时为基础模型，"
        "空心）与另一模型（实心）的准确率。下：差值（百分点）及其 95 % 区间；竖线左边表示另一模型较不准。"
    ),
    "Accuracy against the number of labelled examples a method was given, on a log scale, one panel a model. "
    "Budgets are nested: the larger one contains the smaller one's examples.": (
        "准确率随方法所得标注样例数的变化，对数刻度，每个模型一幅。样例是嵌套的：多的包含少的。"
    ),
    "Dashed horizontal lines: methods that use no labelled example.": "水平虚线：不用标注样例的方法。",
    "Accuracy against the floating-point operations one query costs, on a log scale: inference (2 operations "
    "a parameter and token, demonstrations included, nothing reused between queries) plus tuning divided by "
    "the number of queries the tuned model serves ({queries} unless moved). Lines join sizes of one family.": (
        "准确率与一次提问的浮点运算量，对数刻度：推理（每个参数每个词元 2 次运算，含示例，"
        "各次提问之间不重用）加上微调分摊到所服务的提问次数（未移动时为 {queries}）。"
        "线连接同一家族的各规模。"
    ),
    "Grey steps: the highest accuracy for that cost or less.": "灰色阶梯：该成本或更低成本下的最高准确率。",
    "Accuracy on the task's own test items (left) and on shifted ones (right), joined for each method, one"
    " panel a model. Thin bars: 95 % intervals, beside each other where methods are close.": (
        "任务原有测试题（左）与变化后的测试题（右）上的准确率，按方法相连，每个模型一幅。细条：95 % 区间，"
        "方法相近时并排。"
    ),
    **shifts.CAPTIONS,
    "Difference in accuracy between the first and the second method named, in percentage points, with its 95 "
    "% interval. Right of the line the first method is more accurate.": (
        "前一方法与后一方法的准确率之差（百分点）及其 95 % 区间。竖线右边表示前者更准。"
    ),
    "One row for each label of the test items, one column for each label answered: how many items, over all "
    "draws; the colour is the share of the row. Right answers stand on the diagonal. The last two columns "
    "hold answers that are none of the labels, and outputs no answer was found in: they count as wrong. "
    "Macro-F1: the mean of the F1 of the labels, with its 95 % interval.": (
        "测试题的每个标签一行，答出的每个标签一列：各次抽取合计的题数；颜色是在该行中的比例。"
        "答对的在对角线上。最后两列是不属于任何标签的答案和读不出答案的输出，都算答错。宏 F1：各标签 F1 "
        "的平均，附 95 % 区间。"
    ),
    "Accuracy against the number k of samples an item, on a log scale, from one bank of samples: averaged over all"
    " subsets of k of them. Solid: the answer of most of the k samples (maj@k; ties are split evenly). Dashed: the"
    " share of items at which at least one of them is right (pass@k), which a perfect choice among them would"
    " reach. Shaded: 95 % intervals.": (
        "准确率随每题采样次数 k 的变化，对数刻度，取自同一批采样：对其中所有 k 次的子集取平均。实线：k "
        "次采样中多数的答案（maj@k；平局平分）。虚线：至少有一次正确的题的比例（pass@k），"
        "即在其中完美挑选所能达到的。阴影：95 % 区间。"
    ),
    "Above: accuracy against the thinking tokens of an output (their mean, marks of thinking included), one point"
    " a budget; lines join budgets that are asked alike in everything else. Below: the share of outputs that used"
    " up the budget before they had done thinking. Bars: 95 % intervals. Grey dashes: the accuracy of a blind"
    " guess, where it is above zero.": (
        "上：准确率随每个输出的思考词元数（平均值，含思考的起止标记）的变化，每个预算一点；"
        "线连接除预算外问法完全相同的点。下：还没想完就用尽预算的输出的比例。竖条：95 % 区间。"
        "灰色虚线：盲猜的准确率（大于零时）。"
    ),
    "Shares of all outputs (over items, draws and samples) by answer and steps. Steps are right where some could be"
    " checked and none is wrong, by the sums in them and by what the task knows; they are unchecked where none"
    " could be.": (
        "按答案与步骤划分的全部输出的比例（合计各题、各次抽取与采样）。步骤正确：有可以检查的步骤且都不错，"
        "依据其中的算式和任务所知的内容；没有可以检查的则为未检查。"
    ),
}

_PLACES = {
    "{at}: {method} appears: its curve stands {points} points above chance (dotted; shaded: 95 % interval)": (
        "{at}：{method}出现：其曲线比随机水平高出 {points} 个百分点（虚线；阴影：95 % 区间）"
    ),
    "{at}: {method} leaves chance: its curve stands {points} points above it (dotted; shaded: 95 % interval)": (
        "{at}：{method}离开随机水平：其曲线高出 {points} 个百分点（虚线；阴影：95 % 区间）"
    ),
    "{at}: {method} is halfway: its curve is midway between its floor and its ceiling": (
        "{at}：{method}走完一半：其曲线在下限与上限的正中"
    ),
    "{at}: {method} overtakes {other}: the two fitted curves meet": "{at}：{method}超过{other}：两条拟合的曲线相交",
    "{at}: {method} is shown to beat {other}: the smallest size measured from which on it wins at every size, item by"
    " item": "{at}：可以断定{method}胜过{other}：逐题比较，从这一测过的规模起，它在每种规模上都胜出",
}

_CONFIDENCE = {
    "The share that is right among the surest answers, against the share of the questions that is answered; a flat"
    " line says that confidence tells nothing. With fewer than 100 answered items confidence is not held against"
    " accuracy.": (
        "最有把握的答案中的答对比例，随作答比例的变化；水平线表示置信度没有信息。有答案的题不足 100 道时，"
        "不以准确率衡量置信度。"
    ),
    "Above: outcomes in bins of equal mass by confidence, the share that is right against the mean confidence; on"
    " the grey line a method is as sure as it is right, below it too sure. Methods with fewer than 100 answered"
    " items have no bins. Below: the share that is right among the surest answers, against the share of the"
    " questions that is answered; a flat line says that confidence tells nothing.": (
        "上：按置信度等量分箱的结果，答对比例随平均置信度的变化；灰线上的方法其把握与准确率相符，线下则过于自信。有答案的题"
        "不足 100 道的方法没有分箱。下：最有把握的答案中的答对比例，随作答比例的变化；水平线表示置信度没有信息。"
    ),
    "{task}, {model}: accuracy against confidence.": "{task}，{model}：准确率随置信度的变化。",
    "{method}: {sure} sure on average and right in {right}; area under the risk-coverage curve {area} %": (
        "{method}：平均置信度 {sure}，答对 {right}；风险—覆盖率曲线下面积 {area} %"
    ),
}

_BESIDE = {
    "difference": "差值",
    "accuracy": "准确率",
    "{name}: {said}": "{name}：{said}",
    "{ratio} times": "{ratio} 倍",
    "{said}, of sizes from {low} to {high}": "{said}；测过的规模从 {low} 到 {high}",
    "chance {level}": "随机水平 {level}",
    "mean of {count} seeds": "{count} 个种子的平均",
    "not measured": "未测",
    "{low} to {high} %": "{low} 至 {high} %",
    "{a} and {b}": "{a} 与 {b}",
    "{part} of {whole} ({share})": "{part} / {whole}（{share}）",
    "answered": "答出的标签",
    "majority of k samples": "k 次采样取多数",
    "any of k samples": "k 次采样中任一正确",
    "Samples an item": "每题采样次数",
    "Thinking tokens an output": "每个输出的思考词元数",
    "Thinking tokens": "思考词元数",
    "Right, by confidence": "各置信度下的准确率",
    "Right among the surest": "最有把握者中的准确率",
    "Mean confidence of a bin": "分箱的平均置信度",
    "Mean confidence": "平均置信度",
    "Outcomes": "结果数",
    "Share of the questions answered": "作答的题的比例",
    "Kept": "作答比例",
    "Budget used up": "用尽预算",
    "Budget": "预算",
    "Asked alike": "问法相同",
    "{share} ({low}–{high} %; {sample})": "{share}（{low}–{high} %；{sample}）",
    "right answer, right steps": "答对，步骤正确",
    "right answer, steps unchecked": "答对，步骤未检查",
    "right answer, a wrong step": "答对，含错误步骤",
    "wrong answer, right steps": "答错，步骤正确",
    "wrong answer, steps unchecked": "答错，步骤未检查",
    "wrong answer, a wrong step": "答错，含错误步骤",
    "Share of outputs": "输出的比例",
    "Answer and steps": "答案与步骤",
    "Outputs": "输出",
    "Answer": "答案",
    "label": "标签",
    "Labelled examples": "标注样例",
    "Log-probability of the gold answer (nats)": "标准答案的对数概率（nat）",
    "Probability of the gold answer among the choices": "标准答案在选项中的概率",
    "Token F1 of the answer and the nearest right one": "答案与最接近的正确答案的词级 F1",
    "Share of samples that are right": "采样中答对的比例",
    "Edit similarity of the answer to the gold one": "答案与标准答案的编辑相似度",
    "{verdict}, leaves chance between {low} and {high}": "{verdict}，在 {low} 与 {high} 之间离开随机水平",
    "{verdict}, leaves chance above {low}": "{verdict}，在 {low} 以上离开随机水平",
    "{verdict}, leaves chance below {high}": "{verdict}，在 {high} 以下离开随机水平",
    "{verdict}, leaves chance at {at} ({range})": "{verdict}，在 {at} 处离开随机水平（{range}）",
    "unbounded": "两端未定",
    "other answer": "其他答案",
    "given {reference}": "参照 {reference}",
    "{method}: macro-F1 {f1} ({low} to {high})": "{method}：宏 F1 {f1}（{low} 至 {high}）",
    "Correct, 95 % interval": "答对，95 % 区间",
    "Score": "得分",
    "Gain, 95 % interval": "增益，95 % 区间",
    "Model and method": "模型与方法",
    "Stage and methods": "阶段与方法",
    "Reference and stage": "参照与阶段",
    "Training": "训练",
    "Before and after": "之前与之后",
    "pass@k: at least one of k samples is right": "pass@k：k 个样本中至少有一个正确",
    "Reference and other": "参照与另一模型",
    "Difference": "差值",
    "Label": "标签",
    "Answered": "答出",
    "Use of labels": "标注的用途",
}

_DESCRIBED = {
    "{title}: accuracy against {against} for {methods} on {models}.": (
        "{title}：{models} 上{methods}的准确率随{against}的变化。"
    ),
    "model size": "模型规模",
    "model": "模型",
    "labelled examples": "标注样例数",
    "floating-point operations a query": "每次提问的浮点运算量",
    "the shift": "分布变化",
    "Every number is in the table of cells.": "所有数字都在单元表中。",
    "Every number is in the table of comparisons.": "所有数字都在比较表中。",
    "{task}: gain against model size, {words}.": "{task}：增益随模型规模的变化，{words}。",
    "{a} minus {b}": "{a}减{b}",
    "{title}: accuracy against model size for {tasks}.": "{title}：{tasks}的准确率随模型规模的变化。",
    "{task}: {compared}, each against the base model of the same size unless another is named.": (
        "{task}：{compared}，未另注明时都与同规模的基础模型相比。"
    ),
    "{task}, {model}: accuracy against thinking tokens.": "{task}，{model}：准确率随思考词元数的变化。",
    "{line}: {first} with {few} thinking tokens (budget {small}), {last} with {many} (budget {large})": (
        "{line}：{few} 个思考词元（预算 {small}）时 {first}，{many} 个（预算 {large}）时 {last}"
    ),
    "{task}, {model}: accuracy against the number of samples.": "{task}，{model}：准确率随采样次数的变化。",
    "{method}: {one} with one sample, {majority} by the majority of {count}, {any} by the best of them": (
        "{method}：一次采样 {one}，{count} 次取多数 {majority}，取其中最好的 {any}"
    ),
    "{task}, {model}: answers by their steps.": "{task}，{model}：答案与其步骤。",
    "{method}: {sound} right by right steps, {lucky} right by a wrong step": (
        "{method}：由正确步骤答对 {sound}，含错误步骤而答对 {lucky}"
    ),
    "{task}, {model}: confusion of {count} labels ({names}).": "{task}，{model}：{count} 个标签的混淆（{names}）。",
}

_NOTES = {
    "With {examples}, {shown}.": "用{examples}时，{shown}。",
    "One draw: the verdict is about these examples, not about others.": "只抽取了一次：判断只就这批样例而言。",
    "Undecided beside an interval without 0: the interval is of that comparison alone, p is corrected for "
    "all comparisons of its family.": ("区间不含 0 而仍未定：区间只属于该比较，p 则按同组全部比较校正。"),
    "Noise between draws is pooled over {comparisons} comparisons ({design}; {independent} independent): "
    "prior of {df} degrees of freedom.": (
        "各次抽取之间的噪声由 {comparisons} 个比较合并估计（{design}；其中 {independent} 个独立）：先验自由度 {df}。"
    ),
    "Not pooled: {why}.": "未合并：{why}。",
    "Prompt with {what}; {how}": "提示：{what}；{how}",
    "question and answer pairs": "问题与答案对",
    "question and answer pairs, answered by the most probable choice (rank classification)": (
        "问题与答案对，取概率最大的选项作答（排序分类）"
    ),
    "questions with worked steps and answers (chain of thought)": "带解题步骤和答案的问题（思维链）",
    "samples that the model itself then calls true or false": "采样后由模型自己判断真假",
    "a tree of explanations of why a statement is true and false (maieutic)": (
        "解释陈述为何真、为何假的树（助产式提示）"
    ),
    "worked steps, written again as equations that are checked line by line": "解题步骤，再写成逐行检查的等式",
    "a passage found for the question": "为问题检索到的段落",
    "a passage that the model has written for the question": "模型为问题写出的段落",
    "questions with passages that answer them; passages recited before answering": (
        "问题与含答案的段落；作答前先背诵段落"
    ),
    "question and answer pairs, each after triples and glosses of what it is about": (
        "问题与答案对，各配所涉概念的三元组与释义"
    ),
    "{count} demonstrations": "{count} 个示例",
    "as many of the labelled examples as fit": "放得下多少标注样例就放多少",
    "{how} on {what}; the tuned model is asked without demonstrations": "用{what}做{how}；微调后的模型不带示例提问",
    "{how} on {what}; the tuned model is asked with {count} demonstrations": (
        "用{what}做{how}；微调后的模型带 {count} 个示例提问"
    ),
    "LoRA (low-rank adapters)": " LoRA（低秩适配器）微调",
    "Full fine-tuning": "全参数微调",
    "BitFit (bias terms)": " BitFit（只训练偏置项）微调",
    "IA3 (scaled keys, values and inner activations)": " IA3（缩放键、值和中间激活）微调",
    "Prefix tuning (keys and values before the text)": "前缀微调（文本之前的键和值）",
    "Prompt tuning (a soft prompt)": "提示微调（软提示）",
    "Sequential adapters (bottlenecks after the layers)": "串行适配器（各层之后的瓶颈模块）微调",
    "Parallel adapters (bottlenecks beside the feed-forward parts)": "并行适配器（前馈部分旁的瓶颈模块）微调",
    "MAM (a prefix and scaled parallel adapters)": " MAM（前缀加缩放并行适配器）微调",
    "questions and answers": "问题与答案",
    "prompts with demonstrations": "带示例的提示",
    "what the prompted model says itself": "带示例时模型自己的输出（提示蒸馏）",
    "its own worked steps that lead to the majority's answer": "模型自己写出、且得出多数答案的解题步骤（自我改进）",
    "questions with worked steps and answers": "带解题步骤和答案的问题",
    "optimiser steps {count}": "优化步数 {count}",
    "epochs {count}": "训练轮数 {count}",
    "peak learning rate {count}": "最高学习率 {count}",
    "through the model's chat template": "通过模型的对话模板",
    "in plain text": "以纯文本",
    "{vote} of {samples} samples at temperature {temperature}": "温度 {temperature} 下采样 {samples} 次，{vote}",
    "majority": "取多数",
    "what a verifier trained on solutions of the examples ranks highest": "取验证器（用样例的解答训练）排名最高者",
    "majority of those with most steps": "步骤最多者中取多数",
    "the answer of the largest summed probability": "取概率之和最大的答案",
    "questions with state traces and answers (scratchpad)": "带状态轨迹和答案的问题（草稿）",
    "question and answer pairs, and thinking before the answer": "问题与答案对，先思考再作答",
    "the words that make a model write steps, then those that ask for the answer": (
        "引出解题步骤的一句话，再加询问答案的一句话"
    ),
    "drawn at random": "随机抽取",
    "each label equally often": "各标签同样多",
    "the nearest to the question by BM25": "按 BM25 与问题最接近的",
    "the most complex ones": "最复杂的",
    "the simplest ones": "最简单的",
    "the longest ones": "最长的",
    "picked by hand": "人工指定的",
    "no demonstrations": "不给示例",
    "{many}, {which}": "{many}，{which}",
    "{count} shown in the prompt": "{count} 个在提示中展示",
    "{count} trained on": "{count} 个用于微调",
    "{count} whose solutions a verifier learnt from": "{count} 个的解答用于训练验证器",
    "{count} asked without their answers": "{count} 个只用其问题，不用答案",
    "{count} tried settings on": "{count} 个用于挑选设置",
    "{count} beyond the budget": "{count} 个在预算之外",
    "settings chosen within the granted examples": "在已给的样例之内挑选设置",
    "settings chosen on labels beyond the budget: an upper bound": "用预算之外的标注挑选设置：上限",
    "{count} used for {use}": "{count} 个用于 {use}",
}

FIGURES: Mapping[str, str] = MappingProxyType(
    _CAPTIONS | _CONFIDENCE | _PLACES | _BESIDE | _DESCRIBED | _NOTES | shifts.FIGURES
)
