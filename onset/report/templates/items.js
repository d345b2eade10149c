// Items: unpacking, filtering, and two methods or two models beside each other.
const list = one("#item-list");
if (!list) return;
const PAGE = 20;
const form = one("#filters");
const status = one("#item-count");
const pager = one("#pager");
const facets = ["model", "task", "method", "labels", "shift", "stage", "seed"];
const cells = new Map(read("cell-index").map((cell) => [cell.cell, cell]));
const methods = new Map([...cells.values()].map((cell) => [cell.method, cell.plain]));
let data = null;
let found = [];
let pair = null; // the two sides of a comparison, A and B, that are looked at together, and `by` what they differ in
let page = 0;

async function unpack() {
  const content = await unpacked("packed");
  content.cellOf = [];
  content.cells.forEach((cell, i) => { for (let k = 0; k < cell.kept; k += 1) content.cellOf.push(i); });
  content.lower = null;
  return content;
}

let unpacking = null;
function ready() {
  if (!packs) {
    status.textContent = say("This browser cannot unpack the items (it lacks DecompressionStream); any current browser can.");
    return Promise.reject(new Error("no DecompressionStream"));
  }
  unpacking ??= unpack().then((content) => { data = content; });
  return unpacking;
}

function outcome(row) {
  if (data.rows.correct[row]) return "correct";
  const state = data.texts[data.rows.status[row]];
  return state === "overlong" || state === "failed" ? state : state === undefined || state === "ok" ? "wrong" : "unparsed";
}

function containing(text) {
  data.lower ??= data.texts.map((one) => one.toLowerCase());
  const hits = data.lower.map((one) => one.includes(text));
  const { question, gold, answer, outputs } = data.rows;
  return (row) => hits[question[row]] || hits[gold[row]] || hits[answer[row]] || outputs[row].some((one) => hits[one]);
}

// Items that some cell of the selection answers correctly and another does not.
function divided(rows) {
  const seen = new Map();
  for (const row of rows) {
    const item = data.rows.item[row];
    seen.set(item, (seen.get(item) ?? 0) | (data.rows.correct[row] ? 1 : 2));
  }
  return (row) => seen.get(data.rows.item[row]) === 3;
}

function search() {
  const wanted = Object.fromEntries(new FormData(form));
  const chosen = facets.filter((facet) => wanted[facet]);
  const open = data.cells.map(({ cell }) => chosen.every((facet) => String(cells.get(cell)[facet]) === wanted[facet]));
  found = [...data.cellOf.keys()].filter((row) => open[data.cellOf[row]]);
  const text = wanted.text.trim().toLowerCase();
  if (text) found = found.filter(containing(text));
  if (wanted.outcome === "split") found = found.filter(divided(found));
  else if (wanted.outcome) found = found.filter((row) => outcome(row) === wanted.outcome);
  if (wanted.order === "item") {
    const first = new Map();
    found.forEach((row) => { if (!first.has(data.rows.item[row])) first.set(data.rows.item[row], first.size); });
    found.sort((a, b) => first.get(data.rows.item[a]) - first.get(data.rows.item[b]) || a - b);
  }
  if (pair) found = paired(found);
  page = 0;
  render();
}

// Rows of A and B on one item and draw: [row of A, row of B].
function paired(rows) {
  const sides = new Map();
  for (const row of rows) {
    const cell = cells.get(data.cells[data.cellOf[row]].cell);
    const side = pair.sides.indexOf(cell[pair.by]);
    if (side < 0) continue;
    const key = [data.rows.item[row], ...facets.filter((facet) => facet !== pair.by).map((facet) => cell[facet])].join("|");
    if (!sides.has(key)) sides.set(key, []);
    sides.get(key)[side] = row;
  }
  return [...sides.values()].filter(([a, b]) => a !== undefined && b !== undefined && data.rows.correct[a] !== data.rows.correct[b]);
}

// An item on which two sides differ: what changed from A to B, and both outputs beside each other.
function couple([a, b]) {
  const [first, second] = called(pair);
  const says = (row, method) => say("{outcome} in {method}", { method, outcome: OUTCOMES[outcome(row)][1] });
  const summary = make("summary", {},
    make("span", { class: `badge ${data.rows.correct[a] ? "wins" : "loses"}` }, [says(a, first), says(b, second)].join(say(", "))),
    make("span", { class: "what" }, textOf(data.rows.question[a])),
    make("span", { class: "small" }, where(a, pair.by)));
  const item = make("details", { class: "item two" }, summary);
  item.addEventListener("toggle", () => {
    if (!item.open || one(".pair", item)) return;
    const sides = [[first, a], [second, b]].map(([method, row]) => make("div", {}, make("h3", {}, method), body(row)));
    item.append(make("div", { class: "pair" }, ...sides));
  });
  return item;
}

const OUTCOMES = { correct: ["equivalent", say("right")], wrong: ["loses", say("wrong")], unparsed: ["undecided", say("no answer")], overlong: ["undecided", say("too long")], failed: ["undecided", say("failed")] };
const STATUSES = { none: say("none found"), truncated: say("cut off before an answer"), ambiguous: say("several different answers"), "out of budget": say("still thinking at the end of its budget"), overlong: say("prompt too long for the model"), failed: say("the method raised an error") };
const FINISHES = { eos: say("ended by itself"), stop: say("ended at a stop string"), length: say("cut off at the token limit"), overlong: say("not run") };
const textOf = (number) => (number < 0 ? null : data.texts[number]);

const plain = (method) => methods.get(method) ?? method;
const called = ({ by, sides }) => (by === "method" ? sides.map(plain) : sides);

function where(row, without = "") {
  const cell = cells.get(data.cells[data.cellOf[row]].cell);
  const known = cell.labels !== null; // of other tools' results neither labels nor seeds are
  const parts = [...(without === "model" ? [] : [cell.model]), ...(without === "method" ? [] : [plain(cell.method)]), ...(known ? [say("{count} labelled examples", { count: cell.labels })] : []), cell.about];
  if (cell.shift !== "none") parts.push(say("shift {shift}", { shift: cell.test }));
  return [...parts, say(known ? "seed {seed}" : "draw {seed}", { seed: cell.seed })].join(" · ");
}

function fact(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value));
}

function votes(answers) {
  const counts = new Map();
  answers.forEach((answer) => counts.set(answer, (counts.get(answer) ?? 0) + 1));
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return sorted.map(([answer, count]) => `${textOf(answer) ?? say("no answer")} × ${count}`).join(", ");
}

function body(row) {
  const { rows } = data;
  const answer = textOf(rows.answer[row]);
  const facts = make("dl", { class: "answers" }, fact(say("Gold answer"), textOf(rows.gold[row])), fact(say("Extracted answer"), answer ?? STATUSES[textOf(rows.status[row])] ?? "–"));
  if (textOf(rows.cause[row]) !== null) facts.append(fact(say("Error"), textOf(rows.cause[row])));
  if (rows.prob[row] !== null) facts.append(fact(say("Probability of the gold answer among the choices"), rows.prob[row].toFixed(3)));
  const many = rows.outputs[row].length > 1;
  if (many && rows.answers[row].length) facts.append(fact(say("Votes"), votes(rows.answers[row])));
  const box = make("div", { class: "body" }, facts, make("h4", {}, say("Prompt")));
  const beginning = textOf(data.cells[data.cellOf[row]].beginning);
  if (beginning) {
    const title = say("Instruction and demonstrations, the same for every item of the cell ({count} characters)", { count: beginning.length.toLocaleString("en") });
    box.append(make("details", { class: "beginning" }, make("summary", {}, title), make("pre", {}, beginning)));
  }
  box.append(make("pre", {}, textOf(rows.rest[row])));
  rows.outputs[row].forEach((output, i) => {
    const finish = textOf(rows.finishes[row][i] ?? -1);
    const found = textOf(rows.answers[row][i] ?? -1);
    const parts = [many ? say("Output {i} of {count}", { i: i + 1, count: rows.outputs[row].length }) : say("Output")];
    if (finish !== null) parts.push(FINISHES[finish] ?? finish);
    if (finish !== null && many) parts.push(say("answer: {answer}", { answer: found ?? say("none") }));
    const title = parts.join(" · ");
    box.append(make("h4", {}, title), make("pre", {}, textOf(output)));
  });
  return box;
}

function entry(row) {
  const [kind, word] = OUTCOMES[outcome(row)];
  const summary = make("summary", {},
    make("span", { class: `badge ${kind}` }, word),
    make("span", { class: "what" }, textOf(data.rows.question[row])),
    make("span", { class: "where small" }, `${where(row)} · ${say("answer: {answer}, gold: {gold}", { answer: textOf(data.rows.answer[row]) ?? "–", gold: textOf(data.rows.gold[row]) })}`));
  const item = make("details", { class: "item" }, summary);
  item.addEventListener("toggle", () => { if (item.open && !one(".body", item)) item.append(body(row)); });
  return item;
}

function render() {
  const total = data.cellOf.length;
  const count = found.length.toLocaleString("en");
  const said = pair
    ? say("{count} items on which {a} (A) and {b} (B) differ; any filter shows single answers again", { count, a: called(pair)[0], b: called(pair)[1] })
    : say("{count} of {total} items", { count, total: total.toLocaleString("en") });
  status.textContent = found.length ? said : say("No item fits these filters.");
  list.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(pair ? couple : entry));
  const pages = Math.ceil(found.length / PAGE);
  pager.hidden = pages < 2;
  one("span", pager).textContent = say("Page {page} of {pages}", { page: page + 1, pages });
  const [back, on] = all("button", pager);
  back.disabled = page === 0;
  on.disabled = page >= pages - 1;
}

const refresh = () => ready().then(search, () => {});
let waiting = 0;
const SIDES = ["items.a", "items.b"];
const forget = () => { pair = null; [...SIDES, "items.by"].forEach((name) => chosen.delete(name)); };
for (const [name, value] of [...chosen]) {
  const field = name.startsWith("items.") ? form.elements[name.slice(6)] : null;
  if (field) field.value = value;
}
const linked = { by: chosen.get("items.by") === "model" ? "model" : "method", sides: SIDES.map((side) => chosen.get(side)) };
if (linked.sides.every((side) => [...cells.values()].some((cell) => cell[linked.by] === side))) pair = linked;
form.addEventListener("input", ({ target }) => {
  forget();
  if (target.name) remember(`items.${target.name}`, target.selectedIndex === 0 ? "" : target.value);
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 150);
});

// The items of these facets alone, and of two sides where there is a pair; the address keeps both.
function lead(wanted, two = null) {
  form.reset();
  pair = two;
  for (const name of [...chosen.keys()]) if (name.startsWith("items.")) chosen.delete(name);
  for (const facet of facets) {
    if (!form.elements[facet] || !(facet in wanted)) continue;
    form.elements[facet].value = String(wanted[facet]);
    chosen.set(`items.${facet}`, String(wanted[facet]));
  }
  SIDES.forEach((side, i) => { if (two) chosen.set(side, two.sides[i]); });
  if (two?.by === "model") chosen.set("items.by", "model");
  keep("items");
  refresh();
  one("#items").scrollIntoView();
}

form.addEventListener("submit", (event) => event.preventDefault());
all("button", pager).forEach((button) => button.addEventListener("click", () => {
  page += Number(button.dataset.step);
  render();
  one("#items").scrollIntoView();
}));
all("[data-cell]").forEach((button) => button.addEventListener("click", () => lead(cells.get(button.dataset.cell))));
// The items on which the two sides of a comparison differ, each question with both answers.
all("[data-pair]").forEach((button) => button.addEventListener("click", () => {
  lead(JSON.parse(button.dataset.pair), { by: button.dataset.by ?? "method", sides: [button.dataset.a, button.dataset.b] });
}));
new IntersectionObserver((entries, observer) => {
  if (!entries.some((one) => one.isIntersecting)) return;
  observer.disconnect();
  refresh();
}, { rootMargin: "300px" }).observe(one("#items"));
const [place] = location.hash.slice(1).split("&");
if (given.length && place) document.getElementById(place)?.scrollIntoView();
if (place === "items") refresh();
