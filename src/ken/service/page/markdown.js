// Markdown to DOM nodes, block by block, with every character's place in the source kept: see inline.js.

import { make } from "./elements.js";
import { Inline, Run } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Renders a source. `passage` is the {start, end} whose blocks get the class `passage`; other options: see Inline. */
export class Markdown {
  constructor(source, { passage = null, markup = "markdown", headingShift = 0, ...options } = {}) {
    this.source = source;
    this.passage = passage;
    this.markup = markup;
    this.headingShift = headingShift;
    this.inline = new Inline(options);
  }

  nodes() {
    const lines = [];
    for (const match of this.source.matchAll(/[^\n]*(?:\n|$)/g)) {
      if (match.index >= this.source.length) break;
      const text = match[0].replace(/\r?\n$/, "");
      lines.push({ start: match.index, end: match.index + text.length });
    }
    return this.markup === "plain" ? this.plain(lines) : this.blocks(lines);
  }

  text(line) {
    return this.source.slice(line.start, line.end);
  }

  isBlank(line) {
    return !this.text(line).trim();
  }

  /** A leaf element for these lines, shown as part of the passage where it is. */
  leaf(tag, lines, children, attributes = {}) {
    const [start, end] = [lines[0].start, lines[lines.length - 1].end];
    const inside = this.passage && start < this.passage.end && end > this.passage.start;
    return make(tag, { class: inside ? "passage" : null, ...attributes }, children);
  }

  run(lines) {
    return this.inline.nodes(Run.of(this.source, lines));
  }

  plain(lines) {
    const out = [];
    let block = [];
    for (const line of [...lines, { start: this.source.length, end: this.source.length }]) {
      if (!this.isBlank(line)) block.push(line);
      else if (block.length) {
        const run = Run.of(this.source, block);
        out.push(this.leaf("p", block, this.inline.text(run, 0, run.text.length), { "data-plain": true }));
        block = [];
      }
    }
    return out;
  }

  blocks(lines) {
    const out = [];
    let at = 0;
    while (at < lines.length) {
      if (this.isBlank(lines[at])) {
        at += 1;
        continue;
      }
      const [node, next] = this.block(lines, at);
      out.push(node);
      at = next;
    }
    return out;
  }

  /** The block that begins at line `at`, and the line after it. */
  block(lines, at) {
    const text = this.text(lines[at]);
    if (FENCE.test(text)) return this.fenced(lines, at);
    if (HEADING.test(text)) return [this.heading(lines[at]), at + 1];
    if (RULE.test(text)) return [make("hr"), at + 1];
    if (QUOTE.test(text)) return this.quote(lines, at);
    if (ITEM.test(text)) return this.list(lines, at);
    if (/^(?: {4}|\t)/.test(text)) return this.indented(lines, at);
    if (text.includes("|") && at + 1 < lines.length && this.startsTable(lines, at)) return this.table(lines, at);
    return this.paragraph(lines, at);
  }

  startsTable(lines, at) {
    const below = this.text(lines[at + 1]);
    return below.includes("-") && DELIMITERS.test(below) && this.cells(lines[at]).length === this.cells(lines[at + 1]).length;
  }

  headingTag(level) {
    return `h${Math.min(6, level + this.headingShift)}`;
  }

  heading(line) {
    const text = this.text(line);
    const opening = HEADING.exec(text);
    const closing = /[ \t]+#+[ \t]*$/.exec(text);
    const end = closing && closing.index > opening[0].length ? line.start + closing.index : line.end;
    const inner = { start: line.start + opening[0].length, end };
    return this.leaf(this.headingTag(opening[1].length), [line], this.run([inner]));
  }

  fenced(lines, at) {
    const fence = FENCE.exec(this.text(lines[at]))[1];
    let end = at + 1;
    while (end < lines.length && !this.closes(lines[end], fence)) end += 1;
    return [this.codeBlock(lines.slice(at + 1, end), lines[at]), Math.min(end + 1, lines.length)];
  }

  closes(line, fence) {
    const text = this.text(line).trim();
    return text.length >= fence.length && text === fence[0].repeat(text.length);
  }

  indented(lines, at) {
    let end = at;
    while (end < lines.length && (this.isBlank(lines[end]) || /^(?: {4}|\t)/.test(this.text(lines[end])))) end += 1;
    while (this.isBlank(lines[end - 1])) end -= 1;
    const inner = lines.slice(at, end).map((line) => this.without(line, 4));
    return [this.codeBlock(inner, lines[at]), end];
  }

  codeBlock(lines, opening) {
    const run = Run.of(this.source, lines);
    const code = make("code", {}, this.inline.text(run, 0, run.text.length));
    return this.leaf("pre", lines.length ? lines : [opening], [code], { tabindex: "0" });
  }

  quote(lines, at) {
    let end = at;
    const inner = [];
    while (end < lines.length && !this.isBlank(lines[end])) {
      const marker = QUOTE.exec(this.text(lines[end]));
      if (!marker && this.interrupts(lines, end)) break;
      inner.push({ start: lines[end].start + (marker ? marker[0].length : 0), end: lines[end].end });
      end += 1;
    }
    return [make("blockquote", {}, this.blocks(inner)), end];
  }

  list(lines, at) {
    const first = ITEM.exec(this.text(lines[at]));
    const ordered = /\d/.test(first[2]);
    const kind = first[2].slice(-1);
    const items = [];
    let end = at;
    while (end < lines.length) {
      const marker = ITEM.exec(this.text(lines[end]));
      if (!marker || marker[2].slice(-1) !== kind || RULE.test(this.text(lines[end]))) break;
      const [item, next] = this.item(lines, end, marker);
      items.push(item);
      end = next;
      while (end < lines.length && this.isBlank(lines[end])) end += 1;
    }
    const start = ordered && parseInt(first[2], 10) !== 1 ? parseInt(first[2], 10) : null;
    return [make(ordered ? "ol" : "ul", { start }, items), end];
  }

  item(lines, at, marker) {
    const indent = marker[3].length > 4 || !marker[3] ? marker[1].length + marker[2].length + 1 : marker[0].length;
    const inner = [{ start: Math.min(lines[at].start + indent, lines[at].end), end: lines[at].end }];
    let end = at + 1;
    let blank = false;
    for (; end < lines.length; end += 1) {
      const text = this.text(lines[end]);
      if (!text.trim()) {
        blank = true;
        inner.push(lines[end]);
        continue;
      }
      const isInside = /^[ \t]*/.exec(text)[0].replace(/\t/g, "    ").length >= indent;
      if (!isInside && (blank || ITEM.test(text) || this.interrupts(lines, end))) break;
      inner.push(isInside ? this.without(lines[end], indent) : lines[end]);
      blank = false;
    }
    while (inner.length > 1 && this.isBlank(inner[inner.length - 1])) inner.pop();
    const loose = inner.some((line, place) => place > 0 && this.isBlank(line));
    const children = this.blocks(inner);
    const tight = loose ? children : children.flatMap((child) => (child.tagName === "P" ? [...child.childNodes] : [child]));
    const own = inner.filter((line, place) => place === 0 || !ITEM.test(this.text(line)));
    return [this.leaf("li", [own[0], own[0]], tight), end];
  }

  /** The line without up to `indent` columns of leading white space. */
  without(line, indent) {
    let start = line.start;
    for (let columns = 0; columns < indent && start < line.end; start += 1) {
      if (this.source[start] === " ") columns += 1;
      else if (this.source[start] === "\t") columns += 4;
      else break;
    }
    return { start, end: line.end };
  }

  /** Whether a block that ends a paragraph begins here. */
  interrupts(lines, at) {
    const text = this.text(lines[at]);
    return FENCE.test(text) || HEADING.test(text) || RULE.test(text) || QUOTE.test(text);
  }

  table(lines, at) {
    const align = this.cells(lines[at + 1]).map((cell) => {
      const text = this.text(cell).trim();
      return text.endsWith(":") ? (text.startsWith(":") ? "center" : "right") : null;
    });
    let end = at + 2;
    while (end < lines.length && !this.isBlank(lines[end]) && this.text(lines[end]).includes("|")) end += 1;
    const row = (line, tag) =>
      this.leaf("tr", [line], this.cells(line).map((cell, column) => make(tag, { "data-align": align[column], scope: tag === "th" ? "col" : null }, this.run([cell]))));
    const head = make("thead", {}, row(lines[at], "th"));
    const body = make("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td")));
    return [make("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": "Table" }, make("table", {}, head, body)), end];
  }

  /** The cells of a row as source ranges, white space trimmed. */
  cells(line) {
    const out = [];
    let { start, end } = this.trimmed(line);
    if (this.source[start] === "|") start += 1;
    if (end > start && this.source[end - 1] === "|" && this.source[end - 2] !== "\\") end -= 1;
    let cell = start;
    for (let at = start; at <= end; at += 1) {
      if (at === end || (this.source[at] === "|" && this.source[at - 1] !== "\\")) {
        out.push(this.trimmed({ start: cell, end: at }));
        cell = at + 1;
      }
    }
    return out;
  }

  trimmed({ start, end }) {
    while (start < end && /\s/.test(this.source[start])) start += 1;
    while (end > start && /\s/.test(this.source[end - 1])) end -= 1;
    return { start, end };
  }

  paragraph(lines, at) {
    let end = at + 1;
    while (end < lines.length && !this.isBlank(lines[end])) {
      const text = this.text(lines[end]);
      const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(text);
      if (underline) {
        const level = underline[1][0] === "=" ? 1 : 2;
        return [this.leaf(this.headingTag(level), lines.slice(at, end), this.run(lines.slice(at, end))), end + 1];
      }
      if (this.interrupts(lines, end) || ITEM.test(text)) break;
      end += 1;
    }
    const own = lines.slice(at, end).map((line) => ({ start: line.start + /^\s*/.exec(this.text(line))[0].length, end: line.end }));
    return [this.leaf("p", own, this.run(own)), end];
  }
}
