// The API's reference, made from /openapi.json.

import { byId, make } from "./elements.js";
import { Inline, Run } from "./inline.js";

const inline = new Inline();

function prose(text) {
  return make("p", {}, inline.nodes(Run.of(text, [{ start: 0, end: text.length }])));
}

function schemaName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(schemaName).join(" or ");
  if (schema.type === "array") return `list of ${schemaName(schema.items) || "values"}`;
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return { string: "text", integer: "whole number", object: "object" }[schema.type] ?? schema.type ?? "any value";
}

function table(head, rows) {
  return make("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": head.join(", ") },
    make("table", {}, make("thead", {}, make("tr", {}, head.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, cell)))))));
}

function reference(schema) {
  const name = schemaName(schema);
  return schema?.$ref ? make("a", { href: `#${name}` }, name) : name;
}

function operation(method, path, about) {
  const parts = [make("h3", { id: about.operationId }, make("span", { class: `method ${method}` }, method.toUpperCase()), " ", make("code", {}, path))];
  if (about.summary) parts.push(make("p", { class: "summary" }, about.summary));
  if (about.description) parts.push(prose(about.description));
  const fields = (about.parameters ?? []).map((each) => [make("code", {}, each.name), each.in, schemaName(each.schema), each.required ? "yes" : "", each.description ?? ""]);
  if (fields.length) parts.push(table(["Parameter", "In", "Is", "Needed", ""], fields));
  for (const [type, { schema }] of Object.entries(about.requestBody?.content ?? {})) {
    parts.push(make("p", {}, "Body: ", make("code", {}, type), schema ? " " : "", schema ? reference(schema) : ""));
  }
  for (const [status, { description, content }] of Object.entries(about.responses ?? {})) {
    if (status === "422") continue;
    const schema = Object.values(content ?? {}).map((each) => each.schema).find(Boolean);
    parts.push(make("p", {}, make("code", {}, status), ` ${description}`, schema ? ": " : "", schema ? reference(schema) : ""));
  }
  return make("section", { class: "operation" }, parts);
}

function shape(name, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([field, each]) => [make("code", {}, field), reference(each), required.has(field) ? "yes" : ""]);
  return make("section", {}, make("h3", { id: name }, name), schema.description ? prose(schema.description) : "", rows.length ? table(["Field", "Is", "Always there"], rows) : "");
}

const openapi = await (await fetch("/openapi.json")).json();
const byTag = new Map();
for (const [path, methods] of Object.entries(openapi.paths)) {
  for (const [method, about] of Object.entries(methods)) {
    const tag = about.tags?.[0] ?? "other";
    byTag.set(tag, [...(byTag.get(tag) ?? []), operation(method, path, about)]);
  }
}
for (const [tag, sections] of byTag) byId("reference").append(make("h2", {}, tag[0].toUpperCase() + tag.slice(1)), ...sections);
byId("reference").append(make("h2", {}, "Shapes"));
for (const [name, schema] of Object.entries(openapi.components?.schemas ?? {})) {
  if (!/ValidationError/.test(name)) byId("reference").append(shape(name, schema));
}
