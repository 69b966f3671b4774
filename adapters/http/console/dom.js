// Elements. Text is always set as text: no name of a satellite ever becomes HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** An HTML element: `h("a", { href: "#/" , onclick: go }, "text", otherElement)`. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  // What sends a form says so, and the browser knows nothing to fill in.
  if (tag === "button") element.type = "button";
  if (tag === "input") element.autocomplete = "off";
  return fill(element, props, children);
}

/** An SVG element. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Sets an element's text, and touches nothing where it is the same already. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets or removes an attribute, and touches nothing where it is the same already. */
export function setAttr(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, String(value));
  }
}

const ICONS = {
  online: [["circle", { cx: 8, cy: 8, r: 5, fill: "currentColor" }]],
  lost: [
    ["path", { d: "M8 1.8 15 14H1z", fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linejoin": "round" }],
    ["path", { d: "M8 6.2v4M8 12v.2", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" }],
  ],
  disconnected: [["circle", { cx: 8, cy: 8, r: 4.6, fill: "none", stroke: "currentColor", "stroke-width": 1.8 }]],
  never: [["circle", { cx: 8, cy: 8, r: 4.6, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-dasharray": "2.2 2.6" }]],
  disabled: [
    ["circle", { cx: 8, cy: 8, r: 5.2, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }],
    ["path", { d: "m4.4 11.6 7.2-7.2", stroke: "currentColor", "stroke-width": 1.6 }],
  ],
  healthy: [["path", { d: "m3 8.5 3.4 3.4L13 4.6", fill: "none", stroke: "currentColor", "stroke-width": 1.9, "stroke-linecap": "round", "stroke-linejoin": "round" }]],
  mark: [
    ["circle", { cx: 8, cy: 8, r: 2.4, fill: "currentColor" }],
    ["path", { d: "M3.8 12.2a6 6 0 0 1 0-8.4M12.2 3.8a6 6 0 0 1 0 8.4", fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" }],
  ],
};
ICONS.removed = ICONS.disabled;
ICONS.unhealthy = ICONS.lost;
ICONS.degraded = ICONS.disconnected;

/** A small picture that says nothing by itself: the words stand beside it. */
export function icon(name) {
  const shapes = (ICONS[name] ?? ICONS.never).map(([tag, props]) => svg(tag, props));
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, shapes);
}

/** A button that copies `text`, and says so. */
export function copyButton(text, what, say) {
  const button = h("button", { class: "small", "aria-label": `Copy ${what}`, onclick: copy }, "Copy");
  let back;
  async function copy() {
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    button.textContent = copied ? "Copied" : "Select and copy by hand";
    say(copied ? `Copied ${what}` : `The browser does not allow copying ${what}`);
    clearTimeout(back);
    back = setTimeout(() => { button.textContent = "Copy"; }, 2_000);
  }
  return button;
}
