// Tables: sorting and finding.
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
