// Building DOM nodes. Text from documents and answers only ever becomes text nodes.

/** An element with attributes (`class`, `aria-…`, `onclick`…) and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Empty a node and fill it anew. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** "0.3 ms", "42 ms", "1.3 s". */
export function duration(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** "2026-03-01" as people read it: "1 March 2026". */
export function day(iso) {
  const date = new Date(`${iso}T00:00:00`);
  return isNaN(date) ? iso : date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/** Where a document's page is; `citation` marks its passage and quote. */
export function documentPath(id, citation) {
  const path = `/documents/${id.split("/").map(encodeURIComponent).join("/")}`;
  if (!citation) return path;
  const passage = citation.passage_id.slice(citation.passage_id.lastIndexOf("#"));
  return `${path}?version=${citation.version}&from=${citation.start}&to=${citation.end}${passage}`;
}
