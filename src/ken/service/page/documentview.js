// A document with a passage and a quoted span marked: used by the document's own page and by the side panel.

import { day, documentPath, fill, make } from "./elements.js";
import { call } from "./api.js";
import { Markdown } from "./markdown.js";
import { unitsOf } from "./offsets.js";

/** Fetch a document and show it in `container`. `wanted` may hold `ordinal` (of the passage), `from`, `to`, `version`.
 *  Returns the document, without its text. */
export async function showDocument(container, id, wanted = {}) {
  const opened = await call(`/api${documentPath(id)}`);
  const { document: about, text, passages } = opened;
  const units = unitsOf(text);
  const isChanged = wanted.version && wanted.version !== about.version;
  const passage = isChanged ? null : passages.find((each) => each.ordinal === wanted.ordinal);
  const isQuoted = !isChanged && wanted.to > wanted.from;
  const marks = isQuoted ? [{ start: units(wanted.from), end: units(wanted.to) }] : [];
  const markdown = new Markdown(text, {
    markup: about.markup,
    marks,
    passage: passage ? { start: units(passage.start), end: units(passage.end) } : null,
    link: (address) => inside(about, address),
  });
  const article = make("article", { class: "document" }, markdown.nodes());
  const begins = article.firstElementChild?.tagName === "H1" ? null : make("h1", {}, about.title);
  fill(container, facts(about), notes(about, isChanged), begins, article);
  const target = article.querySelector("mark") ?? article.querySelector(".passage");
  if (target) {
    const blocks = article.querySelectorAll(".passage");
    (blocks[0] ?? target).id = `p${wanted.ordinal}`;
    target.scrollIntoView({ block: "center" });
  }
  return about;
}

/** Where a link of a document leads: to another document of the collection, or nowhere. */
function inside(about, address) {
  const [path, fragment] = address.split("#");
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith("//")) return null;
  if (!path) return fragment ? `#${fragment}` : null;
  try {
    const base = new URL(`${documentPath(about.id)}`, location.origin);
    return new URL(path, path.startsWith("/") ? new URL(documentPath(`${about.collection}/`), base) : base).pathname;
  } catch {
    return null;
  }
}

function facts(about) {
  const pairs = [
    ["Collection", about.collection],
    ["Owner", about.owner],
    ["In effect from", about.effective && day(about.effective)],
    ["Review by", about.review_by && day(about.review_by)],
    ["Readable by", about.groups.join(", ")],
    ["Synced", new Date(about.synced_at * 1000).toLocaleString()],
  ].filter(([, value]) => value);
  return make("dl", { class: "facts" }, pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function notes(about, isChanged) {
  const out = [];
  if (isChanged) out.push("This document has changed since that answer was given, so its passage can't be marked here.");
  if (about.superseded_by) {
    const link = make("a", { href: documentPath(about.superseded_by) }, about.superseded_by);
    out.push(["A newer document stands in this one's place: ", link, "."]);
  }
  if (about.effective && about.effective > new Date().toISOString().slice(0, 10)) out.push(`It is not in force before ${day(about.effective)}.`);
  if (about.review_by && about.review_by < new Date().toISOString().slice(0, 10)) out.push(`Its review was due on ${day(about.review_by)}.`);
  return out.map((each) => make("p", { class: "notice" }, each));
}

/** Show what went wrong in place of a document. */
export function showFault(container, fault) {
  fill(container, make("p", { class: "fault", role: "alert" }, fault.message));
}
