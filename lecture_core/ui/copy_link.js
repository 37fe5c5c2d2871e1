// Copies the address of this view, with all inputs that are bound to it, and says so.

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
  return undefined;
}

export default function ({ data, parentElement }) {
  if (parentElement.querySelector("button")) return undefined;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = data.label;
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "said";
  parentElement.append(button, said);
  let timer = 0;
  button.onclick = async () => {
    clearTimeout(timer);
    try {
      await copy(window.location.href);
      said.textContent = "\u2713 Link copied";
    } catch {
      said.textContent = "Copy it from the address bar; the browser does not allow it here.";
    }
    timer = setTimeout(() => (said.textContent = ""), 4000);
  };
  return () => clearTimeout(timer);
}
