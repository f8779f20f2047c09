// /documents/{id}: one document as a page; #p12 marks a passage, ?from=…&to=… the quoted span in it.

import { askForKey } from "./api.js";
import { byId } from "./elements.js";
import { showDocument, showFault } from "./documentview.js";

async function show() {
  const id = decodeURIComponent(location.pathname.slice("/documents/".length));
  const query = new URLSearchParams(location.search);
  const ordinal = /^#p(\d+)$/.exec(location.hash);
  const wanted = {
    ordinal: ordinal ? Number(ordinal[1]) : undefined,
    from: Number(query.get("from") ?? 0),
    to: Number(query.get("to") ?? 0),
    version: query.get("version"),
  };
  byId("where").textContent = id;
  try {
    const about = await showDocument(byId("document"), id, wanted);
    document.title = `${about.title} - Ken`;
  } catch (fault) {
    showFault(byId("document"), fault);
  }
}

askForKey(show);
addEventListener("hashchange", show);
show();
