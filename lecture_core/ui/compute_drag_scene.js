// What stands still around a model on its line of equal compute 6ND = C, and the numbers of any place on that line:
// the loss is E + A/N^alpha + B/D^beta with the constants that Python passed. Comes before compute_drag.js, in one text.

const STRIP = 96; // height of the strip of losses under the chart, in pixels
const PICK = 12; // pixels around another model's point where a click chooses it
const EDGE = { left: 58, right: 12, top: 10, gap: 34, below: 44 };

export function lossAt(n, data) {
  const { E, A, B, alpha, beta } = data.law;
  return E + A * n ** -alpha + B * (data.flops / 6 / n) ** -beta;
}

export function numbersAt(n, data) {
  const tokens = data.flops / 6 / n;
  const loss = lossAt(n, data);
  return { parameters: n, tokens, ratio: tokens / n, loss, saved: lossAt(data.published, data) - loss };
}

function words(n, data) {
  const now = numbersAt(n, data);
  const gain = Math.abs(now.saved).toFixed(3);
  return {
    parameters: count(now.parameters),
    tokens: count(now.tokens),
    ratio: threeDigits(now.ratio),
    loss: now.loss.toFixed(4),
    saved: gain === "0.000" ? "0.000" : `${now.saved > 0 ? "\u2212" : "+"}${gain}`,
    spoken: gain === "0.000" ? "as published" : `${gain} ${now.saved > 0 ? "lower" : "higher"} than published`,
  };
}

// Where numbers lie on the screen: N to the right and D upwards, both on log scales, and a strip of losses below.
function scales(data, width) {
  const height = width < 480 ? 270 : 330;
  const [lowN, highN, lowD, highD] = data.window.map(Math.log10);
  const inner = { w: width - EDGE.left - EDGE.right, h: height };
  const perN = inner.w / (highN - lowN);
  const perD = inner.h / (highD - lowD);
  const stripTop = EDGE.top + inner.h + EDGE.gap;
  const [low, high] = data.reach;
  const least = lossAt(data.best, data);
  const room = Math.max(lossAt(data.published, data) - least, 0.02) * 1.6;
  const most = Math.min(least + room, Math.max(lossAt(low, data), lossAt(high, data)));
  return {
    width, perN, perD, lowN, highN, lowD, highD, inner, least, most, stripTop,
    height: stripTop + STRIP + EDGE.below,
    x: (n) => EDGE.left + (Math.log10(n) - lowN) * perN,
    y: (d) => EDGE.top + inner.h - (Math.log10(d) - lowD) * perD,
    loss: (l) => stripTop + 8 + ((most - l) / (most - least)) * (STRIP - 16),
    nAt: (px) => 10 ** (lowN + (px - EDGE.left) / perN),
  };
}

function ticks(low, high, few) {
  const marks = [];
  for (let e = Math.ceil(low - 1e-9); e <= high + 1e-9; e += 1) marks.push(10 ** e);
  return marks.length > few ? marks.filter((_, i) => i % 2 === 0) : marks;
}

function axes(svg, s) {
  const grid = draw(svg, "g", { class: "grid", "aria-hidden": "true" });
  const bottom = s.stripTop + STRIP;
  for (const n of ticks(s.lowN, s.highN, 6)) {
    draw(grid, "line", { x1: s.x(n), x2: s.x(n), y1: EDGE.top, y2: EDGE.top + s.inner.h });
    draw(grid, "line", { x1: s.x(n), x2: s.x(n), y1: s.stripTop, y2: bottom });
    draw(grid, "text", { x: s.x(n), y: bottom + 17, "text-anchor": "middle" }, count(n));
  }
  for (const d of ticks(s.lowD, s.highD, 5)) {
    draw(grid, "line", { x1: EDGE.left, x2: s.width - EDGE.right, y1: s.y(d), y2: s.y(d) });
    draw(grid, "text", { x: EDGE.left - 6, y: s.y(d) + 4, "text-anchor": "end" }, count(d));
  }
  for (const [top, height] of [[EDGE.top, s.inner.h], [s.stripTop, STRIP]]) {
    draw(grid, "rect", { x: EDGE.left, y: top, width: s.inner.w, height, class: "frame" });
  }
  draw(grid, "text", { x: EDGE.left, y: EDGE.top + s.inner.h + 22, class: "axis" }, "Loss along the line");
  draw(grid, "text", { x: EDGE.left + s.inner.w / 2, y: bottom + 37, "text-anchor": "middle" }, "parameters N");
  for (const l of [s.least, s.most]) {
    draw(grid, "text", { x: EDGE.left - 6, y: s.loss(l) + 4, "text-anchor": "end" }, l.toFixed(2));
  }
  const middle = EDGE.top + s.inner.h / 2;
  const turned = { x: 14, y: middle, transform: `rotate(-90 14 ${middle})`, "text-anchor": "middle" };
  draw(grid, "text", turned, "training tokens D");
}

// A group whose content is cut at the frame of the chart or of the strip.
function cut(svg, s, y, height) {
  const id = `drag-${Math.random().toString(36).slice(2)}`;
  const area = draw(draw(svg, "defs", {}), "clipPath", { id });
  draw(area, "rect", { x: EDGE.left, y, width: s.inner.w, height });
  return draw(svg, "g", { "clip-path": `url(#${id})` });
}

// The other model whose point is nearest to a place on the screen, if any is near.
function nearestOther(x, y, data, s) {
  const away = ([n, d]) => Math.hypot(s.x(n) - x, s.y(d) - y);
  const [first] = data.others.toSorted((a, b) => away(a) - away(b));
  return first && away(first) <= PICK ? first[2] : null;
}

function still(svg, data, s) {
  const [low, high] = data.reach;
  const plane = cut(svg, s, EDGE.top, s.inner.h);
  const strip = cut(svg, s, s.stripTop, STRIP);
  const tokens = (n) => data.flops / 6 / n;
  draw(plane, "path", { class: "frontier", d: path(data.frontier.map(([n, d]) => [s.x(n), s.y(d)])) });
  for (const [n, d, name] of data.others) {
    draw(plane, "circle", { class: "other", cx: s.x(n), cy: s.y(d), r: 4 });
    const area = draw(plane, "circle", { class: "pick", cx: s.x(n), cy: s.y(d), r: PICK });
    draw(area, "title", {}, `${name}: ${count(n)} parameters, ${count(d)} tokens; click to choose it`);
  }
  draw(plane, "path", { class: "budget", d: path([low, high].map((n) => [s.x(n), s.y(tokens(n))])) });
  const along = Array.from({ length: 81 }, (_, i) => low * (high / low) ** (i / 80));
  draw(strip, "path", { class: "budget", d: path(along.map((n) => [s.x(n), s.loss(lossAt(n, data))])) });
  for (const [area, yOf] of [[plane, (n) => s.y(tokens(n))], [strip, (n) => s.loss(lossAt(n, data))]]) {
    draw(area, "circle", { class: "home", cx: s.x(data.published), cy: yOf(data.published), r: 6 });
    draw(area, "path", { class: "best", d: star(s.x(data.best), yOf(data.best), 10) });
  }
  labels(svg, data, s);
  return strip;
}

// Names beside their points, each where nothing stands yet; a name that finds no place is left to the pointer.
function labels(svg, data, s) {
  const tokens = (n) => data.flops / 6 / n;
  const points = [...data.others, ...[data.best, data.published].map((n) => [n, tokens(n)])];
  const taken = points.map(([n, d]) => ({ x: s.x(n) - 6, y: s.y(d) - 6, w: 12, h: 12 }));
  const ends = data.frontier.filter(([n, d]) => Math.log10(n) < s.highN - 0.1 && Math.log10(d) < s.highD - 0.2);
  const families = new Map(data.others.map(([n, d, , family]) => [family, [n, d]]));
  const wanted = [
    [data.best, tokens(data.best), "optimum", "blue"],
    [data.published, tokens(data.published), "published", ""],
    ...(ends.length ? [[...ends[ends.length - 1], "best splits", "blue"]] : []),
    ...[...families].map(([family, [n, d]]) => [n, d, family, "quiet"]),
  ];
  for (const [n, d, text, className] of wanted) {
    const box = free(s.x(n), s.y(d), 7.4 * text.length, taken, s);
    if (!box) continue;
    taken.push(box);
    draw(svg, "text", { x: box.x, y: box.y + 13, class: `label ${className}`, "aria-hidden": "true" }, text);
  }
}

function free(x, y, w, taken, s) {
  const h = 17;
  const corners = [[x - w - 11, y - h - 4], [x + 11, y + 4], [x - w / 2, y + 9], [x - w / 2, y - h - 9], [x + 11, y - h - 4]];
  const boxes = [...corners, [x - w - 11, y + 4]].map(([left, top]) => ({ x: left, y: top, w, h }));
  const apart = (a, b) => a.x + a.w < b.x || b.x + b.w < a.x || a.y + a.h < b.y || b.y + b.h < a.y;
  const inside = (b) => b.x > EDGE.left && b.x + w < s.width - EDGE.right && b.y > EDGE.top && b.y + h < EDGE.top + s.inner.h;
  return boxes.find((box) => inside(box) && taken.every((other) => apart(box, other)));
}
