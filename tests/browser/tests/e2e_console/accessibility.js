// What is wrong with the page for those who do not see it, do not use a mouse, or see little: a list of
// sentences, empty where nothing is. Rules by WCAG 2.2 level AA, as far as a program can tell.
(() => {
  const faults = [];
  const visible = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const root = dialog ?? document.body;
  const say = (one, what) => faults.push(`${what}: <${one.tagName.toLowerCase()} class="${one.getAttribute("class") ?? ""}"> ${one.textContent.trim().slice(0, 60)}`);

  // 2.4.2, 3.1.1
  if (!document.title.trim()) faults.push("the page has no title");
  if (!document.documentElement.lang) faults.push("the page has no language");

  // 1.3.1: landmarks and headings
  if (document.querySelectorAll("main").length !== 1) faults.push("there is not exactly one main landmark");
  for (const nav of document.querySelectorAll("nav, section, [role=region], [role=search] ~ nav")) {
    if (visible(nav) && !nav.hasAttribute("aria-label") && !nav.hasAttribute("aria-labelledby")) say(nav, "a landmark has no name");
  }
  let level = dialog ? 1 : 0;
  for (const heading of root.querySelectorAll("h1, h2, h3, h4")) {
    if (!visible(heading)) continue;
    const own = Number(heading.tagName[1]);
    if (own > level + 1) say(heading, `a heading jumps from ${level} to ${own}`);
    level = own;
  }
  if (!dialog && [...document.querySelectorAll("h1")].filter(visible).length !== 1) faults.push("there is not exactly one h1");
  for (const table of root.querySelectorAll("table")) {
    if (!visible(table)) continue;
    if (!table.caption) say(table, "a table has no caption");
    for (const head of table.querySelectorAll("thead th")) if (head.scope !== "col") say(head, "a column's head has no scope");
  }

  // 4.1.1, 1.3.1: ids
  const ids = new Map();
  for (const one of document.querySelectorAll("[id]")) {
    if (ids.has(one.id)) say(one, `the id ${one.id} is there twice`);
    ids.set(one.id, one);
  }
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
    for (const one of root.querySelectorAll(`[${name}]`)) {
      for (const id of one.getAttribute(name).split(/\s+/)) if (!ids.has(id)) say(one, `${name} names ${id}, which is not there`);
    }
  }

  // 3.3.2: fields have visible labels
  for (const one of root.querySelectorAll("input, select, textarea")) {
    if (!one.labels?.length && !one.hasAttribute("aria-label")) say(one, "a field has no label");
  }

  // 2.4.3, 2.5.8: what can be used
  for (const one of root.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")) {
    if (one.tabIndex > 0) say(one, "the order of focus is changed by tabindex");
    if (!visible(one) || one.matches(".skip, .scroller, .sideways, pre, h1, main, code")) continue;
    const { width, height } = one.getBoundingClientRect();
    const inline = one.tagName === "A" && getComputedStyle(one).display === "inline";
    if (!inline && width > 0 && (width < 24 || height < 24)) say(one, `a target is only ${Math.round(width)} by ${Math.round(height)}`);
  }

  // 1.4.3: contrast
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((c, at) => c * top[3] + under[at] * (1 - top[3])).concat(1);
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !visible(one) || one.closest(".unseen, .skip, :disabled, option, defs, title, .flash")) continue;
    const style = getComputedStyle(one);
    const below = ground(one);
    const text = over(rgba(one instanceof SVGElement ? style.fill : style.color), below);
    const [high, low] = [light(text), light(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const kind = `${one.className.baseVal ?? one.className}${style.color}`;
    if (ratio < (large ? 3 : 4.5) && !told.has(kind)) {
      told.add(kind);
      say(one, `a contrast of ${ratio.toFixed(2)}`);
    }
  }
  return faults;
})()
