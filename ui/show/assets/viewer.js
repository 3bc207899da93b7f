// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// props.value is the JSON text made by ui/show/viewer.py: scene().
const find = (selector) => element.querySelector(selector);
const AXIS_COLOURS = ["#c0392b", "#2e8b57", "#2f6fbf"];
const EDGE_COLOUR = "#8a94a3";
const TURN = 10; // degrees at a press of an arrow
let viewer = null;
let content = null; // all that came with the value
let shown = null; // the view of it that is drawn
let which = 0;
let solid = true;
let parted = null; // whether each part has its colour, once the reader chose
const PARTS = ["#66717f", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]; // node, then linkers
const partColour = (part) => (part ? PARTS[1 + ((part - 1) % (PARTS.length - 1))] : PARTS[0]);
const byParts = () => shown.parts.length > 1 && (parted ?? content.by_parts);

function colourOf(symbol) {
  if (symbol === "H") return "#c9ced6"; // the usual white vanishes on a white page
  const value = window.$3Dmol.elementColors.Jmol[symbol] ?? 0xff1493;
  return "#" + value.toString(16).padStart(6, "0");
}

function note(text) {
  find(".xs-note").textContent = text;
  find(".xs-note").hidden = !text;
}

function openViewer() {
  if (viewer) return true;
  try {
    viewer = window.$3Dmol.createViewer(find(".xs-canvas"), { backgroundAlpha: 0, orthographic: true, antialias: true });
  } catch (error) {
    viewer = null;
  }
  if (viewer) new ResizeObserver(() => { viewer.resize(); }).observe(find(".xs-canvas"));
  return Boolean(viewer);
}

const add = (...vectors) => [0, 1, 2].map((k) => vectors.reduce((sum, v) => sum + v[k], 0));
const scaled = (v, factor) => v.map((x) => x * factor);
const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
const unit = (v) => scaled(v, 1 / Math.sqrt(dot(v, v)));
const point = (v) => ({ x: v[0], y: v[1], z: v[2] });

// The rotation that brings `axis` towards the reader and `up` upwards, as a quaternion [x, y, z, w].
function lookAlong(axis, up) {
  const n = unit(axis);
  const u = unit(add(up, scaled(n, -dot(up, n))));
  const m = [cross(u, n), u, n];
  const trace = m[0][0] + m[1][1] + m[2][2];
  const pick = [trace, m[0][0], m[1][1], m[2][2]];
  const largest = pick.indexOf(Math.max(...pick));
  if (largest === 0) {
    const s = 2 * Math.sqrt(1 + trace);
    return [(m[2][1] - m[1][2]) / s, (m[0][2] - m[2][0]) / s, (m[1][0] - m[0][1]) / s, s / 4];
  }
  const i = largest - 1, j = (i + 1) % 3, k = (i + 2) % 3;
  const s = 2 * Math.sqrt(1 + m[i][i] - m[j][j] - m[k][k]);
  const q = [0, 0, 0, (m[k][j] - m[j][k]) / s];
  q[i] = s / 4;
  q[j] = (m[j][i] + m[i][j]) / s;
  q[k] = (m[k][i] + m[i][k]) / s;
  return q;
}

const turn = (axis, degrees) => [...scaled(axis, Math.sin((degrees * Math.PI) / 360)), Math.cos((degrees * Math.PI) / 360)];

function product(p, q) {
  const [u, v] = [p.slice(0, 3), q.slice(0, 3)];
  return [...add(scaled(u, q[3]), scaled(v, p[3]), cross(u, v)), p[3] * q[3] - dot(u, v)];
}

function rotated(q, v) {
  const u = q.slice(0, 3);
  const t = scaled(cross(u, v), 2);
  return add(v, scaled(t, q[3]), cross(u, t));
}

// Centre the cell, turn it, and let what is drawn fill the canvas; 3Dmol's zoomTo() would leave half of it empty.
function show(rotation) {
  const centre = scaled(add(...shown.cell), 0.5);
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => add(...shown.cell.map((v, k) => scaled(v, (n >> k) & 1))));
  const points = [...corners, ...shown.atoms.map((row) => row.slice(2))].map((p) => rotated(rotation, add(p, scaled(centre, -1))));
  const canvas = find(".xs-canvas");
  const right = Math.max(...points.map((p) => Math.abs(p[0])));
  const top = Math.max(...points.map((p) => Math.abs(p[1])));
  // half the width shown is (CAMERA_Z - depth) tan(fov); 2.5 Å is the room that the name of an axis takes
  const halfWidth = 2.5 + Math.max(right, (top * canvas.clientWidth) / canvas.clientHeight);
  const depth = viewer.CAMERA_Z - halfWidth / Math.tan((Math.PI / 180) * viewer.fov);
  viewer.setView([...scaled(centre, -1), depth, ...rotation]);
  viewer.render();
}

const along = (axis) => lookAlong(shown.cell[axis], shown.cell[axis === 2 ? 1 : 2]);

function drawCell(cell) {
  const radius = 0.0025 * Math.cbrt(Math.abs(dot(cell[0], cross(cell[1], cell[2])))) + 0.015;
  for (let axis = 0; axis < 3; axis++) {
    const [one, two] = [cell[(axis + 1) % 3], cell[(axis + 2) % 3]];
    for (const start of [[0, 0, 0], one, two, add(one, two)]) {
      const own = start.every((x) => x === 0);
      viewer.addCylinder({
        start: point(start), end: point(add(start, cell[axis])), fromCap: 1, toCap: 1,
        radius: own ? 1.6 * radius : radius, color: own ? AXIS_COLOURS[axis] : EDGE_COLOUR,
      });
    }
    viewer.addLabel("abc"[axis], {
      position: point(scaled(cell[axis], 1 + 2.4 / Math.sqrt(dot(cell[axis], cell[axis])))), alignment: "center",
      fontColor: AXIS_COLOURS[axis], fontSize: 16, bold: true, showBackground: false, inFront: true,
    });
  }
}

function drawAtoms() {
  const atoms = shown.atoms.map(([element_, inside, x, y, z], index) => ({
    elem: shown.symbols[element_], part: shown.part[index], inside, x, y, z, index, serial: index, bonds: [], bondOrder: [], hetflag: true,
  }));
  for (const [i, j] of shown.bonds) {
    atoms[i].bonds.push(j);
    atoms[i].bondOrder.push(1);
    atoms[j].bonds.push(i);
    atoms[j].bondOrder.push(1);
  }
  const colours = Object.fromEntries(shown.symbols.map((s) => [s, colourOf(s)]));
  const own = Object.fromEntries(shown.parts.map((_, part) => [part, partColour(part)]));
  const colorscheme = byParts() ? { prop: "part", map: own } : { prop: "elem", map: colours };
  const model = viewer.addModel();
  model.addAtoms(atoms);
  // the far end of a bond that leaves the cell is a bare stick: no atom of this cell sits there
  model.setStyle({ inside: 0 }, { stick: { radius: 0.09, colorscheme } });
  model.setStyle({ inside: 1 }, { stick: { radius: 0.13, colorscheme }, sphere: { scale: 0.25, colorscheme } });
}

// A face is a triangle with corners of its own, so that it is flat and its edges show.
function drawPolyhedra() {
  for (const [element_, faces] of shown.polyhedra) {
    const vertexArr = [], normalArr = [], faceArr = [];
    for (const [p, q, r] of faces) {
      const back = scaled(p, -1);
      const normal = unit(cross(add(q, back), add(r, back)));
      for (const corner of [p, q, r]) {
        faceArr.push(vertexArr.length);
        vertexArr.push(point(corner));
        normalArr.push(point(normal));
      }
    }
    viewer.addCustom({ vertexArr, normalArr, faceArr, color: byParts() ? partColour(0) : colourOf(shown.symbols[element_]) });
  }
}

function span(text) {
  const item = document.createElement("span");
  item.textContent = text;
  return item;
}

function heading() {
  const title = document.createElement("b");
  title.textContent = content.title;
  find(".xs-cell").replaceChildren(title, ...shown.facts.map(span));
}

function legend() {
  const kinds = byParts() ? shown.parts.map((name, part) => [name, partColour(part)]) : shown.symbols.map((s) => [s, colourOf(s)]);
  find(".xs-legend").replaceChildren(...kinds.map(([name, colour]) => {
    const ball = document.createElement("i");
    ball.style.background = colour;
    const item = span(name);
    item.prepend(ball);
    return item;
  }));
}

function clear() {
  if (!viewer) return;
  viewer.removeAllModels();
  viewer.removeAllShapes();
  viewer.removeAllLabels();
}

function read() {
  content = props.value ? JSON.parse(props.value) : null;
  which = Math.min(which, (content?.views.length ?? 1) - 1);
  draw();
}

function draw() {
  shown = content ? content.views[which] : null;
  find(".xs-cif").disabled = !content?.cif; // what is still being made has none
  clear();
  const drawn = Boolean(shown) && openViewer() && shown.atoms.length > 0;
  element.querySelectorAll("[data-axis]").forEach((button) => { button.disabled = !drawn; });
  const other = content && content.views.length > 1 ? content.views[1 - which].name : "";
  find(".xs-switch").hidden = !other;
  find(".xs-switch").textContent = other ? other[0].toUpperCase() + other.slice(1) : "";
  find(".xs-solid").disabled = !drawn || !shown.polyhedra.length;
  find(".xs-solid").setAttribute("aria-pressed", String(solid));
  find(".xs-parted").disabled = !drawn || shown.parts.length < 2;
  find(".xs-parted").setAttribute("aria-pressed", String(Boolean(shown) && byParts()));
  if (!shown) {
    note("The unit cell of the selected structure is drawn here.");
    find(".xs-legend").replaceChildren();
    find(".xs-cell").replaceChildren();
    if (viewer) viewer.render();
    return;
  }
  heading();
  if (!viewer) {
    note("This browser offers no WebGL, which the 3-D view needs. The CIF can still be downloaded.");
    return;
  }
  legend();
  note(shown.hidden ? `The cell holds ${shown.hidden} atoms, too many to draw here. The CIF holds them all.` : "");
  find(".xs-canvas").setAttribute("aria-label", `${content.title}, ${shown.name}: arrows turn it, plus and minus zoom`);
  drawCell(shown.cell);
  drawAtoms();
  if (solid) drawPolyhedra();
  viewer.zoomTo(); // sets how deep the scene reaches
  show(product(turn([1, 0, 0], 14), product(turn([0, 1, 0], 16), along(2))));
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content.cif], { type: "chemical/x-cif" }));
  link.download = content.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const KEYS = {
  ArrowLeft: () => viewer.rotate(-TURN, "y"), ArrowRight: () => viewer.rotate(TURN, "y"),
  ArrowUp: () => viewer.rotate(-TURN, "x"), ArrowDown: () => viewer.rotate(TURN, "x"),
  "+": () => viewer.zoom(1.15), "=": () => viewer.zoom(1.15), "-": () => viewer.zoom(1 / 1.15),
  a: () => show(along(0)), b: () => show(along(1)), c: () => show(along(2)),
};

element.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || !event.target.closest(".xs-canvas") || !viewer || !shown?.atoms.length) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
  viewer.render();
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.classList.contains("xs-cif")) download();
  else if (button.classList.contains("xs-switch")) { which = 1 - which; draw(); }
  else if (button.classList.contains("xs-solid")) { solid = !solid; draw(); }
  else if (button.classList.contains("xs-parted")) { parted = !byParts(); draw(); }
  else show(along(Number(button.dataset.axis)));
});
watch("value", read);
read();
