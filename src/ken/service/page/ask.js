// The page: a question goes out, its stages tick past, the answer comes in.

import { askForKey, call, events } from "./api.js";
import { Turn } from "./answerview.js";
import { byId, documentPath, fill } from "./elements.js";
import { showDocument, showFault } from "./documentview.js";
import { Side } from "./side.js";
import { showTrace } from "./waterfall.js";

let conversation = null;
let running = null;
let opener = null;

const side = new Side({ open: openConversation, closed: (id) => id === conversation && begin() });
const open = { source: openSource, trace: openTrace, ask: (question) => running || ask(question) };

async function ask(question) {
  const turn = new Turn(question, open);
  byId("welcome").hidden = true;
  byId("turns").append(turn.element);
  turn.element.scrollIntoView({ block: "start" });
  running = new AbortController();
  busy(true);
  say("Looking through the documents.");
  try {
    const chosen = byId("collection").value;
    const body = { question, conversation_id: conversation, collections: chosen ? [chosen] : null };
    for await (const event of events("/api/ask", body, running.signal)) {
      turn.take(event);
      if (event.name === "answer") settle(turn, event.data);
    }
  } catch (error) {
    if (error.name === "AbortError") turn.stopped();
    else turn.fail(error.message, error.traceId);
  } finally {
    running = null;
    busy(false);
  }
}

function settle(turn, answer) {
  conversation = answer.conversation_id;
  side.mark(conversation);
  side.conversations();
  const told = { answered: "Answer", asked_back: "Ken asks back" };
  say(`${told[answer.outcome] ?? "Beyond my ken"}: ${turn.body.textContent}`);
}

function busy(isBusy) {
  byId("send").hidden = isBusy;
  byId("stop").hidden = !isBusy;
  if (isBusy) byId("stop").focus();
  else byId("question").focus();
}

function say(text) {
  byId("said").textContent = text;
}

function begin() {
  conversation = null;
  side.mark(null);
  fill(byId("turns"));
  byId("welcome").hidden = false;
  closePanel();
  byId("question").focus();
}

async function openConversation(id) {
  const kept = await call(`/api/conversations/${id}`);
  conversation = id;
  side.mark(id);
  side.show(false);
  byId("welcome").hidden = kept.turns.length > 0;
  fill(byId("turns"));
  let question = "";
  for (const each of kept.turns) {
    if (each.role === "user") question = each.content;
    else {
      const turn = new Turn(question, open);
      byId("turns").append(turn.element);
      turn.restore(each);
    }
  }
  byId("turns").lastElementChild?.scrollIntoView({ block: "start" });
}

function openPanel(title, address) {
  opener = byId("panel").hidden ? document.activeElement : opener;
  byId("panel-title").textContent = title;
  byId("panel-open").hidden = !address;
  if (address) byId("panel-open").href = address;
  fill(byId("panel-body"));
  byId("panel").hidden = false;
  document.body.classList.add("panel-open");
  byId("panel-title").focus({ preventScroll: true });
}

function closePanel() {
  byId("panel").hidden = true;
  document.body.classList.remove("panel-open");
  opener?.focus();
  opener = null;
}

async function openSource(citation) {
  openPanel(citation.document_title, documentPath(citation.document_id, citation));
  const ordinal = Number(citation.passage_id.slice(citation.passage_id.lastIndexOf("#p") + 2));
  const wanted = { ordinal, from: citation.start, to: citation.end, version: citation.version };
  try {
    await showDocument(byId("panel-body"), citation.document_id, wanted);
  } catch (fault) {
    showFault(byId("panel-body"), fault);
  }
}

async function openTrace(id) {
  openPanel("Where the time went", null);
  try {
    await showTrace(byId("panel-body"), id);
  } catch (fault) {
    showFault(byId("panel-body"), fault);
  }
}

function grow() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 240)}px`;
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = byId("question").value.trim();
  if (!question || running) return;
  byId("question").value = "";
  grow();
  ask(question);
});
byId("question").addEventListener("input", grow);
byId("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("ask").requestSubmit();
  }
});
byId("stop").addEventListener("click", () => running?.abort());
byId("new-conversation").addEventListener("click", () => {
  running?.abort();
  side.show(false);
  begin();
});
byId("panel-close").addEventListener("click", closePanel);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (!byId("panel").hidden) closePanel();
  else side.show(false);
});

async function start() {
  try {
    await side.refresh();
  } catch (fault) {
    if (fault.status !== 401) byId("holdings").textContent = fault.message;
  }
}

askForKey(start);
start();
byId("question").focus();
