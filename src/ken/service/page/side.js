// The side: conversations (open, rename, delete), documents to browse, collections to look in.

import { call } from "./api.js";
import { byId, documentPath, fill, make } from "./elements.js";

/** `open(id)` shows a conversation, `closed(id)` is told of one that was deleted. */
export class Side {
  constructor({ open, closed }) {
    this.open = open;
    this.closed = closed;
    this.current = null;
    this.before = null;
    this.after = null;
    byId("more-conversations").addEventListener("click", () => this.conversations({ more: true }));
    byId("more-documents").addEventListener("click", () => this.documents({ more: true }));
    byId("collection").addEventListener("change", () => this.documents());
    const toggle = byId("open-side");
    toggle.addEventListener("click", () => this.show(toggle.getAttribute("aria-expanded") !== "true"));
  }

  show(isOpen) {
    byId("open-side").setAttribute("aria-expanded", String(isOpen));
    document.body.classList.toggle("side-open", isOpen);
  }

  async refresh() {
    await Promise.all([this.collections(), this.conversations(), this.documents()]);
  }

  async collections() {
    const found = await call("/api/collections");
    const chosen = byId("collection").value;
    fill(byId("collection"), make("option", { value: "" }, "all collections"),
      found.map(({ name, documents }) => make("option", { value: name, selected: name === chosen }, `${name} (${documents})`)));
    const total = found.reduce((sum, each) => sum + each.documents, 0);
    byId("holdings").textContent = total
      ? `Ask in your own words, of ${total} ${total === 1 ? "document" : "documents"}. Every sentence of an answer names the passage that it rests on.`
      : "There is nothing to answer from yet. Put documents in with: ken sync FOLDER --collection NAME";
  }

  async conversations({ more = false } = {}) {
    const page = await call(`/api/conversations?limit=30${more && this.before ? `&before=${encodeURIComponent(this.before)}` : ""}`);
    this.before = page.before;
    const entries = page.conversations.map((each) => this.conversation(each));
    if (more) byId("conversations").append(...entries);
    else fill(byId("conversations"), entries);
    byId("more-conversations").hidden = !page.before;
    this.mark(this.current);
  }

  conversation({ id, title }) {
    const open = make("button", { type: "button", class: "name", "data-id": id, onclick: () => this.open(id) }, title);
    const entry = make("li", {}, open);
    const rename = make("button", { type: "button", class: "quiet", title: "Rename", "aria-label": `Rename ${title}`, onclick: () => this.rename(entry, id, title) }, "✎");
    const remove = make("button", { type: "button", class: "quiet", title: "Delete", "aria-label": `Delete ${title}`, onclick: () => this.remove(entry, id, title) }, "✕");
    entry.append(rename, remove);
    return entry;
  }

  rename(entry, id, title) {
    const field = make("input", { value: title, maxlength: "120", "aria-label": "New title" });
    const form = make("form", { onsubmit: async (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      const renamed = await call(`/api/conversations/${id}`, { method: "PATCH", body: { title: field.value } });
      const fresh = this.conversation(renamed);
      entry.replaceWith(fresh);
      this.mark(this.current);
      fresh.querySelector(".name").focus();
    } }, field);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") entry.replaceWith(this.conversation({ id, title }));
    });
    fill(entry, form);
    field.select();
  }

  remove(entry, id, title) {
    const back = () => entry.replaceWith(this.conversation({ id, title }));
    const yes = make("button", { type: "button", class: "danger", onclick: async () => {
      await call(`/api/conversations/${id}`, { method: "DELETE" });
      entry.remove();
      this.closed(id);
    } }, "Delete");
    fill(entry, make("span", { class: "name" }, "Delete for ever?"), yes, make("button", { type: "button", class: "quiet", onclick: back }, "Keep"));
    yes.focus();
  }

  mark(id) {
    this.current = id;
    byId("conversations").querySelectorAll("button.name").forEach((each) => {
      if (each.dataset.id === id) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    });
  }

  async documents({ more = false } = {}) {
    const query = new URLSearchParams({ limit: "50" });
    if (byId("collection").value) query.set("collection", byId("collection").value);
    if (more && this.after) query.set("after", this.after);
    const page = await call(`/api/documents?${query}`);
    this.after = page.next;
    const entries = page.documents.map((each) => make("li", {}, make("a", { href: documentPath(each.id), title: each.id }, each.title)));
    if (more) byId("documents").append(...entries);
    else fill(byId("documents"), entries);
    byId("more-documents").hidden = !page.next;
  }
}
