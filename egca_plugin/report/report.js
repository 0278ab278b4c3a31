"use strict";
// Shows the samples that the tools above the list ask for, follows links into closed ones, and listens to a few keys.
// Works on attributes only; the page reads well without it.
const mode = document.getElementById("mode");
const credit = document.getElementById("credit");
const text = document.getElementById("text");
const grpo = document.getElementById("grpo");
const count = document.getElementById("count");
const samples = [...document.querySelectorAll(".sample")];
const words = new Map(); // what can be found in a sample, read when somebody first looks for something

function said(sample) {
  if (!words.has(sample)) words.set(sample, sample.textContent.toLowerCase());
  return words.get(sample);
}

function show() {
  const wanted = text.value.trim().toLowerCase();
  let n = 0;
  for (const sample of samples) {
    const data = sample.dataset;
    const fits = (!mode.value || data.mode === mode.value)
      && (!credit.value || data.credit.split(" ").includes(credit.value))
      && (!wanted || said(sample).includes(wanted));
    sample.hidden = !fits;
    n += fits;
  }
  count.textContent = `${n} of ${samples.length} listed`;
}

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(target instanceof HTMLDetailsElement)) return;
  if (target.hidden) {
    mode.value = credit.value = text.value = "";
    show();
  }
  target.open = true;
  target.scrollIntoView();
  target.querySelector("summary").focus({ preventScroll: true });
}

function step(by) {
  const listed = samples.filter((sample) => !sample.hidden);
  const here = listed.findIndex((sample) => sample.contains(document.activeElement));
  const next = listed[here < 0 ? (by > 0 ? 0 : listed.length - 1) : here + by];
  if (next) next.querySelector("summary").focus();
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
document.getElementById("tools").hidden = false;
show();
follow();
