// A published model as a point on its line of equal compute 6ND = C, dragged by mouse, finger or arrow keys. The numbers
// follow in the browser; the N where the point is put down goes back to Python. compute_drag_scene.js stands before it.
// Data reaches the page through textContent and attributes only.

const STEP = 0.02; // decades of N an arrow key moves; ten times as much with Page Up and Page Down
const REST = 450; // milliseconds after the last key until the place is reported
const NEAR = 1e-3; // relative difference of two places that count as the same: the address keeps four digits
const GLIDE = 450; // milliseconds to the optimum and back

function readouts() {
  const rows = [
    ["parameters", "Parameters N"],
    ["tokens", "Tokens D"],
    ["ratio", "Tokens per parameter"],
    ["loss", "Loss, nats per token"],
    ["saved", "Loss against published"],
  ];
  const list = html("dl", "numbers");
  const cells = {};
  for (const [name, label] of rows) {
    const cell = html("div", `cell ${name}`);
    cells[name] = html("dd", "value");
    cell.append(html("dt", "label", label), cells[name]);
    list.append(cell);
  }
  return { list, cells };
}

function build(root) {
  const { list, cells } = readouts();
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("class", "chart");
  const row = html("div", "buttons");
  const best = html("button", "button", "To the optimum");
  const home = html("button", "button", "Back to its published place");
  for (const button of [best, home]) button.type = "button";
  row.append(best, home);
  root.append(list, chart, row);
  return { chart, cells, best, home };
}

function handle(svg, data) {
  const [low, high] = data.reach.map(Math.log10);
  const group = draw(svg, "g", {
    class: "handle", role: "slider", tabindex: 0, "aria-orientation": "horizontal",
    "aria-label": `Parameters of ${data.model} at its own compute; arrow keys move it, o goes to the optimum`,
    "aria-valuemin": low.toFixed(3), "aria-valuemax": high.toFixed(3),
  });
  draw(group, "circle", { class: "grip", r: 24 });
  draw(group, "circle", { class: "ring", r: 15 });
  draw(group, "path", { class: "point", d: "M0 -10L10 0L0 10L-10 0Z" });
  return group;
}

// Everything that moves with the point.
function place(view, n) {
  const { data, scale: s, handle: grip, shadow, cells } = view;
  const said = words(n, data);
  grip.setAttribute("transform", `translate(${s.x(n)} ${s.y(data.flops / 6 / n)})`);
  shadow.setAttribute("cx", s.x(n));
  shadow.setAttribute("cy", Math.max(s.stripTop + 4, s.loss(lossAt(n, data))));
  grip.setAttribute("aria-valuenow", Math.log10(n).toFixed(3));
  grip.setAttribute(
    "aria-valuetext",
    `${said.parameters} parameters, ${said.tokens} tokens, ${said.ratio} tokens per parameter, loss ${said.loss}, ${said.spoken}`,
  );
  for (const [name, cell] of Object.entries(cells)) cell.textContent = said[name];
  cells.saved.classList.toggle("lower", said.saved.startsWith("\u2212"));
  view.n = n;
}

function within(n, data) {
  return Math.min(data.reach[1], Math.max(data.reach[0], n));
}

// The N of the point of the line that is nearest to the pointer, on the screen.
function nearest(event, view) {
  const { data, scale: s } = view;
  const frame = view.chart.getBoundingClientRect();
  const x = event.clientX - frame.left - s.x(data.published);
  const y = event.clientY - frame.top - s.y(data.flops / 6 / data.published);
  const decades = (x * s.perN + y * s.perD) / (s.perN ** 2 + s.perD ** 2);
  return within(data.published * 10 ** decades, data);
}

function report(view) {
  clearTimeout(view.rest);
  const n = Number(view.n.toPrecision(view.data.digits));
  view.sent = n;
  view.send("placed", n);
}

function glide(view, target) {
  cancelAnimationFrame(view.frame);
  const from = Math.log10(view.n);
  const way = Math.log10(target) - from;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const started = performance.now();
  const step = (now) => {
    const part = still ? 1 : Math.min(1, Math.max(0, now - started) / GLIDE);
    place(view, part === 1 ? target : 10 ** (from + way * part * (2 - part)));
    if (part < 1) view.frame = requestAnimationFrame(step);
    else report(view);
  };
  view.frame = requestAnimationFrame(step);
}

function listen(view) {
  const grip = view.handle;
  grip.onpointerdown = (event) => {
    if (event.button !== 0) return;
    cancelAnimationFrame(view.frame);
    grip.setPointerCapture(event.pointerId);
    grip.focus({ preventScroll: true });
    view.held = true;
  };
  // A finger on the point must not scroll the page; Chromium ignores `touch-action` on parts of an SVG.
  grip.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  grip.onpointermove = (event) => {
    if (view.held) place(view, nearest(event, view));
  };
  grip.onpointerup = grip.onpointercancel = () => {
    if (!view.held) return;
    view.held = false;
    report(view);
  };
  grip.onkeydown = (event) => {
    const moves = { ArrowRight: STEP, ArrowDown: STEP, ArrowLeft: -STEP, ArrowUp: -STEP, PageDown: 0.2, PageUp: -0.2 };
    const ends = { Home: view.data.reach[0], End: view.data.reach[1], o: view.data.best };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves || event.key in ends)) return;
    event.preventDefault();
    cancelAnimationFrame(view.frame);
    place(view, event.key in moves ? within(view.n * 10 ** moves[event.key], view.data) : ends[event.key]);
    clearTimeout(view.rest);
    view.rest = setTimeout(() => report(view), REST);
  };
  // The list above the chart does the same for those who use the keyboard.
  view.chart.onclick = (event) => {
    if (event.target.closest(".handle")) return;
    const frame = view.chart.getBoundingClientRect();
    const name = nearestOther(event.clientX - frame.left, event.clientY - frame.top, view.data, view.scale);
    if (name) view.send("chosen", name);
  };
  view.best.onclick = () => glide(view, view.data.best);
  view.home.onclick = () => glide(view, view.data.published);
}

function paint(view, n) {
  const { data, chart } = view;
  const held = chart.getRootNode().activeElement?.getAttribute?.("role") === "slider";
  const width = Math.max(280, Math.round(chart.parentElement.clientWidth));
  view.scale = scales(data, width);
  chart.replaceChildren();
  chart.setAttribute("viewBox", `0 0 ${width} ${view.scale.height}`);
  chart.setAttribute("width", width);
  chart.setAttribute("height", view.scale.height);
  axes(chart, view.scale);
  const strip = still(chart, data, view.scale);
  view.shadow = draw(strip, "circle", { class: "shadow", r: 6 });
  view.handle = handle(chart, data);
  listen(view);
  place(view, n);
  if (held) view.handle.focus();
}

// What Python says replaces what the hand did, except while the point is held or its last place is still on the way.
export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".drag");
  if (!root) {
    root = html("div", "drag");
    parentElement.append(root);
    root.view = build(root);
    root.view.observer = new ResizeObserver(() => {
      const { view } = root;
      if (view.scale && !view.held && Math.abs(root.clientWidth - view.scale.width) > 1) paint(view, view.n);
    });
    root.view.observer.observe(root);
  }
  const { view } = root;
  view.send = setTriggerValue;
  if (view.held) return undefined; // drawn when the place comes back after the point is put down
  const other = view.data?.model !== data.model;
  const late = !other && view.sent !== undefined && Math.abs(view.sent / data.place - 1) > NEAR;
  if (!late) view.sent = undefined;
  const n = within(late ? view.n : data.place, data);
  const scene = JSON.stringify({ ...data, place: 0 });
  view.data = data;
  if (scene !== view.painted) paint(view, n);
  else if (Math.abs(view.n / n - 1) > NEAR) place(view, n);
  view.painted = scene;
  return undefined;
}
