// One question with its stages, its answer, its sources and what can be done with them.

import { call } from "./api.js";
import { day, documentPath, duration, fill, make } from "./elements.js";
import { Markdown } from "./markdown.js";
import { unitsOf } from "./offsets.js";

/** A turn of the conversation on the page. `open` has `source(citation)`, `trace(id)` and `ask(question)`: what a click does. */
export class Turn {
  constructor(question, open) {
    this.open = open;
    this.text = "";
    this.citations = [];
    this.stages = new Map();
    this.question = make("h2", { class: "question", dir: "auto" }, question);
    this.track = make("ol", { class: "stages", "aria-label": "Stages" });
    this.notices = make("div", { class: "notices" });
    this.body = make("div", { class: "answer", dir: "auto", "aria-busy": "true" });
    this.sources = make("div", { class: "sources" });
    this.foot = make("div", { class: "foot" });
    this.element = make("li", { class: "turn" }, this.question, this.track, this.body, this.notices, this.sources, this.foot);
  }

  /** Take in one event of the stream. */
  take({ name, data }) {
    if (name === "stage") this.stage(data);
    else if (name === "token") this.token(data.text);
    else if (name === "citation") this.citations.push(data);
    else if (name === "notice") this.notice(data.text, data.kind);
    else if (name === "answer") this.finish(data);
    else if (name === "error") this.fail(data.error.message, data.error.trace_id);
  }

  stage({ stage, state, ms, detail }) {
    if (state === "started") {
      const chip = make("li", { class: "running" }, make("span", {}, stage));
      this.stages.set(stage, chip);
      this.track.append(chip);
    } else {
      const chip = this.stages.get(stage);
      if (!chip) return;
      chip.className = "done";
      if (detail) chip.title = detail;
      chip.append(make("span", { class: "ms" }, duration(ms)));
    }
  }

  token(text) {
    this.text += text;
    this.render();
  }

  notice(text, kind = "") {
    this.notices.append(make("p", { class: kind === "conflict" ? "notice conflict" : "notice" }, text));
  }

  /** Show the answer's text, with its markers as buttons. */
  render() {
    const units = unitsOf(this.text);
    const spans = this.citations.map((each) => ({ each, start: units(each.answer_start), end: units(each.answer_end) }));
    const special = (text, place) => {
      const found = /^\[(\d+)\](?!\()/.exec(text);
      const citation = found && nearest(spans, Number(found[1]), place);
      return citation ? { node: this.marker(citation), length: found[0].length } : null;
    };
    fill(this.body, new Markdown(this.text, { special, headingShift: 2 }).nodes());
  }

  marker(citation) {
    const label = `Source ${citation.number}: ${citation.document_title}`;
    return make("button", { type: "button", class: "cite", title: label, "aria-label": label, onclick: () => this.open.source(citation) }, String(citation.number));
  }

  /** The whole answer is there. */
  finish(answer) {
    this.text = answer.text;
    this.citations = answer.citations;
    this.element.classList.add(answer.outcome);
    this.body.setAttribute("aria-busy", "false");
    this.render();
    const shown = new Set([...this.notices.children].map((each) => each.textContent));
    answer.notices.filter((each) => !shown.has(each)).forEach((each) => this.notice(each));
    const isBeyond = answer.outcome === "abstained" || answer.outcome === "refused";
    if (isBeyond) this.body.prepend(make("p", { class: "beyond" }, answer.outcome === "refused" ? "Not answered" : "Beyond my ken"));
    fill(this.sources, isBeyond ? this.nearest(answer.nearest) : answer.choices?.length ? this.choices(answer.choices) : this.list(answer.citations));
    fill(this.foot, this.summary(answer), this.actions(answer));
    this.track.hidden = true;
  }

  /** A kept answer, as a conversation that was opened again shows it: its sources come from its trace. */
  async restore(turn) {
    this.track.hidden = true;
    this.text = turn.content;
    this.body.setAttribute("aria-busy", "false");
    this.render();
    if (!turn.trace_id) return;
    try {
      const trace = await call(`/api/traces/${turn.trace_id}`);
      const looked = [...new Set(trace.evidence.map((each) => each.document_id))].slice(0, 3);
      const near = looked.map((id) => ({ id, title: id.slice(id.lastIndexOf("/") + 1) }));
      this.finish({ ...trace, trace_id: trace.id, text: turn.content, notices: [], nearest: near, usage: trace });
    } catch {
      fill(this.foot, make("p", { class: "fine" }, "The record of this answer is no longer kept."));
    }
  }

  fail(message, traceId) {
    this.body.setAttribute("aria-busy", "false");
    this.notices.append(make("p", { class: "fault", role: "alert" }, message));
    if (traceId) fill(this.foot, this.traceButton(traceId));
  }

  stopped() {
    this.body.setAttribute("aria-busy", "false");
    this.stages.forEach((chip) => chip.classList.remove("running"));
    this.notice("You stopped this answer.");
  }

  list(citations) {
    const byNumber = new Map();
    citations.forEach((each) => byNumber.set(each.number, [...(byNumber.get(each.number) ?? []), each]));
    if (!byNumber.size) return [];
    const entries = [...byNumber.values()].sort((a, b) => a[0].number - b[0].number);
    return [make("h3", {}, "Sources"), make("ol", {}, entries.map((each) => this.source(each)))];
  }

  /** One passage, with what is quoted from it. */
  source(citations) {
    const [citation] = citations;
    const quotes = [...new Set(citations.map((each) => each.quote))].slice(0, 3);
    const path = [...citation.heading_path, citation.page ? `page ${citation.page}` : ""].filter(Boolean);
    const parts = path.filter((part, at) => at > 0 || part !== citation.document_title).join(" › ");
    const facts = known(citation).map(({ text, isWarning }) => make("span", { class: isWarning ? "warning" : null }, text));
    return make("li", { value: citation.number },
      make("button", { type: "button", class: "source", onclick: () => this.open.source(citation) },
        make("span", { class: "number", "aria-hidden": "true" }, String(citation.number)),
        make("span", { class: "title" }, citation.document_title, parts ? make("span", { class: "path" }, ` ${parts}`) : null),
        facts.length ? make("span", { class: "known" }, facts) : null,
        quotes.map((quote) => make("q", { dir: "auto" }, quote))));
  }

  nearest(documents) {
    if (!documents.length) return [];
    const links = documents.map((each) => make("li", {}, make("a", { href: documentPath(each.id) }, each.title), make("span", { class: "path" }, ` ${each.id}`)));
    return [make("h3", {}, "What came nearest"), make("ul", { class: "nearest" }, links)];
  }

  /** What the question may mean: a click asks for it. */
  choices(choices) {
    const buttons = choices.map((each) => make("li", {},
      make("button", { type: "button", class: "choice", title: each.document_title, onclick: () => this.open.ask(each.question) }, each.name)));
    return [make("ul", { class: "choices" }, buttons)];
  }

  summary(answer) {
    const facts = [
      answer.model,
      answer.usage.output_tokens ? `${answer.usage.input_tokens} + ${answer.usage.output_tokens} tokens` : "",
      answer.cost_micros === null ? "cost unknown" : answer.cost_micros ? `${(answer.cost_micros / 1e6).toFixed(4)}` : "",
    ];
    return make("p", { class: "fine" }, facts.filter(Boolean).join(" · "));
  }

  actions(answer) {
    const reason = make("form", { class: "reason", hidden: true });
    const thumbs = [[true, "Helpful"], [false, "Not helpful"]].map(([helpful, label]) =>
      make("button", { type: "button", class: "quiet thumb", "aria-pressed": "false", "aria-label": label, title: label,
        onclick: (event) => this.thumb(answer.trace_id, helpful, event.currentTarget, reason) },
        make("span", { class: helpful ? "icon up" : "icon down", "aria-hidden": "true" })));
    const copy = make("button", { type: "button", class: "quiet", onclick: (event) => this.copy(event.currentTarget) }, "Copy");
    return make("div", { class: "actions" }, thumbs, copy, this.traceButton(answer.trace_id), reason);
  }

  traceButton(traceId) {
    return make("button", { type: "button", class: "quiet trace", onclick: () => this.open.trace(traceId) }, "Where the time went");
  }

  async thumb(traceId, helpful, button, form) {
    const send = (reason) => call("/api/feedback", { method: "POST", body: { trace_id: traceId, helpful, reason } });
    try {
      await send("");
    } catch (fault) {
      this.notices.append(make("p", { class: "fault", role: "alert" }, fault.message));
      return;
    }
    this.foot.querySelectorAll(".thumb").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
    const id = `reason-${traceId}`;
    const field = make("input", { id, maxlength: "2000", autocomplete: "off" });
    const label = helpful ? "Thank you. What was good? (optional)" : "Thank you. What was wrong? (optional)";
    fill(form, make("label", { for: id }, label), make("div", { class: "row" }, field, make("button", { type: "submit" }, "Send")));
    form.hidden = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (field.value.trim()) await send(field.value.trim());
      fill(form, make("p", { role: "status" }, "Thank you, noted."));
    };
    field.focus();
  }

  async copy(button) {
    const sources = new Map(this.citations.map((each) => [each.number, `[${each.number}] ${each.document_title} (${each.document_id})`]));
    const text = [this.text, ...sources.values()].join("\n");
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
}

/** What a reader should know of a source: as of when, whose it is, whether it is still the rule and looked after. */
function known(citation) {
  const { standing, effective, owner, superseded_since: since, superseded_by: by } = citation;
  const facts = [];
  if (effective) facts.push({ text: standing === "future" ? `not in force before ${day(effective)}` : `as of ${day(effective)}`, isWarning: standing === "future" });
  if (owner) facts.push({ text: owner });
  if (standing === "superseded") facts.push({ text: `superseded${since ? ` since ${day(since)}` : ""}${by ? ` by “${by}”` : ""}`, isWarning: true });
  if (citation.review_due) facts.push({ text: `review was due on ${day(citation.review_by)}`, isWarning: true });
  return facts;
}

/** The citation with this number whose sentence is nearest to the marker's place. */
function nearest(spans, number, place) {
  const own = spans.filter((span) => span.each.number === number);
  const distance = (span) => (place < span.start ? span.start - place : Math.max(0, place - span.end));
  own.sort((a, b) => distance(a) - distance(b));
  return own[0]?.each;
}
