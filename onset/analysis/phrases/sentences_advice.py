"""The sentences of `onset advise` in Chinese, by their English templates."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "{given}: {said}": "{given}：{said}",
    "use {setting} on {task} for now: {right}; undecided between it and {names}": (
        "{task}：暂且用{setting}：{right}；与{names}尚难分高下"
    ),
    "use {setting} on {task}: {right}; how many labels it takes is undecided between it and {names}": (
        "{task}：请用{setting}：{right}；需要多少标注，与{names}尚难分高下"
    ),
    "for {queries} queries": "提问 {queries} 次",
    "with at most {labels} labels": "至多 {labels} 个标注",
    "with annotation worth {labels} answers, a rationale at {price}": (
        "标注费用相当于 {labels} 个答案，推理过程价为 {price}"
    ),
    "under the shift {shift}": "在“{shift}”变化下",
    "without a shift": "没有分布变化时",
    "the highest, {best}, leads it by {points} ({range})": "最高的{best}领先它 {points}（{range}）",
    "the nearest, {rival}, is {points} behind ({range})": "最接近的{rival}落后 {points}（{range}）",
    "{name} ({share})": "{name}（{share}）",
    "more seeds or items would hardly tell it from the nearest undecided, {rival}: take the cheaper": (
        "再多的种子或题也很难把它与尚无定论者中最接近的{rival}分开：取更便宜的"
    ),
    "{key} may tell it from the nearest undecided, {rival}": "{key} 或可将它与尚无定论者中最接近的{rival}分开",
    "{key} ({operations}) may tell it from the nearest undecided, {rival}": (
        "{key}（{operations}）或可将它与尚无定论者中最接近的{rival}分开"
    ),
    "with at most {labels} labels nothing is shown to be above chance": "至多 {labels} 个标注时未见有方法高于随机",
    "with a rationale at {price} answers nothing is shown to be above chance": (
        "推理过程价为 {price} 个答案时未见有方法高于随机"
    ),
    "without a shift nothing is shown to be above chance": "没有分布变化时未见有方法高于随机",
    "under the shift {shift} nothing is shown to be above chance": "在“{shift}”变化下未见有方法高于随机",
    "{queries} queries cost {total} in all": "{queries} 次提问共需 {total}",
    "{tuning} of it tuning": "其中微调 {tuning}",
    "{search} of it the search for settings": "其中搜索设置 {search}",
    "{stages} of it stages of training": "其中训练阶段 {stages}",
    "{total} where what prompts begin with is kept": "若保留提示的共同开头则为 {total}",
    "budgets measured are {budgets}: what {labels} labels would bring is not known": (
        "测过的标注数为 {budgets}：{labels} 个标注会带来什么尚不知道"
    ),
    "budgets measured are {budgets}: no more of the {labels} labels was used": (
        "测过的标注数为 {budgets}：{labels} 个标注中没有用到更多"
    ),
    "{arm} ({share}, {cost})": "{arm}（{share}，{cost}）",
    "most accurate for what it costs, from cheap to dear: {arms}": "同等成本下最准确的，由便宜到昂贵：{arms}",
    "most accurate for what a query costs, from cheap to dear: {arms}": (
        "一次提问同等成本下最准确的，由便宜到昂贵：{arms}"
    ),
    "{tuned} is cheaper than {prompted} from the first query on: finding the prompt took more": (
        "从第一次提问起，{tuned}就比{prompted}便宜：找提示花得更多"
    ),
    "where what the prompts begin with is kept between queries, from the first on": (
        "若在提问之间保留提示的共同开头，则从第一次起"
    ),
    "all that is done once, {money}": "所有一次性开销共 {money}",
    "{arm}, as good within the margin, {cheaper}": "{arm}在界限之内同样好，{cheaper}",
    "{arm}, which may be as good or better, {cheaper}": "{arm}可能同样好或更好，{cheaper}",
    "{said}: {total} for those asked here": "{said}：这里的提问共需 {total}",
    "costs less at any number of queries": "提问多少次都更便宜",
    "costs less up to about {queries} queries": "约 {queries} 次提问以内更便宜",
    "costs less from about {queries} queries on": "从约 {queries} 次提问起更便宜",
    "{said}, which would do if it were the only alternative, and does not among {count}": (
        "{said}：若只有这一种其他选择便足以断定，在 {count} 种之中则不够"
    ),
    "with at most {labels} labels it would be {arm} ({share} right; {verdict})": (
        "至多 {labels} 个标注时改为{arm}（正确率 {share}；{verdict}）"
    ),
    "under the shift {shift} it would be {arm} ({share} right; {verdict})": (
        "在“{shift}”变化下改为{arm}（正确率 {share}；{verdict}）"
    ),
    "{shift} it would be {arm} ({share} right; {verdict})": "{shift}改为{arm}（正确率 {share}；{verdict}）",
    "with a rationale at {price} answers it would be {arm} ({share} right; {verdict})": (
        "推理过程价为 {price} 个答案时改为{arm}（正确率 {share}；{verdict}）"
    ),
    "Why": "理由",
    "What would change it": "什么会改变它",
    "Next step": "下一步",
}
"""English template -> Chinese one."""
