"""What is said of stages of training: short lines in both languages, and sentences in Chinese by their English
templates.
"""

from __future__ import annotations

LINES: dict[str, tuple[str, str]] = {
    "gain by stage.gains": (
        "stage “{stage}” adds {points} to the gain of {method} ({range})",
        "阶段“{stage}”使{method}的增益多 {points}（{range}）",
    ),
    "gain by stage.loses": (
        "stage “{stage}” takes {points} from the gain of {method} ({range})",
        "阶段“{stage}”使{method}的增益少 {points}（{range}）",
    ),
    "gain by stage.equivalent": (
        "stage “{stage}” leaves the gain of {method} as it is: {points} ({range})",
        "阶段“{stage}”不改变{method}的增益：{points}（{range}）",
    ),
    "gain by stage.undecided": (
        "whether stage “{stage}” adds to the gain of {method} is not decided: {points} ({range})",
        "阶段“{stage}”是否增加{method}的增益尚不能断定：{points}（{range}）",
    ),
    "reach.created": (
        "after “{stage}” more items are solved by one of {count} samples: {points} ({range}): created",
        "“{stage}”之后，{count} 次采样中有一次答对的题更多：{points}（{range}）：能力是新出现的",
    ),
    "reach.made likelier": (
        "“{stage}” makes answers likelier ({one}) and creates none: one of {count} samples, {points} ({range})",
        "“{stage}”只使答案更常出现（{one}），没有创造：{count} 次采样中有一次答对，{points}（{range}）",
    ),
    "reach.narrowed": (
        "“{stage}” makes answers likelier ({one}) but fewer items are within {count} samples: {points} ({range})",
        "“{stage}”使答案更常出现（{one}），但 {count} 次采样能答对的题变少：{points}（{range}）",
    ),
    "reach.no change": (
        "“{stage}” changes neither one sample nor one of {count}: {points} ({range})",
        "“{stage}”既不改变一次采样，也不改变 {count} 次采样：{points}（{range}）",
    ),
    "reach.lost": (
        "“{stage}” loses what one sample had: {points} ({range})",
        "“{stage}”使一次采样答对的变少：{points}（{range}）",
    ),
    "reach.undecided": (
        "open whether “{stage}” creates or makes likelier: one of {count} samples, {points} ({range})",
        "“{stage}”是创造还是只使更常出现，尚不能断定：{count} 次采样中有一次答对，{points}（{range}）",
    ),
    "steps by stage.gains": (
        "more steps are right after “{stage}”: {before} to {after}, {points} ({range})",
        "“{stage}”之后正确的步骤更多：{before} 到 {after}，{points}（{range}）",
    ),
    "steps by stage.loses": (
        "fewer steps are right after “{stage}”: {before} to {after}, {points} ({range})",
        "“{stage}”之后正确的步骤更少：{before} 到 {after}，{points}（{range}）",
    ),
    "steps by stage.equivalent": (
        "as many steps are right after “{stage}”: {before} to {after}, {points} ({range})",
        "“{stage}”之后正确的步骤一样多：{before} 到 {after}，{points}（{range}）",
    ),
    "steps by stage.undecided": (
        "not decided whether more steps are right after “{stage}”: {before} to {after}, {points} ({range})",
        "“{stage}”之后正确的步骤是否更多尚不能断定：{before} 到 {after}，{points}（{range}）",
    ),
}

LINES |= {
    "forgetting.forgets": (
        "{what} forgets {points} of {task} ({range})",
        "{what}遗忘{task}，降低 {points}（{range}）",
    ),
    "forgetting.keeps": (
        "{what} keeps {task}: {points} ({range})",
        "{what}没有遗忘{task}：{points}（{range}）",
    ),
    "forgetting.improves": (
        "{what} improves {task} by {points} ({range})",
        "{what}使{task}提高 {points}（{range}）",
    ),
    "forgetting.nothing to lose": (
        "nothing to forget of {task}, where the model before {what} is at chance: {points} ({range})",
        "{what}之前的模型在{task}上不高于随机水平，无可遗忘：{points}（{range}）",
    ),
    "forgetting.undecided": (
        "whether {what} forgets {task} is not decided: {points} ({range})",
        "{what}是否遗忘{task}尚不能断定：{points}（{range}）",
    ),
    "forgetting of text.forgets": (
        "{what} forgets plain text: {before} to {after} bits a byte (change {range})",
        "{what}遗忘普通文本：每字节 {before} 到 {after} 比特（变化 {range}）",
    ),
    "forgetting of text.improves": (
        "{what} improves plain text: {before} to {after} bits a byte (change {range})",
        "{what}使普通文本改善：每字节 {before} 到 {after} 比特（变化 {range}）",
    ),
    "forgetting of text.undecided": (
        "whether {what} forgets plain text is not decided: {before} to {after} bits a byte (change {range})",
        "{what}是否遗忘普通文本尚不能断定：每字节 {before} 到 {after} 比特（变化 {range}）",
    ),
}

LABELS: dict[str, tuple[str, str]] = {
    "kind.gain by stage": ("Gain by stage", "阶段与增益"),
    "kind.reach": ("Created or likelier", "创造还是更常出现"),
    "kind.steps by stage": ("Steps by stage", "阶段与步骤"),
    "kind.forgetting": ("Forgetting", "遗忘"),
    "kind.forgetting of text": ("Forgetting of text", "对文本的遗忘"),
    "forgets": ("forgets", "遗忘"),
    "keeps": ("keeps", "未遗忘"),
    "improves": ("improves", "改善"),
    "nothing to lose": ("nothing to lose", "无可遗忘"),
    "difference.forgetting": ("after − before", "之后 − 之前"),
    "created": ("created", "创造"),
    "made likelier": ("made likelier", "只是更常出现"),
    "narrowed": ("narrowed", "变窄"),
    "no change": ("no change", "不变"),
    "lost": ("lost", "丧失"),
    "difference.gain by stage": ("gain after − before", "之后的增益 − 之前"),
    "difference.reach": ("pass@k after − before", "之后的 pass@k − 之前"),
    "difference.steps by stage": ("right steps after − before", "之后的正确步骤 − 之前"),
}

_STAGES = {
    "the model after “{stage}”": "经过“{stage}”的模型",
    "its placebo “{stage}”": "它的安慰对照“{stage}”",
    "against its placebo “{stage}”": "对其安慰对照“{stage}”",
    "“{stage}”": "“{stage}”",
    "how many tokens each was trained on is not known": "各自训练了多少词元不明",
    "both trained on {tokens} tokens": "两者都训练了 {tokens} 个词元",
    "trained on {tokens} tokens more than its reference: whether what they say matters, or only that there are more, a"
    " placebo of as many would show": (
        "比参照多训练了 {tokens} 个词元：要紧的是其内容，还是只因为更多，要用同样多词元的安慰对照才能看出"
    ),
    "trained on unequal numbers of tokens, {tokens} against {others}": "训练的词元数不相等：{tokens} 对 {others}",
    "{count} more": "另外 {count} 个",
}

_GAINS = {
    "What stages add to the gain of {method} over {other} on {task}, {given}, {family}": (
        "各阶段给{method}相对{other}的增益增添了什么，{task}（{given}；{family}）"
    ),
    "{head}: {said}": "{head}：{said}",
    "shown too: {settings}": "另可断定：{settings}",
    "nothing beyond the margin: {settings}": "不超出界限的：{settings}",
    "{stage} gains {after} at {size} ({after_range}), {reference} {before} ({before_range}): {change} ({range};"
    " {tokens})": (
        "{stage}在 {size} 处的增益为 {after}（{after_range}），{reference}为 {before}（{before_range}）：{change}"
        "（{range}；{tokens}）"
    ),
    "{points} more": "多 {points}",
    "{points} less": "少 {points}",
    "no more and no less than the margin ({points})": "差别在界限之内（{points}）",
    "a difference of {points}, undecided": "相差 {points}，未定",
    "so nothing is shown of the stage itself: its references differ": "因此不能断定该阶段本身的作用：各参照的结果不一",
    "“{stage}” against {reference} at {size} ({points}; {range})": (
        "“{stage}”对{reference}，{size} 处（{points}；{range}）"
    ),
}

_REACH = {
    "Created or made likelier on {task}, {stage} at {size} against {reference} ({method}, {given}): {verdict}": (
        "创造还是只使更常出现，{task}，{size} 处{stage}对{reference}（{method}；{given}）：{verdict}"
    ),
    "created, as far as {count} samples show": "就 {count} 次采样所见，是新出现的",
    "only made likelier: what it answers more often, the model before it reaches with more samples": (
        "只是更常出现：它更常答对的，之前的模型多采样几次也能答对"
    ),
    "made likelier and narrowed: fewer items are within reach": "更常出现但变窄：够得着的题变少",
    "no change beyond the margin": "变化不超出界限",
    "lost rather than gained": "不增反减",
    "undecided whether it is created or only made likelier": "是创造还是只使更常出现，尚不能断定",
    "{sentence} ({sample})": "{sentence}（{sample}）",
    "“{stage}” against {reference}: {verdict}": "“{stage}”对{reference}：{verdict}",
    "one sample": "一次采样",
    "one of {count} samples": "{count} 次采样中有一次",
    "one training run a stage": "每个阶段只训练一次",
    "{what} is right in {before} before and in {after} after ({points}; {range})": (
        "{what}答对的，之前 {before}，之后 {after}（{points}；{range}）"
    ),
    "the lead closes by {points} as samples grow ({range})": "随采样增多，领先缩小 {points}（{range}）",
    "the lead does not close as samples grow ({points}; {range})": "随采样增多，领先并不缩小（{points}；{range}）",
    "the lead narrows by {points} as samples grow ({range}), which is not shown after correcting for {count} tests": (
        "随采样增多，领先缩小 {points}（{range}），对 {count} 个检验校正之后不能断定"
    ),
    "against {reference} it is otherwise: {verdict}": "与{reference}相比则不同：{verdict}",
    "whether the lead closes as samples grow is open ({points}; {range})": (
        "随采样增多，领先是否缩小尚不能断定（{points}；{range}）"
    ),
    "{said}, but the model before still reaches more items as samples grow: more of them would tell": (
        "{said}，但之前的模型随采样增多仍能答对更多的题：要更多采样才能断定"
    ),
    "{said}, and is still there at the most samples: more of them would tell": (
        "{said}，在最多的采样处仍有领先：更多采样可以断定"
    ),
    "Steps on {task} after {stage} at {size} ({method}): of the steps that can be checked {after} are right"
    " ({after_range}), with {reference} {before} ({before_range}): {points} ({range}; {verdict}; {sample}; one training"
    " run a stage)": (
        "步骤，{task}，{size} 处{stage}之后（{method}）：可检查的步骤中正确的占 {after}（{after_range}），"
        "{reference}为 {before}（{before_range}）：{points}（{range}；{verdict}；{sample}；每个阶段只训练一次）"
    ),
}

_FIGURES = {
    "What a stage adds to the gain": "阶段给增益增添了什么",
    "What samples reach after a stage": "阶段之后采样能答对什么",
    "Gain of either": "两者的增益",
    "Added to the gain (percentage points)": "给增益增添的（百分点）",
    "One row a stage and what it is held against, the base model unless another is named. Above: the gain of chain of"
    " thought over answering at once of the reference (hollow) and after the stage (filled). Below: the difference of"
    " both gains in percentage points with its 95 % interval; left of the line the stage takes from the gain.": (
        "每行是一个阶段及其参照（未另注明时为基础模型）。上：思维链相对直接作答的增益，参照（空心）与阶段之后（实心）。"
        "下：两个增益之差（百分点）及其 95 % 区间；在线左侧表示该阶段减少增益。"
    ),
    "{task}: {compared}: the gain after each stage, and that of what it is held against.": (
        "{task}：{compared}：各阶段之后的增益与参照的增益。"
    ),
    "pass@k of a stage (solid) and of what it is held against (dashed) against the number k of samples, on a log scale:"
    " the share of items at which at least one of k samples is right, over all subsets of k. Where the lines meet, the"
    " model before reaches as many items with more samples.": (
        "阶段之后（实线）与其参照（虚线）的 pass@k，横轴为采样次数 k（对数刻度）："
        "k 次采样中至少一次答对的题所占的份额，对所有 k 次的子集取平均。"
        "两线相遇之处，之前的模型多采样几次也能答对同样多的题。"
    ),
    "after": "之后",
    "before": "之前",
    "{task}, {stage} against {reference}: {one} with one sample, {all} with one of {count}.": (
        "{task}，{stage}对{reference}：一次采样 {one}，{count} 次采样中有一次 {all}。"
    ),
    "{before} before, {after} after": "之前 {before}，之后 {after}",
    "Model": "模型",
}

_FORGETTING = {
    "What training forgets of plain text at {size}, in bits a byte": "训练对普通文本的遗忘，{size}，比特/字节",
    "What training forgets of {task} at {size}, asked without examples": "训练对{task}的遗忘，{size}，不带样例提问",
    "a method that prompts changes no weight and forgets nothing": "提示方法不改变权重，什么也不遗忘",
    "{what} forgets: {before} before, {after} after ({change}; {range}{gain})": (
        "{what}有遗忘：之前 {before}，之后 {after}（{change}；{range}{gain}）"
    ),
    "{what} improves: {before} before, {after} after ({change}; {range}{gain})": (
        "{what}有改善：之前 {before}，之后 {after}（{change}；{range}{gain}）"
    ),
    "{what} keeps what was there: {before} before, {after} after ({change}; {range}{gain})": (
        "{what}没有遗忘：之前 {before}，之后 {after}（{change}；{range}{gain}）"
    ),
    "{what} is undecided: {before} before, {after} after ({change}; {range}{gain})": (
        "{what}尚不能断定：之前 {before}，之后 {after}（{change}；{range}{gain}）"
    ),
    "{what} has nothing to lose, the model before is not above chance: {before} before, {after} after ({change};"
    " {range}{gain})": (
        "{what}无可遗忘，之前的模型不高于随机水平：之前 {before}，之后 {after}（{change}；{range}{gain}）"
    ),
    "; on {task} {points} against {against}, {range}": "；在{task}上与{against}相比 {points}，{range}",
    "after “{stage}”": "“{stage}”之后",
    "Other tasks, on which no example was granted, and plain text: one row a way of training and model, after minus"
    " before, with its 95 % interval. Left of the line accuracy was lost; for the text, in bits a byte, what is right"
    " of it was. Below, in the same rows: what the training gained on its own task. A method that prompts changes no"
    " weight and stands at 0.": (
        "没有给样例的其他任务以及普通文本：每行是一种训练和一个模型，之后减之前，附 95 % 区间。"
        "在线左侧表示准确率下降；文本以比特/字节计，在线右侧表示变差。"
        "下方同样的行：训练在自己任务上的增益。提示方法不改变权重，为 0。"
    ),
    "{task}: {compared}: what each changed elsewhere, and gained on its own task.": (
        "{task}：{compared}：各自在别处的变化和在自己任务上的增益。"
    ),
}

SENTENCES: dict[str, str] = _FORGETTING | _STAGES | _GAINS | _REACH | _FIGURES
"""English template -> Chinese one."""
