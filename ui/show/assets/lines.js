// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Tab reaches the list once; the arrow keys move in it, Enter, space and Delete remove a line.
const removers = () => [...element.querySelectorAll("[data-remove]")];

function focus(button) {
  removers().forEach((other) => { other.tabIndex = other === button ? 0 : -1; });
  button.focus();
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (!button) return;
  focus(button);
  trigger("delete", { place: button.dataset.remove });
});
element.addEventListener("keydown", (event) => {
  const button = event.target.closest("[data-remove]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!button || !(step || event.key === "Delete")) return;
  event.preventDefault();
  if (event.key === "Delete") return button.click();
  const next = removers()[removers().indexOf(button) + step];
  if (next) focus(next);
});
