// The report's behaviour: figures, tables, items. Everything from the records reaches the page as text, never as HTML.
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const read = (id) => JSON.parse(one(`#${id}`).textContent);

  // ---- figures ----------------------------------------------------------------------------------------------------
  const specs = read("specs");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const views = new Map();
  const state = { focus: "", queries: 1000 };
  const paper = () => getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();

  // ---- the address keeps what is chosen: #place&focus=cot&size.shift=domain&items.method=cot ------------------------
  const [, ...given] = location.hash.slice(1).split("&");
  const chosen = new URLSearchParams(given.join("&"));

  function remember(name, value) {
    if (value === "") chosen.delete(name);
    else chosen.set(name, value);
    keep();
  }

  function keep() {
    const [place] = location.hash.slice(1).split("&");
    history.replaceState(null, "", `#${[place, chosen.toString()].filter((part, i) => i === 0 || part).join("&")}`);
  }

  addEventListener("hashchange", keep);

  function look() {
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const [ink, soft, line, strong] = ["--ink", "--soft", "--line", "--strong-line"].map(colour);
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      legend: { disable: true },
      title: { color: soft, subtitleColor: soft },
      axis: { labelColor: soft, titleColor: soft, titleFontWeight: "normal", gridColor: line, domainColor: strong, tickColor: strong, labelFontSize: 12, titleFontSize: 12 },
      axisY: { labelColor: soft },
      text: { color: ink },
    };
  }

  async function draw(panel) {
    if (panel.dataset.drawn || panel.hidden) return;
    panel.dataset.drawn = "yes";
    const hosts = all(".chart", panel);
    const made = await Promise.all(hosts.map(async (host, i) => {
      const spec = specs[Number(panel.dataset.panel)][i];
      const values = { ...state, paper: paper() };
      const params = spec.params.map((param) => ({ ...param, value: values[param.name] }));
      const options = { actions: false, renderer: "svg", ast: true, config: look(), tooltip: { theme: dark.matches ? "dark" : "light" } };
      return (await vegaEmbed(host, { ...spec, params }, options)).view;
    }));
    views.set(panel, made);
  }

  // From the top of the page down, with a pause after each, so that the page answers meanwhile.
  const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });
  (async () => {
    for (const panel of all(".panel")) {
      await draw(panel);
      await pause();
    }
  })();
  addEventListener("beforeprint", () => all(".panel").forEach(draw));
  dark.addEventListener("change", () => {
    for (const [panel, made] of views) {
      made.forEach((view) => view.finalize());
      delete panel.dataset.drawn;
      draw(panel);
    }
  });

  // ---- saving -----------------------------------------------------------------------------------------------------
  // The charts of a panel below one another.
  async function png(panel) {
    const canvases = await Promise.all(views.get(panel).map((view) => view.toCanvas(2)));
    const whole = make("canvas", { width: Math.max(...canvases.map((one) => one.width)), height: canvases.reduce((sum, one) => sum + one.height, 0) });
    const context = whole.getContext("2d");
    context.fillStyle = paper();
    context.fillRect(0, 0, whole.width, whole.height);
    let top = 0;
    for (const one of canvases) {
      context.drawImage(one, 0, top);
      top += one.height;
    }
    return new Promise((resolve) => { whole.toBlob(resolve, "image/png"); });
  }

  async function svg(panel) {
    const texts = await Promise.all(views.get(panel).map((view) => view.toSVG()));
    const parts = texts.map((text) => new DOMParser().parseFromString(text, "image/svg+xml").documentElement);
    const size = (part, name) => Number.parseFloat(part.getAttribute(name));
    let height = 0;
    for (const part of parts) {
      part.setAttribute("y", String(height));
      height += size(part, "height");
    }
    const width = Math.max(...parts.map((part) => size(part, "width")));
    const inside = parts.map((part) => new XMLSerializer().serializeToString(part)).join("");
    const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${paper()}"/>`;
    return new Blob([`${head}${inside}</svg>`], { type: "image/svg+xml" });
  }

  // The rows behind the topmost marks of every chart, each row once.
  function csv(panel) {
    const rows = new Map();
    for (const spec of specs[Number(panel.dataset.panel)]) {
      for (const row of spec.datasets[spec.layer.at(-1).data.name]) rows.set(JSON.stringify(row), row);
    }
    const names = [...new Set([...rows.values()].flatMap(Object.keys))];
    const quoted = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
    const lines = [names, ...[...rows.values()].map((row) => names.map((name) => row[name]))];
    return new Blob([lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n"], { type: "text/csv" });
  }

  const KINDS = { png, svg, csv };
  all("[data-save]").forEach((button) => button.addEventListener("click", async () => {
    const panel = button.closest(".panel");
    const kind = button.dataset.save;
    await draw(panel);
    const address = URL.createObjectURL(await KINDS[kind](panel));
    const name = `${panel.closest(".figure").id.replace("figure-", "")}-${one("h4", panel).textContent}`.replace(/[^\w.=-]+/g, "-");
    make("a", { href: address, download: `${name}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }));

  function signal(name, value) {
    state[name] = value;
    for (const made of views.values()) for (const view of made) view.signal(name, value).runAsync();
  }

  all("[data-focus]").forEach((button) => button.addEventListener("click", () => {
    const name = state.focus === button.dataset.focus ? "" : button.dataset.focus;
    all("[data-focus]").forEach((other) => other.setAttribute("aria-pressed", String(other.dataset.focus === name)));
    remember("focus", name);
    signal("focus", name);
  }));

  all("[data-queries]").forEach((slider) => slider.addEventListener("input", () => {
    const count = 10 ** Number(slider.value);
    const unit = 10 ** Math.max(Math.floor(Math.log10(count)) - 1, 0);
    const queries = Math.round(count / unit) * unit;
    slider.nextElementSibling.textContent = queries.toLocaleString("en");
    signal("queries", queries);
  }));

  all(".figure").forEach((figure) => {
    const selects = all("[data-facet]", figure);
    const name = figure.id.replace("figure-", "");
    selects.forEach((select) => select.addEventListener("change", () => {
      remember(`${name}.${select.dataset.facet}`, select.selectedIndex ? select.value : "");
      const panels = all(".panel", figure);
      for (const panel of panels) {
        panel.hidden = selects.some(({ dataset, value }) => panel.dataset[dataset.facet] !== value);
        draw(panel);
      }
      const seen = panels.filter((panel) => !panel.hidden).length;
      one(".grid", figure).classList.toggle("single", seen === 1);
      one(".nothing", figure).hidden = seen > 0;
    }));
  });

  all("[data-focus]").filter((button) => button.dataset.focus === chosen.get("focus")).forEach((button) => button.click());
  for (const [name, value] of [...chosen]) {
    const [figure, facet] = name.split(".");
    const select = all(`.figure [data-facet="${CSS.escape(facet ?? "")}"]`).find((one) => one.closest(".figure").id === `figure-${figure}`);
    if (!select || ![...select.options].some((option) => option.value === value)) continue;
    select.value = value;
    select.dispatchEvent(new Event("change"));
  }

  // ---- tables -----------------------------------------------------------------------------------------------------
  const collator = new Intl.Collator("en", { numeric: true });

  function compare(column, down) {
    return (a, b) => {
      const [left, right] = [a.cells[column], b.cells[column]];
      const sign = down ? -1 : 1;
      if (!("v" in left.dataset)) return sign * collator.compare(left.textContent, right.textContent);
      const [x, y] = [left.dataset.v, right.dataset.v];
      if (x === "" || y === "") return (x === "") - (y === ""); // what was not measured comes last, either way
      return sign * (Number(x) - Number(y));
    };
  }

  all("table.sortable").forEach((table) => {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      if (head.classList.contains("plain")) return;
      const button = make("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare(column, down)));
      });
    });
  });

  all("[data-find]").forEach((input) => input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of one(`#${input.dataset.find}`).tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  }));

  // ---- items ------------------------------------------------------------------------------------------------------
  const list = one("#item-list");
  if (!list) return;
  const PAGE = 20;
  const form = one("#filters");
  const status = one("#item-count");
  const pager = one("#pager");
  const facets = ["model", "task", "method", "labels", "shift", "stage", "seed"];
  const cells = new Map(read("cell-index").map((cell) => [cell.cell, cell]));
  let data = null;
  let found = [];
  let pair = null; // the two methods of a comparison, A and B, that are looked at side by side
  let page = 0;

  async function unpack() {
    const bytes = Uint8Array.from(atob(one("#packed").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = JSON.parse(await new Response(stream).text());
    content.cellOf = [];
    content.cells.forEach((cell, i) => { for (let k = 0; k < cell.kept; k += 1) content.cellOf.push(i); });
    content.lower = null;
    return content;
  }

  let unpacking = null;
  function ready() {
    if (typeof DecompressionStream === "undefined") {
      status.textContent = "This browser cannot unpack the items (it lacks DecompressionStream); any current browser can.";
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
      const side = pair.indexOf(cell.method);
      if (side < 0) continue;
      const key = [data.rows.item[row], cell.model, cell.labels, cell.task, cell.shift, cell.stage, cell.seed].join("|");
      if (!sides.has(key)) sides.set(key, []);
      sides.get(key)[side] = row;
    }
    return [...sides.values()].filter(([a, b]) => a !== undefined && b !== undefined && data.rows.correct[a] !== data.rows.correct[b]);
  }

  // An item on which two methods differ: what changed from A to B, and both outputs beside each other.
  function couple([a, b]) {
    const says = (row, method) => `${{ correct: "right", wrong: "wrong" }[outcome(row)] ?? OUTCOMES[outcome(row)][1]} in ${method}`;
    const [first, second] = pair;
    const summary = make("summary", {},
      make("span", { class: `badge ${data.rows.correct[a] ? "wins" : "loses"}` }, `${says(a, first)}, ${says(b, second)}`),
      make("span", { class: "what" }, textOf(data.rows.question[a])),
      make("span", { class: "small" }, where(a, false)));
    const item = make("details", { class: "item two" }, summary);
    item.addEventListener("toggle", () => {
      if (!item.open || one(".pair", item)) return;
      const sides = [[first, a], [second, b]].map(([method, row]) => make("div", {}, make("h3", {}, method), body(row)));
      item.append(make("div", { class: "pair" }, ...sides));
    });
    return item;
  }

  const OUTCOMES = { correct: ["equivalent", "correct"], wrong: ["loses", "wrong"], unparsed: ["undecided", "no answer"], overlong: ["undecided", "too long"], failed: ["undecided", "failed"] };
  const STATUSES = { none: "none found", truncated: "cut off before an answer", ambiguous: "several different answers", overlong: "prompt too long for the model", failed: "the method raised an error" };
  const FINISHES = { eos: "ended by itself", stop: "ended at a stop string", length: "cut off at the token limit", overlong: "not run" };
  const textOf = (number) => (number < 0 ? null : data.texts[number]);

  function where(row, named = true) {
    const cell = cells.get(data.cells[data.cellOf[row]].cell);
    const known = cell.labels !== null; // of other tools' results neither labels nor seeds are
    const parts = [cell.model, ...(named ? [cell.method] : []), ...(known ? [`${cell.labels} labels`] : []), cell.task];
    if (cell.shift !== "none") parts.push(`shift ${cell.shift}`);
    return [...parts, `${known ? "seed" : "draw"} ${cell.seed}`].join(" · ");
  }

  function fact(name, value) {
    return make("div", {}, make("dt", {}, name), make("dd", {}, value));
  }

  function votes(answers) {
    const counts = new Map();
    answers.forEach((answer) => counts.set(answer, (counts.get(answer) ?? 0) + 1));
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    return sorted.map(([answer, count]) => `${textOf(answer) ?? "no answer"} × ${count}`).join(", ");
  }

  function body(row) {
    const { rows } = data;
    const answer = textOf(rows.answer[row]);
    const facts = make("dl", { class: "answers" }, fact("Gold answer", textOf(rows.gold[row])), fact("Extracted answer", answer ?? STATUSES[textOf(rows.status[row])] ?? "–"));
    if (textOf(rows.cause[row]) !== null) facts.append(fact("Error", textOf(rows.cause[row])));
    if (rows.prob[row] !== null) facts.append(fact("Probability of the gold answer among the choices", rows.prob[row].toFixed(3)));
    const many = rows.outputs[row].length > 1;
    if (many && rows.answers[row].length) facts.append(fact("Votes", votes(rows.answers[row])));
    const box = make("div", { class: "body" }, facts, make("h4", {}, "Prompt"));
    const beginning = textOf(data.cells[data.cellOf[row]].beginning);
    if (beginning) {
      const title = `Instruction and demonstrations, the same for every item of the cell (${beginning.length.toLocaleString("en")} characters)`;
      box.append(make("details", { class: "beginning" }, make("summary", {}, title), make("pre", {}, beginning)));
    }
    box.append(make("pre", {}, textOf(rows.rest[row])));
    rows.outputs[row].forEach((output, i) => {
      const finish = textOf(rows.finishes[row][i] ?? -1);
      const found = textOf(rows.answers[row][i] ?? -1);
      const how = finish === null ? "" : ` (${FINISHES[finish] ?? finish}${many ? `; answer: ${found ?? "none"}` : ""})`;
      const title = `${many ? `Output ${i + 1} of ${rows.outputs[row].length}` : "Output"}${how}`;
      box.append(make("h4", {}, title), make("pre", {}, textOf(output)));
    });
    return box;
  }

  function entry(row) {
    const [kind, word] = OUTCOMES[outcome(row)];
    const summary = make("summary", {},
      make("span", { class: `badge ${kind}` }, word),
      make("span", { class: "what" }, textOf(data.rows.question[row])),
      make("span", { class: "where small" }, `${where(row)} · answer: ${textOf(data.rows.answer[row]) ?? "–"}, gold: ${textOf(data.rows.gold[row])}`));
    const item = make("details", { class: "item" }, summary);
    item.addEventListener("toggle", () => { if (item.open && !one(".body", item)) item.append(body(row)); });
    return item;
  }

  function render() {
    const total = data.cellOf.length;
    const said = pair ? `items on which ${pair[0]} (A) and ${pair[1]} (B) differ; any filter shows single answers again` : `of ${total.toLocaleString("en")} items`;
    status.textContent = found.length ? `${found.length.toLocaleString("en")} ${said}` : "No item fits these filters.";
    list.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(pair ? couple : entry));
    const pages = Math.ceil(found.length / PAGE);
    pager.hidden = pages < 2;
    one("span", pager).textContent = `Page ${page + 1} of ${pages}`;
    const [back, on] = all("button", pager);
    back.disabled = page === 0;
    on.disabled = page >= pages - 1;
  }

  const refresh = () => ready().then(search, () => {});
  let waiting = 0;
  for (const [name, value] of [...chosen]) {
    const field = name.startsWith("items.") ? form.elements[name.slice(6)] : null;
    if (field) field.value = value;
  }
  form.addEventListener("input", ({ target }) => {
    pair = null;
    if (target.name) remember(`items.${target.name}`, target.selectedIndex === 0 ? "" : target.value);
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 150);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  all("button", pager).forEach((button) => button.addEventListener("click", () => {
    page += Number(button.dataset.step);
    render();
    one("#items").scrollIntoView();
  }));
  all("[data-cell]").forEach((button) => button.addEventListener("click", () => {
    const cell = cells.get(button.dataset.cell);
    pair = null;
    form.reset();
    for (const facet of facets) if (form.elements[facet]) form.elements[facet].value = String(cell[facet]);
    refresh();
    one("#items").scrollIntoView();
  }));
  // The items on which the methods of a comparison differ, each question with all its answers.
  all("[data-pair]").forEach((button) => button.addEventListener("click", () => {
    form.reset();
    pair = [button.dataset.a, button.dataset.b];
    for (const [facet, value] of Object.entries(JSON.parse(button.dataset.pair))) {
      if (form.elements[facet]) form.elements[facet].value = String(value);
    }
    refresh();
    one("#items").scrollIntoView();
  }));
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    refresh();
  }, { rootMargin: "300px" }).observe(one("#items"));
  const [place] = location.hash.slice(1).split("&");
  if (given.length && place) document.getElementById(place)?.scrollIntoView();
  if (place === "items") refresh();
})();
