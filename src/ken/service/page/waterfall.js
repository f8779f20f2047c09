// A trace as bars: one row a span, placed by its start, as long as it took; a click shows its attributes.

import { call } from "./api.js";
import { documentPath, duration, fill, make } from "./elements.js";

/** Fetch a trace and show it in `container`. */
export async function showTrace(container, id) {
  const trace = await call(`/api/traces/${encodeURIComponent(id)}`);
  const spans = inOrder(trace.spans);
  const begin = Math.min(trace.started_at, ...spans.map(({ span }) => span.started_at));
  const end = Math.max(trace.started_at + trace.ms / 1000, ...spans.map(({ span }) => span.ended_at));
  const rows = spans.map(({ span, depth }) => row(span, depth, begin, Math.max(end - begin, 1e-6)));
  fill(container,
    make("dl", { class: "facts" }, figures(trace).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))),
    make("ol", { class: "waterfall", "aria-label": "Spans, in order" }, rows),
    trace.evidence.length ? evidence(trace.evidence) : null,
    make("p", { class: "fine" }, "Trace ", make("code", {}, trace.id)));
}

function figures(trace) {
  if (trace.kind === "external" || trace.kind === "sync") {
    const services = [...new Set(trace.spans.map((span) => span.service).filter(Boolean))].sort();
    return [
      [trace.kind === "sync" ? "Sync" : "Spans of", trace.kind === "sync" ? trace.question : services.join(", ")],
      ["Outcome", trace.outcome],
      ["Took", duration(trace.ms)],
      ["Spans", String(trace.spans.length)],
      ["Error", trace.error],
    ].filter(([, value]) => value);
  }
  return [
    ["Outcome", trace.outcome],
    ["Took", duration(trace.ms)],
    ["First words after", trace.ttft_ms === null ? "" : duration(trace.ttft_ms)],
    ["Task", trace.task_type],
    ["Model", trace.model],
    ["Confidence", trace.confidence ? trace.confidence.toFixed(2) : ""],
    ["Corpus version", String(trace.corpus_version)],
    ["Error", trace.error],
  ].filter(([, value]) => value);
}

/** Spans depth first, children by start. */
function inOrder(spans) {
  const known = new Set(spans.map((span) => span.id));
  const children = new Map();
  for (const span of spans) {
    const parent = known.has(span.parent_id) ? span.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const out = [];
  const visit = (parent, depth) => {
    for (const span of (children.get(parent) ?? []).sort((a, b) => a.started_at - b.started_at)) {
      out.push({ span, depth });
      visit(span.id, depth + 1);
    }
  };
  visit(null, 0);
  return out;
}

function row(span, depth, begin, whole) {
  const bar = make("span", { class: `bar ${span.status}` });
  bar.style.left = `${(100 * (span.started_at - begin)) / whole}%`;
  bar.style.width = `${Math.max(0.4, (100 * (span.ended_at - span.started_at)) / whole)}%`;
  const name = make("span", { class: "name" }, span.name);
  name.style.paddingInlineStart = `${depth * 0.9}rem`;
  const details = make("dl", { class: "attributes", hidden: true }, Object.entries(span.attributes).map(([key, value]) =>
    make("div", {}, make("dt", {}, key), make("dd", {}, String(value)))));
  if (!details.children.length) details.append(make("div", {}, make("dd", {}, "No attributes.")));
  const button = make("button", { type: "button", "aria-expanded": "false", onclick: () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", String(!details.hidden));
  } }, name, make("span", { class: "lane", "aria-hidden": "true" }, bar), make("span", { class: "ms" }, duration(span.ms)));
  return make("li", {}, button, details);
}

function evidence(passages) {
  const rows = passages.map((each) => make("tr", {},
    make("td", {}, make("a", { href: `${documentPath(each.document_id)}${each.passage_id.slice(each.passage_id.lastIndexOf("#"))}` }, each.passage_id)),
    make("td", {}, each.relevance.toFixed(2)), make("td", {}, each.lexical.toFixed(1)), make("td", {}, each.dense.toFixed(2)),
    make("td", {}, each.cited ? "yes" : "")));
  const head = ["Passage", "Relevance", "BM25", "Cosine", "Cited"].map((name) => make("th", { scope: "col" }, name));
  return make("section", { class: "looked" }, make("h3", {}, "Passages looked at"),
    make("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": "Passages looked at" }, make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows))));
}
