// The wire: JSON calls, the event stream of a question, and the key where the server wants one.

const KEY = "ken-key";

/** What the server said was wrong. */
export class Fault extends Error {
  constructor(message, status, traceId) {
    super(message);
    this.status = status;
    this.traceId = traceId;
  }
}

async function send(path, { method = "GET", body, signal, accept = "application/json" } = {}) {
  const headers = { accept };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault("Ken can't be reached. Is it still running?", 0);
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const message = told.error?.message ?? `The server answered ${response.status}.`;
  if (response.status === 401) document.dispatchEvent(new CustomEvent("key-needed", { detail: message }));
  throw new Fault(message, response.status, told.error?.trace_id);
}

/** The JSON answer of a call; null where there is no content. Throws Fault. */
export async function call(path, options) {
  const response = await send(path, options);
  return response.status === 204 ? null : response.json();
}

/** The events of a POST as {name, data}, as they come. Throws Fault. */
export async function* events(path, body, signal) {
  const response = await send(path, { method: "POST", body, signal, accept: "text/event-stream" });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (pending + value).split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

function parsed(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}

/** Show the key form when the server asks for a key; `again` runs once one was given. */
export function askForKey(again) {
  const form = document.getElementById("key-form");
  const field = document.getElementById("key");
  document.addEventListener("key-needed", (event) => {
    document.getElementById("key-reason").textContent = event.detail;
    sessionStorage.removeItem(KEY);
    form.hidden = false;
    field.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value.trim());
    field.value = "";
    form.hidden = true;
    again();
  });
}
