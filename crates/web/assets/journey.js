// Keeps the live parts of the first page up to date from server-sent events.
// Each event carries the same HTML that a reload would show. Only what differs is put in place, so that
// nothing jumps, an opened list stays open, and a screen reader hears just the figures that changed.

const live = document.getElementById("live");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const LEAVE_MS = 480;

/** Makes `old` equal to `fresh`. Elements with an id are matched by it, others by their place. */
function bring(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    // A list the visitor opened stays open.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const child of [...old.children]) {
    if (child.id && !childById(fresh, child.id)) leave(child);
  }
  let at = staying(old.firstChild);
  for (const node of [...fresh.childNodes]) {
    const match = node.id ? childById(old, node.id) : at && !at.id && at.nodeName === node.nodeName ? at : null;
    if (!match) {
      old.insertBefore(node, at);
      continue;
    }
    if (match === at) at = staying(at.nextSibling);
    else old.insertBefore(match, at);
    if (match.nodeType === Node.TEXT_NODE) {
      if (match.data !== node.data) match.data = node.data;
    } else if (!match.isEqualNode(node)) {
      bring(match, node);
    }
  }
  while (at) {
    const next = staying(at.nextSibling);
    at.remove();
    at = next;
  }
}

function childById(parent, id) {
  return [...parent.children].find((child) => child.id === id) ?? null;
}

/** The first node from here on that is not on its way out. */
function staying(node) {
  while (node?.classList?.contains("leaving")) node = node.nextSibling;
  return node;
}

function leave(element) {
  if (calm || element.tagName !== "LI") {
    element.remove();
    return;
  }
  element.removeAttribute("id");
  element.setAttribute("aria-hidden", "true");
  element.classList.add("leaving");
  setTimeout(() => element.remove(), LEAVE_MS);
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old && !old.isEqualNode(part)) bring(old, part);
  }
}

function say(text, connected) {
  live.textContent = text;
  live.classList.toggle("on", connected);
}

const events = new EventSource(live.dataset.events);
events.addEventListener("open", () => {
  say(live.dataset.on, true);
  document.documentElement.classList.add("is-live");
});
events.addEventListener("error", () => say(live.dataset.lost, false));
events.addEventListener("journey", (event) => show(event.data));
