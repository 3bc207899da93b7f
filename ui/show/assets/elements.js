// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// props.value becomes the JSON text that ui/show/elements.py: Choice.parse() reads.
const STATES = ["may", "must", "without"];
const WORDS = { may: "may be there", must: "must be there", without: "must not be there" };
const cells = () => [...element.querySelectorAll("[data-element]")];
const named = (state) => cells().filter((cell) => cell.dataset.state === state).map((cell) => cell.dataset.element);

function paint(cell, state) {
  cell.dataset.state = state;
  cell.setAttribute("aria-label", `${cell.dataset.element}: ${WORDS[state]}`);
}

function tell() {
  const [must, without] = [named("must"), named("without")];
  const parts = [must.length ? `Must: ${must.join(" ")}` : "", without.length ? `Must not: ${without.join(" ")}` : ""];
  element.querySelector(".xs-marked").textContent = parts.filter(Boolean).join(". ");
  return must.length || without.length ? JSON.stringify({ must, without }) : "";
}

function focus(cell) {
  cells().forEach((other) => { other.tabIndex = other === cell ? 0 : -1; });
  cell.focus();
}

element.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-element]");
  if (!cell) return;
  paint(cell, STATES[(STATES.indexOf(cell.dataset.state ?? "may") + 1) % STATES.length]);
  focus(cell);
  props.value = tell();
});
element.addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-element]");
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!cell || !step) return;
  event.preventDefault();
  const next = cells()[cells().indexOf(cell) + step];
  if (next) focus(next);
});
