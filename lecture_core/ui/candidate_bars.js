// Words with their probability as horizontal bars. Data reaches the page through textContent only.

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function visible(text) {
  const shown = text.replace(/\n/g, "\u21b5").replace(/\t/g, "\u21e5");
  return shown.trim() === "" ? "\u2423" : shown;
}

// A clickable word is a button, so that Tab and Enter work; a click anywhere in its row counts too.
function name(bar, clickable) {
  if (!clickable) return element("bdi", "word", visible(bar.word));
  const button = element("button", "word");
  button.type = "button";
  button.append(element("bdi", "", visible(bar.word)));
  button.setAttribute("aria-label", `append ${visible(bar.word)}, ${bar.percent}`);
  return button;
}

function row(bar, largest, clickable) {
  const node = element("li", bar.asked ? "row asked" : "row");
  node.classList.toggle("cut", bar.cut === true);
  node.setAttribute("value", String(bar.rank));
  const word = name(bar, clickable);
  word.title = bar.word;
  const track = element("span", "track");
  const fill = element("span", "fill");
  fill.style.width = `${(100 * bar.value) / largest}%`;
  track.append(fill);
  if (bar.own !== undefined) {
    const own = element("span", "own");
    own.style.width = `${(100 * bar.own) / largest}%`;
    track.append(own);
  }
  if (bar.asked) track.append(element("span", "note", "asked"));
  const rank = element("span", "rank", bar.rank.toLocaleString("en"));
  node.append(rank, word, track, element("span", "percent", bar.percent));
  return node;
}

function rowOf(list, node) {
  return [...list.querySelectorAll(".row")].indexOf(node?.closest?.(".row"));
}

export default function ({ data, parentElement, setTriggerValue }) {
  let list = parentElement.querySelector(".bars");
  if (!list) {
    list = element("ol", "bars");
    parentElement.append(list);
  }
  const held = rowOf(list, parentElement.activeElement ?? document.activeElement);
  list.className = `bars ${data.family}`;
  list.classList.toggle("clickable", data.clickable === true);
  list.setAttribute("aria-label", "Words from most to least probable: rank, word, probability");
  const largest = Math.max(...data.bars.map((bar) => Math.max(bar.value, bar.own ?? 0)), 1e-12);
  const rows = [];
  data.bars.forEach((bar, i) => {
    if (data.gaps[i]) {
      const gap = element("li", "gap", "\u22ee");
      gap.setAttribute("aria-hidden", "true");
      rows.push(gap);
    }
    rows.push(row(bar, largest, data.clickable));
  });
  list.replaceChildren(...rows);
  if (!data.clickable) return;
  if (held >= 0) list.querySelectorAll("button.word")[held]?.focus();
  list.onclick = (event) => {
    const index = rowOf(list, event.target);
    if (index >= 0) setTriggerValue("clicked", index);
  };
}
