// Figures: drawing, saving, choosing.
const specs = unpacked("specs");
const dark = matchMedia("(prefers-color-scheme: dark)");
const views = new Map();
const state = { focus: "", queries: 1000 };
const paper = () => getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();

function look() {
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(name).trim();
  const [ink, soft, line, strong] = ["--ink", "--soft", "--line", "--strong-line"].map(colour);
  return {
    aria: false, // the panel is described as a whole
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
    const spec = (await specs)[Number(panel.dataset.panel)][i];
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
async function csv(panel) {
  const rows = new Map();
  for (const spec of (await specs)[Number(panel.dataset.panel)]) {
    for (const row of spec.datasets[spec.layer.at(-1).data.name]) rows.set(JSON.stringify(row), row);
  }
  const names = [...new Set([...rows.values()].flatMap(Object.keys))];
  // A spreadsheet takes a text that begins so for a formula and works it out: an apostrophe keeps it a text.
  const inert = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : String(value ?? ""));
  const quoted = (value) => `"${inert(value).replaceAll('"', '""')}"`;
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
