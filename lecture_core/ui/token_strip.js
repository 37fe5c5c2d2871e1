// Tokens as chips in reading order. Data reaches the page through textContent and attributes only.
// Knows nothing of models: it draws the list it is given and reports the index that was chosen.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  masked: "M2 2l12 12M3.5 6C2.6 6.8 2 8 2 8s2 4 6 4c.9 0 1.7-.2 2.4-.5M6.5 4.2C7 4.1 7.5 4 8 4c4 0 6 4 6 4s-.5 1-1.4 2",
  replaced: "M2 5h10M9 2l3 3-3 3M14 11H4M7 8l-3 3 3 3",
  random: "M2 4h3l6 8h3M12 10l2 2-2 2M2 12h3l1.5-2M9.5 6L11 4h3M12 2l2 2-2 2",
  kept: "M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
  selected: "M3 8.5l3.5 3.5L13 4.5",
};
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const LETTER = /\p{L}/u;

function visible(text) {
  const shown = text
    .replace(/\n/g, "\u21b5")
    .replace(/\t/g, "\u21e5")
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");
  return shown.trim() === "" ? "\u2423".repeat(Math.max(1, Math.min(shown.length, 4))) : shown;
}

function direction(tokens) {
  const first = tokens.find((t) => !t.special && LETTER.test(t.text));
  return first && RTL.test(first.text.match(LETTER)[0]) ? "rtl" : "ltr";
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function icon(mark) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[mark]);
  svg.append(path);
  return svg;
}

function chip(token, index, clickable) {
  const node = element(clickable ? "button" : "span", `chip ${token.mark}`);
  if (clickable) node.type = "button";
  else node.setAttribute("role", "img");
  if (token.special) node.classList.add("special");
  if (token.shade) {
    node.classList.add("shaded");
    node.style.setProperty("--shade", `${100 * token.shade}%`);
  }
  if (!token.starts_word) node.classList.add("continues");
  if (clickable) node.setAttribute("aria-pressed", String(token.mark === "selected"));
  node.setAttribute("aria-label", token.spoken);
  node.dataset.index = String(index);
  node.tabIndex = -1;
  const word = element("span", "word");
  if (token.mark in ICONS) word.append(icon(token.mark));
  word.append(element("bdi", "text", visible(token.text)));
  node.append(word);
  return node;
}

function measure(value) {
  const node = element("span", "measure");
  const bar = element("span", "bar");
  const fill = element("span", "fill");
  fill.style.width = `${100 * Math.min(1, Math.max(0, value))}%`;
  bar.append(fill);
  node.append(bar, element("span", "number", value > 0 && value < 0.005 ? "<0.01" : value.toFixed(2)));
  return node;
}

function build(strip, data) {
  const withBars = data.tokens.some((t) => t.value !== null);
  strip.className = `strip ${data.family}`;
  strip.classList.toggle("clickable", data.clickable);
  strip.classList.toggle("numbers", withBars && data.tokens.length <= 32);
  strip.dir = direction(data.tokens);
  const chips = [];
  let group = null;
  const groups = [];
  data.tokens.forEach((token, index) => {
    if (token.starts_word || group === null) {
      group = element("span", "group");
      groups.push(group);
    }
    const column = chip(token, index, data.clickable);
    if (token.value !== null) column.append(measure(token.value));
    if (token.label) column.append(element("span", "label", token.label));
    chips.push(column);
    group.append(column);
  });
  strip.replaceChildren(...groups);
  return chips;
}

function focusOn(chips, index) {
  chips.forEach((node, i) => (node.tabIndex = i === index ? 0 : -1));
}

function step(event, index, count, rtl) {
  const forward = rtl ? "ArrowLeft" : "ArrowRight";
  const back = rtl ? "ArrowRight" : "ArrowLeft";
  if (event.key === forward) return Math.min(count - 1, index + 1);
  if (event.key === back) return Math.max(0, index - 1);
  if (event.key === "Home") return 0;
  if (event.key === "End") return count - 1;
  return null;
}

// Strips of one `linked` name light up together: the token under the pointer or the focus tells its words to the window,
// and every strip of that name marks the tokens that stand for one of them.
const LINK = "lecture-lab-linked-words";

function link(strip, chips, data) {
  const tell = (words) => window.dispatchEvent(new CustomEvent(LINK, { detail: { linked: data.linked, words } }));
  const wordsOf = (event) => {
    const node = event.target.closest?.(".chip");
    return node ? data.tokens[Number(node.dataset.index)].words : [];
  };
  const light = ({ detail }) => {
    if (detail.linked !== data.linked) return;
    chips.forEach((node, i) => node.classList.toggle("lit", data.tokens[i].words.some((w) => detail.words.includes(w))));
  };
  strip.linkage?.abort(); // the same strip is drawn again with other tokens
  strip.linkage = new AbortController();
  const { signal } = strip.linkage;
  strip.addEventListener("pointerover", (event) => tell(wordsOf(event)), { signal });
  strip.addEventListener("focusin", (event) => tell(wordsOf(event)), { signal });
  strip.addEventListener("pointerleave", () => tell([]), { signal });
  window.addEventListener(LINK, light, { signal });
  return () => strip.linkage.abort();
}

// Words can be dragged onto masks, from the strip or from the tray of the visitor's own words. A tray word is a button:
// pressed by keyboard, it goes to the selected mask. Pointer events, so that a finger drags too.
const FAR = 6; // pixels that make a press a drag

function tray(parent, data) {
  let node = parent.querySelector(".tray");
  if (!data.drops) return null;
  if (!node) {
    node = element("div", "tray");
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", "Your words; drag one onto a mask");
    parent.append(node);
  }
  const words = data.tray.map((word) => {
    const button = element("button", "own", visible(word));
    button.type = "button";
    button.dataset.word = word;
    button.setAttribute("aria-label", `${visible(word)}: ask for it at the selected mask`);
    return button;
  });
  node.replaceChildren(...words);
  return node;
}

function dragging(root, areas, chips, data, drop) {
  const takes = (node) => node && ["masked", "selected"].includes(data.tokens[Number(node.dataset.index)].mark);
  const wordOf = (target) => {
    const own = target.closest?.(".own");
    if (own) return own.dataset.word;
    const node = target.closest?.(".chip");
    const token = node && data.tokens[Number(node.dataset.index)];
    return token && !token.special && !takes(node) ? token.text.trim() : null;
  };
  const under = (event) => {
    const found = root.elementFromPoint(event.clientX, event.clientY)?.closest?.(".chip");
    return takes(found) ? found : null;
  };
  const light = (over) => chips.forEach((node) => node.classList.toggle("over", node === over));
  let held = null;
  const down = (event) => {
    const word = event.isPrimary && event.button === 0 ? wordOf(event.target) : null;
    if (word) held = { word, x: event.clientX, y: event.clientY };
  };
  const move = (event) => {
    if (!held || (!held.ghost && Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR)) return;
    if (!held.ghost) {
      held.ghost = element("span", "ghost", visible(held.word));
      areas[0].before(held.ghost);
      event.currentTarget.setPointerCapture(event.pointerId); // also keeps the click that follows from the chips
    }
    held.ghost.style.left = `${event.clientX}px`;
    held.ghost.style.top = `${event.clientY}px`;
    light(under(event));
  };
  const end = () => {
    held?.ghost?.remove();
    held = null;
    light(null);
  };
  const up = (event) => {
    const over = held?.ghost ? under(event) : null;
    const word = held?.word;
    end();
    if (over) drop(Number(over.dataset.index), word);
  };
  for (const area of areas) Object.assign(area, { onpointerdown: down, onpointermove: move, onpointerup: up, onpointercancel: end });
  const selected = data.tokens.findIndex((token) => token.mark === "selected");
  const choose = (event) => selected >= 0 && event.detail === 0 && drop(selected, event.currentTarget.dataset.word);
  areas[1].querySelectorAll(".own").forEach((own) => (own.onclick = choose)); // by keyboard
}

export default function ({ data, parentElement, setTriggerValue }) {
  let strip = parentElement.querySelector(".strip");
  const active = parentElement.activeElement ?? document.activeElement;
  const held = active && active.dataset && strip && strip.contains(active) ? Number(active.dataset.index) : null;
  const last = strip ? Number(strip.dataset.at ?? 0) : 0;
  if (!strip) {
    strip = element("div", "strip");
    strip.setAttribute("role", "group");
    parentElement.append(strip);
  }
  strip.setAttribute("aria-label", data.clickable ? "Tokens; arrow keys move, Enter chooses" : "Tokens");
  const chips = build(strip, data);
  if (chips.length === 0) return undefined;
  const start = Math.min(held ?? last, chips.length - 1);
  focusOn(chips, start);
  if (held !== null) chips[start].focus();

  const own = tray(parentElement, data);
  if (own) {
    const drop = (token, word) => setTriggerValue("dropped", { token, word });
    dragging(strip.getRootNode(), [strip, own], chips, data, drop);
  }

  const indexOf = (event) => {
    const node = event.target.closest?.(".chip");
    return node ? Number(node.dataset.index) : null;
  };
  strip.onclick = (event) => {
    const index = indexOf(event);
    if (index === null) return;
    strip.dataset.at = String(index);
    focusOn(chips, index);
    if (data.clickable) setTriggerValue("clicked", index);
    else chips[index].focus();
  };
  strip.onkeydown = (event) => {
    const index = indexOf(event);
    const next = index === null ? null : step(event, index, chips.length, strip.dir === "rtl");
    if (next === null) return;
    event.preventDefault();
    strip.dataset.at = String(next);
    focusOn(chips, next);
    chips[next].focus();
  };
  return data.linked ? link(strip, chips, data) : undefined;
}
