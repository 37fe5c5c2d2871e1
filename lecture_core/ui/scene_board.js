// A small picture under the hand: cells are covered by pressing and painting over them, or shapes are dragged from cell
// to cell. Knows nothing of models: it draws the pixels it is given and reports what was covered or moved.

function element(tag, className) {
  const node = document.createElement(tag);
  node.className = className;
  return node;
}

function paint(canvas, data) {
  canvas.width = data.width;
  canvas.height = data.height;
  const rgb = Uint8Array.from(atob(data.picture), (c) => c.charCodeAt(0));
  const image = canvas.getContext("2d").createImageData(data.width, data.height);
  for (let i = 0; i < data.width * data.height; i++) {
    image.data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function cover(layer, covered, grid) {
  layer.replaceChildren(
    ...[...covered].map((cell) => {
      const node = element("span", "hatch");
      node.style.gridArea = `${Math.floor(cell / grid) + 1} / ${(cell % grid) + 1}`;
      return node;
    }),
  );
}

function buttons(layer, data, covered) {
  const grid = data.moving ? data.cells : data.grid;
  layer.style.setProperty("--cells", grid);
  const nodes = Array.from({ length: grid * grid }, (_, cell) => {
    const node = element("button", "cell");
    node.type = "button";
    node.dataset.cell = String(cell);
    node.tabIndex = cell === 0 ? 0 : -1;
    const name = data.names[cell];
    const taken = data.moving && data.shapes[cell];
    node.classList.toggle("taken", Boolean(taken));
    node.setAttribute("aria-label", data.moving ? `${name}: ${taken || "empty"}` : name);
    if (!data.moving) node.setAttribute("aria-pressed", String(covered.has(cell)));
    return node;
  });
  layer.replaceChildren(...nodes);
  return nodes;
}

function roam(layer, nodes, grid) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid, ArrowDown: grid };
  layer.onkeydown = (event) => {
    const at = nodes.indexOf(event.target);
    const to = at + (steps[event.key] ?? 0);
    const wraps = Math.abs(steps[event.key]) === 1 && Math.floor(at / grid) !== Math.floor(to / grid);
    if (at < 0 || to === at || wraps || !nodes[to]) return;
    event.preventDefault();
    nodes[at].tabIndex = -1;
    nodes[to].tabIndex = 0;
    nodes[to].focus();
  };
}

function covering(root, layer, hatches, nodes, data, covered, report) {
  let adding = null;
  let before = "";
  const cellAt = (event) => {
    const found = root.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell");
    return found ? Number(found.dataset.cell) : null;
  };
  const put = (cell) => {
    if (cell === null) return;
    if (adding) covered.add(cell);
    else covered.delete(cell);
    nodes[cell].setAttribute("aria-pressed", String(adding));
    cover(hatches, covered, data.grid);
  };
  const tell = () => {
    const now = [...covered].sort((a, b) => a - b);
    if (now.join() !== before) report(now);
  };
  const begin = (cell) => {
    before = [...covered].sort((a, b) => a - b).join();
    adding = !covered.has(cell);
    put(cell);
  };
  layer.onpointerdown = (event) => {
    const cell = event.button === 0 && event.isPrimary ? cellAt(event) : null;
    if (cell === null) return;
    layer.setPointerCapture(event.pointerId);
    begin(cell);
  };
  layer.onpointermove = (event) => adding !== null && put(cellAt(event));
  layer.onpointerup = layer.onpointercancel = () => {
    if (adding === null) return;
    adding = null;
    tell();
  };
  layer.onclick = (event) => {
    const cell = event.detail === 0 ? nodes.indexOf(event.target) : -1; // by keyboard
    if (cell < 0) return;
    begin(cell);
    adding = null;
    tell();
  };
}

function moving(root, layer, nodes, data, report) {
  let from = null;
  const light = (cell, kind) => nodes.forEach((node, i) => node.classList.toggle(kind, i === cell));
  const cellAt = (event) => nodes.indexOf(root.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell"));
  const take = (cell) => {
    if (!data.shapes[cell]) return;
    from = cell;
    light(cell, "held");
  };
  const drop = (cell) => {
    const start = from;
    from = null;
    light(-1, "held");
    light(-1, "over");
    if (cell >= 0 && cell !== start) report([start, cell]);
  };
  layer.onpointerdown = (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    take(cellAt(event));
    if (from !== null) layer.setPointerCapture(event.pointerId);
  };
  layer.onpointermove = (event) => from !== null && light(cellAt(event), "over");
  layer.onpointerup = (event) => from !== null && drop(cellAt(event));
  layer.onpointercancel = () => drop(-1);
  layer.onclick = (event) => {
    const cell = event.detail === 0 ? nodes.indexOf(event.target) : -1; // by keyboard: once to take, once to put down
    if (cell < 0) return;
    if (from === null) take(cell);
    else drop(cell);
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  let board = parentElement.querySelector(".board");
  if (!board) {
    board = element("div", "board");
    board.append(element("canvas", "picture"), element("div", "hatches"), element("div", "hand"));
    parentElement.append(board);
  }
  const [canvas, hatches, layer] = board.children;
  const active = parentElement.activeElement ?? document.activeElement;
  const held = layer.contains(active) ? Number(active.dataset.cell) : null;
  board.style.aspectRatio = `${data.width} / ${data.height}`;
  board.classList.toggle("photo", data.photo);
  paint(canvas, data);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.alt);
  const covered = new Set(data.covered);
  hatches.style.setProperty("--cells", data.grid);
  cover(hatches, covered, data.grid);
  layer.setAttribute("role", "group");
  layer.setAttribute("aria-label", data.moving ? "Shapes; arrow keys go, Enter takes and puts down" : "Cells; Enter covers");
  layer.classList.toggle("moving", data.moving);
  const nodes = buttons(layer, data, covered);
  roam(layer, nodes, data.moving ? data.cells : data.grid);
  if (held !== null && nodes[held]) {
    nodes[0].tabIndex = -1;
    nodes[held].tabIndex = 0;
    nodes[held].focus();
  }
  const root = layer.getRootNode();
  if (data.moving) moving(root, layer, nodes, data, (pair) => setTriggerValue("moved", pair));
  else covering(root, layer, hatches, nodes, data, covered, (cells) => setTriggerValue("covered", cells));
}
