// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
function choose(row) {
  element.querySelectorAll("tr[data-rank]").forEach((other) => {
    other.setAttribute("aria-selected", String(other === row));
    other.tabIndex = other === row ? 0 : -1;
  });
  row.focus();
  trigger("select", { rank: Number(row.dataset.rank) });
}

element.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-rank]");
  if (row) choose(row);
});
element.addEventListener("keydown", (event) => {
  const row = event.target.closest("tr[data-rank]");
  const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!row || !next) return;
  event.preventDefault();
  if (row[next]) choose(row[next]);
});
