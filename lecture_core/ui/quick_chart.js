// A chart that follows a slider: cells, lines, marks and words in the numbers of the data, drawn anew in a few
// milliseconds. Knows nothing of what they mean. Comes after svg.js, in one text.

const LETTER = 7.6; // width of a letter at 14 pixels, a little more than most
const REACH = 28; // pixels from the pointer to a mark or line that still speaks
const DASHES = { dot: "2 3", dash: "7 5", solid: "none" };

// Corners of each mark on a circle of radius 1: pairs of radius and turn, clockwise from the top.
const MARKS = {
  square: [[1.2, 0.125], [1.2, 0.375], [1.2, 0.625], [1.2, 0.875]],
  diamond: [[1.3, 0], [1.3, 0.25], [1.3, 0.5], [1.3, 0.75]],
  "triangle-up": [[1.3, 0], [1.3, 1 / 3], [1.3, 2 / 3]],
  "triangle-down": [[1.3, 0.5], [1.3, 5 / 6], [1.3, 1 / 6]],
  pentagon: [[1.15, 0], [1.15, 0.2], [1.15, 0.4], [1.15, 0.6], [1.15, 0.8]],
  star: Array.from({ length: 10 }, (_, i) => [i % 2 ? 0.55 : 1.4, i / 10]),
  hexagram: Array.from({ length: 12 }, (_, i) => [i % 2 ? 0.7 : 1.3, i / 12]),
  hourglass: [[1.2, 0.875], [1.2, 0.125], [1.2, 0.625], [1.2, 0.375]],
  bowtie: [[1.2, 0.125], [1.2, 0.375], [1.2, 0.875], [1.2, 0.625]],
  cross: [[1.1, 0.95], [1.1, 0.05], [0.45, 0.125], [1.1, 0.2], [1.1, 0.3], [0.45, 0.375],
    [1.1, 0.45], [1.1, 0.55], [0.45, 0.625], [1.1, 0.7], [1.1, 0.8], [0.45, 0.875]],
  x: [[0.45, 0], [1.1, 0.075], [1.1, 0.175], [0.45, 0.25], [1.1, 0.325], [1.1, 0.425],
    [0.45, 0.5], [1.1, 0.575], [1.1, 0.675], [0.45, 0.75], [1.1, 0.825], [1.1, 0.925]],
  "y-up": [[0.3, 0], [1.3, 0.05], [1.3, 0.3], [0.3, 0.42], [1.3, 0.7], [1.3, 0.95]],
};

function scaleOf(axis, from, to) {
  const place = axis.log ? Math.log10 : Number;
  const [low, high] = [place(axis.low), place(axis.high)];
  const scale = (value) => from + ((place(value) - low) / (high - low)) * (to - from);
  scale.back = (pixel) => {
    const value = low + ((pixel - from) / (to - from)) * (high - low);
    return axis.log ? 10 ** value : value;
  };
  return scale;
}

function outline(symbol, x, y, size) {
  const corners = MARKS[symbol];
  if (!corners) return `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`;
  const points = corners.map(([radius, turn]) => {
    const angle = 2 * Math.PI * turn - Math.PI / 2;
    return [x + size * radius * Math.cos(angle), y + size * radius * Math.sin(angle)];
  });
  return `${path(points)}Z`;
}

function frame(svg, data, view) {
  const { x, y, left, right, top, bottom } = view;
  const grid = draw(svg, "g", { class: "grid", "aria-hidden": "true" });
  for (const [value, name] of data.x.ticks) {
    draw(grid, "line", { x1: x(value), x2: x(value), y1: top, y2: bottom });
    draw(grid, "text", { x: x(value), y: bottom + 19, "text-anchor": "middle" }, name);
  }
  for (const [value, name] of data.y.ticks) {
    draw(grid, "line", { x1: left, x2: right, y1: y(value), y2: y(value) });
    draw(grid, "text", { x: left - 8, y: y(value) + 5, "text-anchor": "end" }, name);
  }
  draw(grid, "path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` });
  const [across, down] = [(left + right) / 2, (top + bottom) / 2];
  draw(grid, "text", { x: across, y: bottom + 44, "text-anchor": "middle" }, data.x.title);
  draw(grid, "text", { x: 15, y: down, transform: `rotate(-90 15 ${down})`, "text-anchor": "middle" }, data.y.title);
}

// A picture with one pixel a cell; the browser enlarges and smooths it.
function cells(svg, data, view) {
  if (!data.cells) return;
  const { values, low, high, colour, strongest, faintest } = data.cells;
  const canvas = document.createElement("canvas");
  canvas.width = values[0].length;
  canvas.height = values.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  values.toReversed().flat().forEach((value, i) => {
    const opacity = strongest + ((value - low) / (high - low || 1)) * (faintest - strongest);
    image.data.set([...colour, Math.round(255 * opacity)], 4 * i);
  });
  context.putImageData(image, 0, 0);
  const { left, right, top, bottom } = view;
  const place = { x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none" };
  draw(svg, "image", { ...place, href: canvas.toDataURL() });
}

function inside(svg, view) {
  const id = `clip-${Math.random().toString(36).slice(2)}`;
  const { left, right, top, bottom } = view;
  const clip = draw(draw(svg, "defs", {}), "clipPath", { id });
  draw(clip, "rect", { x: left, y: top, width: right - left, height: bottom - top });
  return draw(svg, "g", { "clip-path": `url(#${id})` });
}

function lines(area, data, { x, y }) {
  for (const { pieces, colour, width, dash } of data.lines) {
    const d = pieces.map((piece) => path(piece.map(([a, b]) => [x(a), y(b)]))).join("");
    const look = { stroke: colour, "stroke-width": width, "stroke-dasharray": DASHES[dash] ?? "none" };
    draw(area, "path", { d, class: "line", ...look });
  }
}

function marks(area, data, { x, y }) {
  for (const mark of data.marks) {
    const open = mark.symbol.endsWith("-open");
    const d = outline(mark.symbol.replace("-open", ""), x(mark.x), y(mark.y), mark.size / 2);
    const look = open
      ? { fill: "none", stroke: mark.colour, "stroke-width": 2 }
      : { fill: mark.colour, stroke: "white", "stroke-width": mark.edge };
    draw(area, "path", { d, class: "mark", ...look });
  }
}

function words(svg, data, { x, y, width }) {
  const anchors = { left: "end", center: "middle", right: "start" };
  for (const word of data.words) {
    const [vertical, side] = word.at.split(" ");
    const aside = { left: -word.gap, center: 0, right: word.gap }[side];
    const down = { top: -word.gap - 1, middle: 5, bottom: word.gap + 12 }[vertical];
    const ending = { left: 0, center: 0.5, right: 1 }[side] * LETTER * word.text.length;
    const across = Math.min(x(word.x) + aside, width - ending);
    const place = { x: across, y: y(word.y) + down, "text-anchor": anchors[side] };
    const node = draw(svg, "text", { class: "word", ...place }, word.text);
    node.style.fontSize = `${word.size}px`;
    if (word.colour) node.style.fill = word.colour;
  }
}

// What is said at a place on the screen: the nearest mark or point of a line, otherwise the cell there.
function said(data, view, px, py) {
  let [best, distance] = [null, REACH];
  for (const [a, b, text] of data.hover) {
    const away = Math.hypot(view.x(a) - px, view.y(b) - py);
    if (away < distance) [best, distance] = [{ x: view.x(a), y: view.y(b), text }, away];
  }
  const within = px > view.left && px < view.right && py > view.top && py < view.bottom;
  if (best || !data.cells || !within) return best;
  const { values, names } = data.cells;
  const row = Math.floor(((view.bottom - py) / (view.bottom - view.top)) * values.length);
  const column = Math.floor(((px - view.left) / (view.right - view.left)) * values[0].length);
  const [a, b] = [view.x.back(px), view.y.back(py)];
  const value = values[row][column].toFixed(3);
  return { x: px, y: py, text: `${names[0]} = ${count(a)}, ${names[1]} = ${count(b)}\n${names[2]} ${value}` };
}

function listen(root, svg, tip) {
  svg.onpointermove = (event) => {
    const box = svg.getBoundingClientRect();
    const { data, view } = root;
    const found = said(data, view, event.clientX - box.left, event.clientY - box.top);
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.text;
    const leftward = found.x > view.width / 2;
    tip.style.left = `${found.x + (leftward ? -12 : 12)}px`;
    tip.style.top = `${Math.max(0, found.y - 12)}px`;
    tip.style.transform = leftward ? "translateX(-100%)" : "";
  };
  svg.onpointerleave = () => {
    tip.hidden = true;
  };
}

function paint(root) {
  const { svg, data } = root;
  const width = Math.max(260, Math.round(root.clientWidth));
  const [left, right, top, bottom] = [data.left, width - data.right, data.top, data.height - data.below];
  const view = { width, left, right, top, bottom };
  view.x = scaleOf(data.x, left, right);
  view.y = scaleOf(data.y, bottom, top);
  root.view = view;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${data.height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", data.height);
  svg.setAttribute("aria-label", data.alt);
  const area = inside(svg, view);
  cells(area, data, view);
  frame(svg, data, view);
  const front = draw(svg, "g", { "clip-path": area.getAttribute("clip-path") });
  lines(front, data, view);
  marks(front, data, view);
  words(svg, data, view);
}

export default function ({ data, parentElement }) {
  let root = parentElement.querySelector(".quick");
  if (!root) {
    root = html("div", "quick");
    root.svg = draw(root, "svg", { role: "img" });
    const tip = html("div", "tip");
    tip.hidden = true;
    root.append(tip);
    parentElement.append(root);
    listen(root, root.svg, tip);
    new ResizeObserver(() => {
      if (root.view && Math.abs(root.clientWidth - root.view.width) > 1) paint(root);
    }).observe(root);
  }
  root.data = data;
  paint(root);
}
