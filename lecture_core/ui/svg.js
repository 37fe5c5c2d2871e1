// What the drawings in the browser share: nodes made without markup, numbers in words, paths. Comes before them, in one
// text.

const SVG = "http://www.w3.org/2000/svg";
const SUFFIXES = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

function threeDigits(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e9) return value.toExponential(2).replace("e+", "e");
  const shown = Number(value.toPrecision(3));
  return shown.toLocaleString("en", { maximumFractionDigits: 5 });
}

function count(value) {
  const rounded = Number(value.toPrecision(3));
  if (rounded < 1 || rounded >= 1e16) return value.toExponential(2).replace("e+", "e");
  const [scale, suffix] = SUFFIXES.find(([size]) => rounded >= size) ?? [1, ""];
  return threeDigits(rounded / scale) + suffix;
}

function html(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function draw(parent, tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function path(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function star(x, y, size) {
  const points = Array.from({ length: 10 }, (_, i) => {
    const r = i % 2 ? size * 0.42 : size;
    const turn = (Math.PI / 5) * i - Math.PI / 2;
    return [x + r * Math.cos(turn), y + r * Math.sin(turn)];
  });
  return `${path(points)}Z`;
}
