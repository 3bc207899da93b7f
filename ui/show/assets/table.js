// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Rows carry data-rank, whatever names them; a button in a row may carry data-forget, and asks before it acts.
// A heading with a button sorts its column, up and then down; the order stays when the table is drawn anew.
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

let order = null; // { column, falling }
function sort() {
  const table = element.querySelector("table");
  if (!order || !table) return;
  const value = (row) => {
    const cell = row.cells[order.column];
    return cell.querySelector("[data-value]")?.dataset.value ?? cell.innerText.trim();
  };
  const compare = (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (!a || !b) return Number(!a) - Number(!b); // what is empty stands last
    const up = a.localeCompare(b, undefined, { numeric: true });
    return order.falling ? -up : up;
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    if (column === order.column) cell.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
}

element.addEventListener("click", (event) => {
  const heading = event.target.closest(".xs-sort")?.closest("th");
  if (!heading) return;
  const falling = order?.column === heading.cellIndex && !order.falling;
  order = { column: heading.cellIndex, falling };
  sort();
});
const drawn = new MutationObserver(() => {
  drawn.disconnect();
  sort();
  drawn.observe(element, { childList: true, subtree: true });
});
drawn.observe(element, { childList: true, subtree: true });
