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

function row(bar, largest) {
  const node = element("li", bar.asked ? "row asked" : "row");
  node.setAttribute("value", String(bar.rank));
  const word = element("bdi", "word", visible(bar.word));
  word.title = bar.word;
  const track = element("span", "track");
  const fill = element("span", "fill");
  fill.style.width = `${(100 * bar.value) / largest}%`;
  track.append(fill);
  if (bar.asked) track.append(element("span", "note", "asked"));
  const rank = element("span", "rank", bar.rank.toLocaleString("en"));
  node.append(rank, word, track, element("span", "percent", bar.percent));
  return node;
}

export default function ({ data, parentElement }) {
  let list = parentElement.querySelector(".bars");
  if (!list) {
    list = element("ol", "bars");
    parentElement.append(list);
  }
  list.className = `bars ${data.family}`;
  list.setAttribute("aria-label", "Words from most to least probable: rank, word, probability");
  const largest = Math.max(...data.bars.map((bar) => bar.value), 1e-12);
  const rows = [];
  data.bars.forEach((bar, i) => {
    if (data.gaps[i]) {
      const gap = element("li", "gap", "\u22ee");
      gap.setAttribute("aria-hidden", "true");
      rows.push(gap);
    }
    rows.push(row(bar, largest));
  });
  list.replaceChildren(...rows);
}
