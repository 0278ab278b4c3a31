"use strict";
// The rows of the page, samples and tasks, stand in <noscript> elements, some fifty in each: a reader without script sees
// them all, and to the others they are text, which costs next to nothing to open. A chunk of them becomes elements when
// somebody comes near it, by scrolling, a link, a key or a search.
const mode = document.getElementById("mode");
const credit = document.getElementById("credit");
const text = document.getElementById("text");
const grpo = document.getElementById("grpo");
const count = document.getElementById("count");
const ROW = 2.9; // rem, about what a closed row takes: the place that is kept for those that are not there yet
const NEAR = "1000px";
const BEGINNING = /^<details class="\w+" id="(\w+)"(?: data-mode="(\w+)" data-credit="([\w ]+)")?/;
const rows = new Map(); // by anchor, in the page's order
const chunks = new Map(); // by element

for (const packed of document.querySelectorAll("noscript")) {
  const chunk = { node: document.createElement("div"), rows: [], shown: false };
  for (const markup of packed.textContent.split(/(?=<details )/)) {
    const [, id, itsMode, itsCredit] = BEGINNING.exec(markup) ?? [];
    if (!id) continue; // white space
    const row = { id, mode: itsMode, credit: itsCredit, markup, chunk, fits: true, node: null, words: null };
    chunk.rows.push(row);
    rows.set(id, row);
  }
  chunks.set(chunk.node, chunk);
  keep(chunk);
  packed.replaceWith(chunk.node);
}
const samples = [...rows.values()].filter((row) => row.mode);
const near = new IntersectionObserver(
  (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => unpack(chunks.get(one.target))),
  { rootMargin: NEAR },
);
for (const node of chunks.keys()) near.observe(node);

function keep(chunk) {
  const n = chunk.rows.filter((row) => row.fits).length;
  chunk.node.hidden = !n;
  if (!chunk.shown) chunk.node.style.height = `${n * ROW}rem`;
}

function unpack(chunk) {
  if (chunk.shown) return;
  chunk.shown = true;
  near.unobserve(chunk.node);
  chunk.node.style.height = "";
  chunk.node.innerHTML = chunk.rows.map((row) => row.markup).join("");
  chunk.rows.forEach((row, at) => {
    row.node = chunk.node.children[at];
    row.node.hidden = !row.fits;
  });
}

// What can be found in a row, read when somebody first looks for something: its markup without tags and entities.
function said(row) {
  row.words ??= row.markup
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#34;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .toLowerCase();
  return row.words;
}

function show() {
  const wanted = text.value.trim().toLowerCase();
  for (const row of samples) {
    row.fits = (!mode.value || row.mode === mode.value)
      && (!credit.value || row.credit.split(" ").includes(credit.value))
      && (!wanted || said(row).includes(wanted));
    if (row.node) row.node.hidden = !row.fits;
  }
  for (const chunk of chunks.values()) keep(chunk);
  const listed = samples.filter((row) => row.fits);
  if (listed.length) unpack(listed[0].chunk);
  count.textContent = `${listed.length} of ${samples.length} listed`;
}

function follow() {
  const row = rows.get(decodeURIComponent(location.hash.slice(1)));
  if (!row) return;
  if (!row.fits) {
    mode.value = credit.value = text.value = "";
    show();
  }
  const above = chunks.get(row.chunk.node.previousElementSibling); // where it grew later it would push the row away
  if (above) unpack(above);
  unpack(row.chunk);
  row.node.open = true;
  row.node.scrollIntoView();
  row.node.querySelector("summary").focus({ preventScroll: true });
}

function step(by) {
  const listed = samples.filter((row) => row.fits);
  const here = listed.findIndex((row) => row.node?.contains(document.activeElement));
  const next = listed[here < 0 ? (by > 0 ? 0 : listed.length - 1) : here + by];
  if (!next) return;
  unpack(next.chunk);
  next.node.querySelector("summary").focus();
}

const KEYS = {
  "/": () => text.focus(),
  j: () => step(1),
  k: () => step(-1),
  g: () => grpo.click(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=search], select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});
for (const tool of [mode, credit, text]) tool.addEventListener("input", show);
grpo.addEventListener("input", () => document.body.classList.toggle("grpo", grpo.checked));
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => chunks.forEach(unpack));
document.getElementById("tools").hidden = false;
show();
follow();
