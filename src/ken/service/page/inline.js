// The inside of a Markdown block: emphasis, code, links. Every character keeps its place in the source, so that a
// quoted span can be marked to the letter.

import { make } from "./elements.js";

const PUNCTUATION = /[!-/:-@[-`{-~]/;
const SAFE_URL = /^(https?:|mailto:)/i;

/** A run of source text: `text[i]` stands at `places[i]` of the document. */
export class Run {
  constructor(text, places) {
    this.text = text;
    this.places = places;
  }

  /** The lines (source ranges) of `source` as one run, with a line break between them. */
  static of(source, lines) {
    let text = "";
    const places = [];
    lines.forEach((line, at) => {
      if (at > 0) {
        text += "\n";
        places.push(line.start);
      }
      for (let place = line.start; place < line.end; place += 1) places.push(place);
      text += source.slice(line.start, line.end);
    });
    return new Run(text, places);
  }
}

/** Turns runs into nodes. `marks` are {start, end} of the source to mark; `link` resolves an address of the document
 *  to one of ours, or null; `special` may claim text, as in [1] of an answer. */
export class Inline {
  constructor({ marks = [], link = () => null, special = null } = {}) {
    this.marks = marks;
    this.link = link;
    this.special = special;
  }

  nodes(run, from = 0, to = run.text.length) {
    const out = [];
    let plain = from;
    let at = from;
    const flush = (end) => {
      if (end > plain) out.push(...this.text(run, plain, end));
    };
    while (at < to) {
      const found = this.construct(run, at, to);
      if (found) {
        flush(at);
        out.push(...found.nodes);
        at = found.end;
        plain = at;
      } else {
        at += 1;
      }
    }
    flush(to);
    return out;
  }

  /** The construct that begins at `at`: its nodes and its end; null where none does. */
  construct(run, at, to) {
    switch (run.text[at]) {
      case "\\": return this.escape(run, at, to);
      case "`": return this.code(run, at, to);
      case "*": case "_": case "~": return this.emphasis(run, at, to);
      case "!": return run.text[at + 1] === "[" ? this.image(run, at, to) : null;
      case "[": return this.claimed(run, at, to) ?? this.anchor(run, at, to);
      case "<": return this.autolink(run, at, to);
      case "\n": return this.lineBreak(run, at);
      default: return null;
    }
  }

  escape(run, at, to) {
    if (at + 1 >= to) return null;
    if (run.text[at + 1] === "\n") return { nodes: [make("br")], end: at + 2 };
    if (!PUNCTUATION.test(run.text[at + 1])) return null;
    return { nodes: this.text(run, at + 1, at + 2), end: at + 2 };
  }

  lineBreak(run, at) {
    return run.text.slice(0, at).endsWith("  ") ? { nodes: [make("br")], end: at + 1 } : null;
  }

  code(run, at, to) {
    const fence = /^`+/.exec(run.text.slice(at, to))[0];
    let close = run.text.indexOf(fence, at + fence.length);
    while (close !== -1 && run.text[close + fence.length] === "`") {
      close = run.text.indexOf(fence, close + fence.length + 1);
    }
    if (close === -1 || close >= to) return { nodes: this.text(run, at, at + fence.length), end: at + fence.length };
    let [start, end] = [at + fence.length, close];
    if (run.text[start] === " " && run.text[end - 1] === " " && end - start > 2) [start, end] = [start + 1, end - 1];
    return { nodes: [make("code", {}, this.text(run, start, end))], end: close + fence.length };
  }

  emphasis(run, at, to) {
    const sign = run.text[at];
    const width = run.text[at + 1] === sign ? 2 : 1;
    if (sign === "~" && width === 1) return null;
    const marker = sign.repeat(width);
    const start = at + width;
    if (start >= to || /\s/.test(run.text[start])) return null;
    if (sign === "_" && /\w/.test(run.text[at - 1] ?? "")) return null;
    for (let close = run.text.indexOf(marker, start + 1); close !== -1 && close < to; close = run.text.indexOf(marker, close + 1)) {
      const doubled = width === 1 && (run.text[close + 1] === sign || run.text[close - 1] === sign);
      const inWord = sign === "_" && /\w/.test(run.text[close + width] ?? "");
      if (doubled || inWord || /\s/.test(run.text[close - 1])) continue;
      const tag = sign === "~" ? "s" : width === 2 ? "strong" : "em";
      return { nodes: [make(tag, {}, this.nodes(run, start, close))], end: close + width };
    }
    return { nodes: this.text(run, at, start), end: start };
  }

  claimed(run, at, to) {
    const found = this.special?.(run.text.slice(at, to), run.places[at]);
    return found ? { nodes: [found.node], end: at + found.length } : null;
  }

  anchor(run, at, to) {
    const parts = linkAt(run.text, at, to);
    if (!parts) return null;
    const label = this.nodes(run, at + 1, parts.close);
    const outside = SAFE_URL.test(parts.url);
    const href = outside ? parts.url : this.link(parts.url);
    if (!href) return { nodes: label, end: parts.end };
    const rel = outside ? { rel: "noopener noreferrer", target: "_blank" } : {};
    return { nodes: [make("a", { href, ...rel }, label)], end: parts.end };
  }

  image(run, at, to) {
    const parts = linkAt(run.text, at + 1, to);
    if (!parts) return null;
    const label = this.text(run, at + 2, parts.close);
    return { nodes: [make("span", { class: "image" }, "image: ", label)], end: parts.end };
  }

  autolink(run, at, to) {
    const found = /^<((?:https?:|mailto:)[^\s<>]+)>/i.exec(run.text.slice(at, to));
    if (!found) return null;
    const label = this.text(run, at + 1, at + 1 + found[1].length);
    return { nodes: [make("a", { href: found[1], rel: "noopener noreferrer", target: "_blank" }, label)], end: at + found[0].length };
  }

  /** Plain text, with `<mark>` around what is marked. */
  text(run, from, to) {
    const out = [];
    let start = from;
    for (let at = from; at <= to; at += 1) {
      if (at === to || this.marked(run.places[at]) !== this.marked(run.places[start])) {
        const piece = run.text.slice(start, at);
        if (piece) out.push(this.marked(run.places[start]) ? make("mark", {}, piece) : document.createTextNode(piece));
        start = at;
      }
    }
    return out;
  }

  marked(place) {
    return this.marks.some((mark) => mark.start <= place && place < mark.end);
  }
}

/** The parts of `[label](url "title")` at `at`; null where there is none. */
function linkAt(text, at, to) {
  let depth = 0;
  for (let close = at; close < to; close += 1) {
    if (text[close] === "\\") close += 1;
    else if (text[close] === "[") depth += 1;
    else if (text[close] === "]" && (depth -= 1) === 0) {
      const target = /^\(\s*<?([^\s<>]*?)>?(?:\s+"[^"]*")?\s*\)/.exec(text.slice(close + 1, to));
      return target ? { close, url: target[1], end: close + 1 + target[0].length } : null;
    }
  }
  return null;
}
