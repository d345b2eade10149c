// What all parts use, and the address. Everything from the records reaches the page as text, never as HTML.
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const read = (id) => JSON.parse(one(`#${id}`).textContent);
// What is packed: all items, and the charts of a large study.
const packs = typeof DecompressionStream !== "undefined";
async function unpacked(id) {
  const node = one(`#${id}`);
  if (node.type === "application/json") return read(id);
  const bytes = Uint8Array.from(atob(node.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
// Words of the page in its language; English ones stand for themselves.
const WORDS = read("words");
const say = (text, places = {}) => (WORDS[text] ?? text).replaceAll(/{(\w+)}/g, (_, name) => places[name]);

// The address keeps what is chosen: #place&focus=cot&size.shift=domain&items.method=cot
const [, ...given] = location.hash.slice(1).split("&");
const chosen = new URLSearchParams(given.join("&"));

function remember(name, value) {
  if (value === "") chosen.delete(name);
  else chosen.set(name, value);
  keep();
}

function keep(at = null) {
  const place = typeof at === "string" ? at : location.hash.slice(1).split("&")[0];
  history.replaceState(null, "", `#${[place, chosen.toString()].filter((part, i) => i === 0 || part).join("&")}`);
}

addEventListener("hashchange", keep);
