import type { TraceName } from './shapes';

export interface Suggestion {
  readonly text: string;
  /** What it is, in a few words. */
  readonly about: string;
}

export interface Completion {
  /** The part of the text that a suggestion takes the place of, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
  readonly suggestions: readonly Suggestion[];
  /** What is expected here: `name`, `operator`, `value`, or how tests are joined. */
  readonly expects: 'name' | 'operator' | 'value' | 'joint';
}

interface Token {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly isQuoted: boolean;
}

const TOKEN = /\s*(<=|>=|!=|==|<>|[()<>=,]|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s()<>=!,"']+)/gy;
const OPERATORS: Record<string, readonly string[]> = {
  text: ['=', '!=', 'contains', 'in', 'is unknown'],
  words: ['contains', '=', '!=', 'is unknown'],
  flag: ['=', '!='],
  ordered: ['>', '<', '>=', '<=', '=', '!=', 'is unknown'],
};
const EXAMPLES: Record<TraceName['kind'], readonly Suggestion[]> = {
  time: [
    { text: '-1h', about: 'an hour ago' },
    { text: '-24h', about: 'a day ago' },
    { text: '-7d', about: 'a week ago' },
  ],
  duration: [
    { text: '500', about: 'milliseconds' },
    { text: '2s', about: 'seconds' },
    { text: '1min', about: 'minutes' },
  ],
  count: [
    { text: '1', about: 'a number' },
    { text: '8k', about: 'thousands' },
  ],
  share: [
    { text: '0.4', about: 'from 0 to 1' },
    { text: '40%', about: 'the same as a percentage' },
  ],
  money: [{ text: '0.01', about: 'an amount' }],
  score: [{ text: '3', about: 'from 1 to 5' }],
  flag: [
    { text: 'true', about: '' },
    { text: 'false', about: '' },
  ],
  text: [],
  words: [],
};
const KINDS: Record<TraceName['kind'], string> = {
  time: 'a time',
  duration: 'a duration',
  count: 'a number',
  share: 'a share, 0 to 1',
  money: 'an amount',
  score: 'a score, 1 to 5',
  flag: 'true or false',
  text: 'text',
  words: 'words',
};
const MOST = 12;

/** What may stand at `caret` of a filter, by what stands before it. */
export function complete(text: string, caret: number, names: readonly TraceName[]): Completion {
  const before = tokens(text.slice(0, caret));
  const last = before.at(-1);
  // A word that the caret touches is still being written.
  const open = last?.to === caret && !/^[()<>=!,]+$/.test(last.text) ? last : null;
  const typed = open?.text ?? '';
  const said = open === null ? before : before.slice(0, -1);
  const place = { from: open?.from ?? caret, to: open === null ? caret : endOfWord(text, caret) };
  const name = (token: Token | undefined) => names.find((each) => each.name === token?.text.toLowerCase());

  const at = said.at(-1);
  const tested = lastName(said, names);
  if (tested !== null && isOperator(at?.text ?? '')) {
    return { ...place, expects: 'value', suggestions: filtered(valuesOf(tested), typed.replace(/^["']/, '')) };
  }
  if (tested !== null && /^[(,]$/.test(at?.text ?? '') && isWithinIn(said)) {
    return { ...place, expects: 'value', suggestions: filtered(valuesOf(tested), typed.replace(/^["']/, '')) };
  }
  if (at !== undefined && name(at) !== undefined && !isValuePlace(said)) {
    const kind = name(at)?.kind ?? 'text';
    const operators = (OPERATORS[kind] ?? OPERATORS.ordered ?? []).map((each) => ({ text: each, about: '' }));
    const joints = kind === 'flag' ? [{ text: 'and', about: 'and also' }] : [];
    return { ...place, expects: 'operator', suggestions: filtered([...operators, ...joints], typed) };
  }
  if (at === undefined || at.text === '(' || /^(and|or|not)$/i.test(at.text)) {
    const all = names.map((each) => ({ text: each.name, about: KINDS[each.kind] }));
    const not =
      at !== undefined && /^not$/i.test(at.text) ? [] : [{ text: 'not', about: 'the opposite of what follows' }];
    return { ...place, expects: 'name', suggestions: filtered([...all, ...not], typed) };
  }
  const joints = ['and', 'or'].map((each) => ({ text: each, about: '' }));
  return { ...place, expects: 'joint', suggestions: filtered(joints, typed) };
}

/** The text with a suggestion in its place, and where the caret stands then. */
export function completed(
  text: string,
  completion: Completion,
  suggestion: Suggestion,
): { text: string; caret: number } {
  const put = completion.expects === 'value' ? quoted(suggestion.text) : suggestion.text;
  const head = text.slice(0, completion.from) + put;
  const tail = text.slice(completion.to);
  const gap = tail === '' || !/^[\s),]/.test(tail) ? ' ' : '';
  return { text: head + gap + tail, caret: head.length + 1 };
}

/** Where a filter can't be read, as the server says it: [first, end) in characters; null where it names no place. */
export function faultyPlace(message: string, text: string): readonly [number, number] | null {
  const told = /at character (\d+)(?: \('((?:[^'\\]|\\.)*)'\))?/.exec(message);
  if (told === null) return message.includes('at its end') ? [text.length, text.length] : null;
  const from = Number(told[1]) - 1;
  return [from, Math.min(text.length, from + Math.max(1, told[2]?.length ?? 1))];
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const said = match[1] ?? '';
    const to = match.index + match[0].length;
    found.push({ text: said, from: to - said.length, to, isQuoted: /^["']/.test(said) });
  }
  return found;
}

function isOperator(text: string): boolean {
  return /^(<=|>=|!=|==|<>|<|>|=|contains)$/i.test(text);
}

/** Whether the last token is the value of a comparison, and no name, though it may look like one. */
function isValuePlace(said: readonly Token[]): boolean {
  const before = said.at(-2);
  return before !== undefined && (isOperator(before.text) || isWithinIn(said.slice(0, -1)));
}

function isWithinIn(said: readonly Token[]): boolean {
  const open = said.map((token) => token.text).lastIndexOf('(');
  const closed = said.map((token) => token.text).lastIndexOf(')');
  return open > closed && /^in$/i.test(said[open - 1]?.text ?? '');
}

function lastName(said: readonly Token[], names: readonly TraceName[]): TraceName | null {
  for (let index = said.length - 1; index >= 0; index -= 1) {
    const token = said[index];
    const name = token?.isQuoted === false ? names.find((each) => each.name === token.text.toLowerCase()) : undefined;
    if (name !== undefined && !isValuePlace(said.slice(0, index + 1))) return name;
  }
  return null;
}

function valuesOf(name: TraceName): readonly Suggestion[] {
  if (name.values.length > 0) return name.values.map((text) => ({ text, about: name.is_closed ? '' : 'seen lately' }));
  return EXAMPLES[name.kind];
}

function filtered(all: readonly Suggestion[], typed: string): readonly Suggestion[] {
  const wanted = typed.toLowerCase();
  const starting = all.filter((each) => each.text.toLowerCase().startsWith(wanted));
  const holding = all.filter((each) => !starting.includes(each) && each.text.toLowerCase().includes(wanted));
  const found = [...starting, ...holding];
  return found.length === 1 && found[0]?.text.toLowerCase() === wanted ? [] : found.slice(0, MOST);
}

function quoted(text: string): string {
  return /^[^\s()<>=!,"']+$/.test(text) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function endOfWord(text: string, caret: number): number {
  return caret + (/^[^\s()<>=!,"']*/.exec(text.slice(caret))?.[0].length ?? 0);
}
