"""What is said of shifts beyond who loses how much: short lines in both languages, and sentences in Chinese by their
English templates.
"""

from __future__ import annotations

LINES: dict[str, tuple[str, str]] = {
    "matched loss.falls more": (
        "under {shift} {method} falls {points} more than others as accurate ({range})",
        "在“{shift}”变化下，{method}比同样准确的其他方法多降 {points}（{range}）",
    ),
    "matched loss.falls less": (
        "under {shift} {method} falls {points} less than others as accurate ({range})",
        "在“{shift}”变化下，{method}比同样准确的其他方法少降 {points}（{range}）",
    ),
    "matched loss.as others": (
        "under {shift} {method} falls as others as accurate do: {points} more ({range})",
        "在“{shift}”变化下，{method}与同样准确的其他方法降得一样多：多降 {points}（{range}）",
    ),
    "matched loss.as others.less": (
        "under {shift} {method} falls as others as accurate do: {points} less ({range})",
        "在“{shift}”变化下，{method}与同样准确的其他方法降得一样多：少降 {points}（{range}）",
    ),
    "matched loss.undecided": (
        "under {shift}, at equal accuracy, no fall is shown to differ: {method}, {points} more ({range})",
        "在“{shift}”变化下，未见有方法在同样准确时多降或少降：{method}，多降 {points}（{range}）",
    ),
    "matched loss.undecided.less": (
        "under {shift}, at equal accuracy, no fall is shown to differ: {method}, {points} less ({range})",
        "在“{shift}”变化下，未见有方法在同样准确时多降或少降：{method}，少降 {points}（{range}）",
    ),
    "worst shift.loses": (
        "worst of {count} shifts for {method}: {shift}, {points} lost ({range})",
        "{count} 种变化中对{method}最坏的是“{shift}”：降低 {points}（{range}）",
    ),
    "worst shift.holds": (
        "none of {count} shifts takes much from {method}: at most {points} ({shift}; {range})",
        "{count} 种变化都没有使{method}降低多少：至多 {points}（“{shift}”；{range}）",
    ),
    "worst shift.undecided": (
        "no loss is shown in {count} shifts for {method}: at most {points} ({shift}; {range})",
        "{count} 种变化中未见{method}降低：至多 {points}（“{shift}”；{range}）",
    ),
    "drop by size.rises": (
        "what {shift} takes from {method} grows with size: {points} per tenfold ({range})",
        "“{shift}”使{method}降低的幅度随规模增大：每十倍参数 {points}（{range}）",
    ),
    "drop by size.falls": (
        "what {shift} takes from {method} shrinks with size: {points} per tenfold ({range})",
        "“{shift}”使{method}降低的幅度随规模减小：每十倍参数 {points}（{range}）",
    ),
    "drop by size.undecided": (
        "what {shift} takes is not shown to change with size: {method}, {points} per tenfold ({range})",
        "未见“{shift}”使准确率降低的幅度随规模变化：{method}，每十倍参数 {points}（{range}）",
    ),
    "trap set.above": (
        "{method} is {points} above a constant answer on {shift} ({range})",
        "在“{shift}”上{method}比恒定答案高 {points}（{range}）",
    ),
    "trap set.below": (
        "{method} is {points} below a constant answer on {shift} ({range})",
        "在“{shift}”上{method}比恒定答案低 {points}（{range}）",
    ),
    "trap set.undecided": (
        "nothing is shown to differ from a constant answer on {shift}: {method}, {points} ({range})",
        "在“{shift}”上未见与恒定答案有别：{method}，{points}（{range}）",
    ),
    "worst group.uneven": (
        "under {shift} {method} is worst on {group}: {points} below all items ({range})",
        "在“{shift}”变化下，{method}最差的一组是 {group}：比全部题低 {points}（{range}）",
    ),
    "worst group.undecided": (
        "under {shift} no group is shown to be worse: {group}, {points} below all items ({range})",
        "在“{shift}”变化下，未见有哪一组更差：{group}，比全部题低 {points}（{range}）",
    ),
    "single answer.single answer": (
        "the test set {shift} has one answer alone: a constant answer is always right",
        "测试集“{shift}”只有一种答案：恒定答案总是对的",
    ),
}

_ORDER: dict[str, tuple[str, str]] = {
    "reverses": (
        "{a} is ahead of {b} on clean items and behind under {shift}: it loses {points} more ({range})",
        "原题上{a}领先{b}，在“{shift}”变化下落后：多降 {points}（{range}）",
    ),
    "narrows": (
        "the lead of {a} over {b} narrows by {points} under {shift} ({range})",
        "在“{shift}”变化下，{a}对{b}的领先缩小 {points}（{range}）",
    ),
    "widens": (
        "the lead of {a} over {b} widens by {points} under {shift} ({range})",
        "在“{shift}”变化下，{a}对{b}的领先扩大 {points}（{range}）",
    ),
    "keeps": (
        "{a} keeps its lead over {b} under {shift}: change {points} ({range})",
        "在“{shift}”变化下，{a}仍领先{b}：变化 {points}（{range}）",
    ),
    "undecided": (
        "whether {shift} changes the order of {a} and {b} is open: {points} ({range})",
        "“{shift}”变化是否改变{a}与{b}的先后，尚不能断定：{points}（{range}）",
    ),
}
LINES["win under shift.wins"] = (
    "under {shift} alone {a} is shown to beat {b}: {points} ({range})",
    "只在“{shift}”变化下可以断定{a}胜过{b}：{points}（{range}）",
)
LINES |= {f"order under shift.{verdict}": said for verdict, said in _ORDER.items()}

LABELS: dict[str, tuple[str, str]] = {
    "kind.matched loss": ("At equal accuracy", "同等准确率下"),
    "falls more": ("falls more", "降得更多"),
    "falls less": ("falls less", "降得更少"),
    "as others": ("falls as others do", "降得一样多"),
    "difference.matched loss": ("shifted − as expected", "变化后 − 预期"),
    "kind.order under shift": ("Order under a shift", "变化下的先后"),
    "kind.complex demonstrations": ("Complex demonstrations", "复杂样例"),
    **{
        f"{kind}.{verdict}": said
        for kind in ("order under shift", "complex demonstrations")
        for verdict, said in {
            "reverses": ("order reverses", "先后颠倒"),
            "narrows": ("lead narrows", "领先缩小"),
            "widens": ("lead widens", "领先扩大"),
            "keeps": ("lead is kept", "仍领先"),
        }.items()
    },
    "difference.order under shift": ("lead shifted − clean", "变化后的领先 − 原题上的"),
    "difference.complex demonstrations": ("lead shifted − clean", "变化后的领先 − 原题上的"),
    "kind.win under shift": ("Win under a shift", "变化下的胜出"),
    "win under shift.wins": ("better under the shift", "变化下更好"),
    "kind.worst shift": ("Worst shift", "最坏的变化"),
    "holds": ("holds", "不降"),
    "kind.drop by size": ("Drop by size", "降幅与规模"),
    "rises": ("grows with size", "随规模增大"),
    "falls": ("shrinks with size", "随规模减小"),
    "kind.trap set": ("Trap set", "陷阱测试集"),
    "above": ("above a constant answer", "高于恒定答案"),
    "below": ("below a constant answer", "低于恒定答案"),
    "difference.trap set": ("balanced − constant", "均衡准确率 − 恒定答案"),
    "kind.worst group": ("Worst group", "最差的一组"),
    "uneven": ("one group is worse", "有一组更差"),
    "difference.worst group": ("all − worst group", "全部 − 最差的一组"),
    "single answer": ("one answer alone", "只有一种答案"),
}

SENTENCES: dict[str, str] = {
    "{method} falls {points} more than other methods of its clean accuracy ({range}; {arms})": (
        "{method}比原题上同样准确的其他方法多降 {points}（{range}；{arms}）"
    ),
    "{method} falls {points} less than other methods of its clean accuracy ({range}; {arms})": (
        "{method}比原题上同样准确的其他方法少降 {points}（{range}；{arms}）"
    ),
    "{method} falls as they do, within the margin ({points} more; {range}; {arms})": (
        "{method}与它们降得一样多，在界限之内（多降 {points}；{range}；{arms}）"
    ),
    "{method} falls as they do, within the margin ({points} less; {range}; {arms})": (
        "{method}与它们降得一样多，在界限之内（少降 {points}；{range}；{arms}）"
    ),
    "{method} falls {points} more, which is not shown ({range}; {arms})": (
        "{method}多降 {points}，尚不能断定（{range}；{arms}）"
    ),
    "{method} falls {points} less, which is not shown ({range}; {arms})": (
        "{method}少降 {points}，尚不能断定（{range}；{arms}）"
    ),
    "over all {arms} shifted accuracy follows clean accuracy on a line of slope {slope} in log-odds": (
        "在全部{arms}上，变化后的准确率随原题上的准确率在对数几率上成一条直线，斜率 {slope}"
    ),
    "{arms} could not be held against others": "{arms}无法与其他方法对照",
    "under the shift {shift} on {task}, at equal clean accuracy: {said} ({sample})": (
        "在“{shift}”变化下，{task}，原题上准确率相同时：{said}（{sample}）"
    ),
    "the order of {a} and {b} reverses": "{a}与{b}的先后颠倒",
    "the lead of {a} over {b} narrows": "{a}对{b}的领先缩小",
    "the lead of {a} over {b} widens": "{a}对{b}的领先扩大",
    "{a} keeps its lead over {b}": "{a}仍领先{b}",
    "whether the order of {a} and {b} changes is not shown": "{a}与{b}的先后是否改变，尚不能断定",
    "{a} minus {b} is {before} on clean items ({before_range}) and {after} under the shift ({after_range}), a"
    " change of {change} ({range})": (
        "{a}减{b}在原题上为 {before}（{before_range}），变化后为 {after}（{after_range}），改变 {change}（{range}）"
    ),
    "under the shift {shift} on {task}, {model} {given}: {head}: {said} ({sample})": (
        "在“{shift}”变化下，{task}，{model}（{given}）：{head}：{said}（{sample}）"
    ),
    "under the shift {shift} on {task}, {model} {given}: {a} is better than {b}, by {points} ({range}; p {p},"
    " corrected for {comparisons} of methods under {shifts}; {sample})": (
        "在“{shift}”变化下，{task}，{model}（{given}）：{a}比{b}好 {points}（{range}；p {p}，"
        "按 {shifts}下方法之间的{comparisons}校正；{sample}）"
    ),
    "on clean items that is not shown ({points}; {range}; p {p}, corrected)": (
        "原题上不能断定（{points}；{range}；p {p}，已校正）"
    ),
    "on clean items the two are equivalent within the margin ({points}; {range}; p {p}, corrected)": (
        "原题上两者在界限之内相当（{points}；{range}；p {p}，已校正）"
    ),
    "that the shift widens the lead is shown too ({points}; {range})": (
        "变化扩大了领先，这也可以断定（{points}；{range}）"
    ),
    "whether the shift itself changes the difference is not shown ({points}; {range})": (
        "变化本身是否改变差值，不能断定（{points}；{range}）"
    ),
    "{a} over {b}": "{a}胜{b}",
    "the same holds for {pairs}": "同样成立的有{pairs}",
    "over {count} sizes of {family}, on clean items {said}": "在 {family} 的 {count} 种规模上，原题上{said}",
    "under the shift {said}": "变化后{said}",
    "the order is shown to reverse at {sizes}": "在 {sizes} 处可以断定先后颠倒",
    "per tenfold parameters the shift changes {a} minus {b} by {points} ({range})": (
        "参数每增十倍，变化使{a}减{b}改变 {points}（{range}）"
    ),
    ", the fitted curves meeting at {size} ({range})": "，拟合曲线在 {size}处相交（{range}）",
    "{method} is ahead at every size": "{method}在每种规模上都领先",
    "{method} is shown ahead from {size} on{at}": "从 {size} 起可以断定{method}领先{at}",
    "neither is ahead at any size": "没有规模上有哪一方领先",
    "{method} is shown ahead at {sizes} alone{at}": "只在 {sizes} 处可以断定{method}领先{at}",
    "no size is shown from which on one is ahead{at}": "不能断定从哪一规模起有一方领先{at}",
    "{method} loses most under {shift}, {points} ({range}), and is least accurate under {least}, with {share}"
    " ({share_range})": (
        "{method}在“{shift}”下降得最多，{points}（{range}），在“{least}”下最不准确，正确率 {share}（{share_range}）"
    ),
    "worst of {count} shifts on {task}, {model} {given}: {said}; intervals hold whichever shift is worst ({sample})": (
        "{count} 种变化中最坏的，{task}，{model}（{given}）：{said}；无论哪种变化最坏，区间都成立（{sample}）"
    ),
    "that of {method} rises by {points} per tenfold parameters ({range})": (
        "{method}的降幅每十倍参数增大 {points}（{range}）"
    ),
    "that of {method} falls by {points} per tenfold parameters ({range})": (
        "{method}的降幅每十倍参数减小 {points}（{range}）"
    ),
    "that of {method} is not shown to change ({points} per tenfold parameters; {range})": (
        "不能断定{method}的降幅有变化（每十倍参数 {points}；{range}）"
    ),
    "what the shift {shift} takes on {task} {given}, over {count} sizes of {family}: {said} ({sample})": (
        "“{shift}”变化使准确率降低的幅度，{task}（{given}），{family} 的 {count} 种规模：{said}（{sample}）"
    ),
    "{method} is above that ({points}; {range}): {parts}": "{method}高于它（{points}；{range}）：{parts}",
    "{method} is below that ({points}; {range}): {parts}": "{method}低于它（{points}；{range}）：{parts}",
    "{method} is not shown to differ from that ({points}; {range}): {parts}": (
        "不能断定{method}与它有别（{points}；{range}）：{parts}"
    ),
    "on the test set {shift} of {task}, {model} {given}, a constant answer is right on {constant} of the items, each"
    " answer counted the same: {said} ({sample})": (
        "{task}的测试集“{shift}”，{model}（{given}），各答案同等计算时恒定答案的正确率为 {constant}：{said}（{sample}）"
    ),
    '{share} of "{name}" right': "“{name}”答对 {share}",
    "worst group of {count} by {key} under the shift {shift} on {task}, {method} {given}, {model}: {group} with {share}"
    " right ({share_range}; {items} items), {points} below all items ({range}); the intervals hold whichever group is"
    " worst ({sample})": (
        "按 {key} 分的 {count} 组中最差的，在“{shift}”变化下，{task}，{method}（{given}），{model}：{group}，答对"
        " {share}（{share_range}；{items} 题），比全部题低 {points}（{range}）；无论哪一组最差，区间都成立（{sample}）"
    ),
    "One answer alone: all {items} items of the test set {shift} of {task} have the answer"
    ' "{label}", so that always giving it is right on each: accuracy there says how often it is given, not what is told'
    " apart": (
        "只有一种答案：{task}的测试集“{shift}”的 {items} 题答案都是“{label}”，总答它就题题都对：那里的准确率只说明它被"
        "给出的次数，不说明能分辨什么"
    ),
}

CAPTIONS: dict[str, str] = {
    "Accuracy on shifted items against accuracy on clean ones, a point an arm (model, method and number of labelled"
    " examples). On the grey diagonal nothing is lost. Grey line: fitted through all arms on the scale of log-odds;"
    " dotted in a method's colour: fitted through all arms of the other methods, which the points of that colour"
    " are held against.": (
        "变化后的准确率与原题上的准确率，每个点是一种模型、方法和标注样例数。灰色对角线上没有损失。灰线："
        "在对数几率上对全部点拟合；方法颜色的点线：对其他方法的全部点拟合，该颜色的点与它对照。"
    ),
    "What a shift takes against model size, on a log scale: accuracy on clean items minus accuracy on shifted ones,"
    " in percentage points, with its 95 % interval. Above the line accuracy is lost. Lines join sizes of one"
    " family.": (
        "变化带来的降幅与模型规模，对数刻度：原题上的准确率减变化后的准确率（百分点），附 95 % 区间。横线以上为降低。"
        "线连接同一家族的各规模。"
    ),
    "What every shift takes from every method: accuracy on clean items minus accuracy on shifted ones, in"
    " percentage points. Orange: lost, blue: gained. A star: the drop, or gain, is shown (p adjusted by Holm).": (
        "每种变化使每种方法降低多少：原题上的准确率减变化后的准确率（百分点）。橙色：降低，蓝色：提高。星号：可以断定降低或"
        "提高（p 按 Holm 校正）。"
    ),
    "Accuracy under the shift on the items of each right answer, a shape an answer, joined for each method, with"
    " intervals that hold for all answers of a method together. Where one answer is nearly always right and the"
    " other nearly always wrong, one answer is given to all. Grey dashes: the mean over the answers of a constant"
    " answer.": (
        "变化后各正确答案的题上的准确率，每种答案一种形状，按方法相连，区间对一种方法的全部答案同时成立。一种答案几乎总对、"
        "另一种几乎总错之处，是全部都答同一个。灰色虚线：恒定答案在各答案上的平均。"
    ),
}

FIGURES: dict[str, str] = {
    "Clean and shifted": "原题与变化后",
    "Beside other methods": "与其他方法相比",
    "Drop": "降幅",
    "Answer": "答案",
    "Given in": "答出的比例",
    "as given": "原样",
    "no line to hold it against": "没有可对照的直线",
    "{model}, {shift}": "{model}，{shift}",
    "{task}, {shift}": "{task}，{shift}",
    "{title}: accuracy on shifted items against accuracy on clean ones, {count} arms.": (
        "{title}：变化后的准确率与原题上的准确率，{count} 个点。"
    ),
    "{title}: drop against model size for {methods}.": "{title}：{methods}的降幅随模型规模的变化。",
    "{title}: what {count} shifts take from {methods}.": "{title}：{count} 种变化使{methods}降低多少。",
    "{title}: accuracy under {shift} on the items of each answer ({answers}) for {methods}.": (
        "{title}：{methods}在“{shift}”下各答案（{answers}）的题上的准确率。"
    ),
    "{shape}: {answer}": "{shape}：{answer}",
    "circle": "圆",
    "square": "方",
    "triangle": "三角",
    "diamond": "菱形",
    "triangle on its tip": "倒三角",
    "cross": "十字",
    "triangle to the right": "右三角",
    "triangle to the left": "左三角",
}
