"use strict";
// Shows the samples that the tools above the list ask for. Works on attributes only; the page reads well without it.
const mode = document.getElementById("mode");
const credit = document.getElementById("credit");
const text = document.getElementById("text");
const count = document.getElementById("count");
const samples = [...document.querySelectorAll("details[data-mode]")];

function show() {
  const wanted = text.value.trim().toLowerCase();
  let n = 0;
  for (const sample of samples) {
    const data = sample.dataset;
    const fits = (!mode.value || data.mode === mode.value)
      && (!credit.value || data.credit.split(" ").includes(credit.value))
      && (!wanted || data.find.toLowerCase().includes(wanted));
    sample.hidden = !fits;
    n += fits;
  }
  count.textContent = `${n} of ${samples.length} listed`;
}

for (const tool of [mode, credit, text]) tool.addEventListener("input", show);
document.getElementById("tools").hidden = false;
show();
