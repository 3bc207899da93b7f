// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Rows carry data-rank, whatever names them; a button in a row may carry data-forget, and asks before it acts.
const rows = () => [...element.querySelectorAll("[data-rank]")];

function choose(row) {
  rows().forEach((other) => {
    other.setAttribute("aria-selected", String(other === row));
    other.tabIndex = other === row ? 0 : -1;
  });
  row.focus();
  trigger("select", { rank: row.dataset.rank });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-forget]");
  if (button) {
    if (window.confirm(button.dataset.ask)) trigger("delete", { rank: button.dataset.forget });
    return;
  }
  const row = event.target.closest("[data-rank]");
  if (row) choose(row);
});
element.addEventListener("keydown", (event) => {
  if (event.target.closest("[data-forget]")) return;
  const row = event.target.closest("[data-rank]");
  if (!row || !["ArrowDown", "ArrowUp", "Enter", " "].includes(event.key)) return;
  event.preventDefault();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  const next = rows()[rows().indexOf(row) + step];
  if (next) choose(next);
});
