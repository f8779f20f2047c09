import { describe, expect, it } from 'vitest';

import { findIn } from './finding';
import { hasChanged, linkedDocument, targetOf, type OpenedDocument, type Place } from './place';
import { quotedParts, shareOf } from './quoted';
import { quotedPage } from './quoted-page';
import { documentSearch, playgroundSearch } from './search';

const NOWHERE: Place = { start: null, end: null, page: null, version: null, ordinal: null };

function openedWith(passages: readonly { start: number; end: number; page?: number }[], version = '0'.repeat(64)) {
  return {
    document: { version },
    passages: passages.map((each, ordinal) => ({ page: null, ...each, ordinal })),
  } as unknown as OpenedDocument;
}

describe('finding words', () => {
  it.each([
    ['bold move', 'a **bold** move', 'bold** move'],
    ['ten days', 'TEN\n> days', 'TEN\n> days'],
    ['a.b', 'axb a.b', 'a.b'],
    ['🎉 it', 'so 🎉 it is', '🎉 it'],
    ['c++ (x)', 'in C++ (X) now', 'C++ (X)'],
  ])('%s', (query, text, expected) => {
    expect(findIn(text, query).map(({ start, end }) => text.slice(start, end))).toEqual([expected]);
  });

  it('finds nothing for nothing', () => {
    expect(findIn('words', '  ')).toEqual([]);
  });
});

describe('a quotation on a page', () => {
  const pieces = ['High water is at', ' ', 'noon on week-', 'days.'].map((text) => ({ text }));

  it('is found over pieces, hyphens and the signs of Markdown', () => {
    const parts = quotedParts(pieces, '**water** is at noon on weekdays');
    expect(parts.map(({ index, from, to }) => pieces[index]?.text.slice(from, to))).toEqual([
      'water is at',
      'noon on week',
      'days',
    ]);
  });

  it('is found as far as it is on this page', () => {
    const parts = quotedParts(
      [{ text: 'The harbour closes its gates at night.' }],
      'closes its gates at night. It opens again at dawn.',
    );
    expect(parts).toEqual([{ index: 0, from: 12, to: 37 }]);
  });

  it('is not made up', () => {
    expect(quotedParts(pieces, 'Low water is at midnight')).toEqual([]);
  });
});

describe('the page of a quotation', () => {
  const pages = ['Trains and flights.', 'Aldane region EUR 210', 'Trade fairs end on a'];
  const shown = (quote: string, named: number) =>
    quotedPage((page) => Promise.resolve([{ text: pages[page - 1] ?? '' }]), { named, pages: pages.length, quote });

  it('is where its words stand, whichever was named', async () => {
    expect(await shown('| Aldane region | EUR 210 |', 1)).toBe(2);
    expect(await shown('Trade fairs end on a Friday.', 1)).toBe(3);
  });

  it('is the named one where its words stand nowhere', async () => {
    expect(await shown('Nobody wrote this sentence', 2)).toBe(2);
    expect(await shown('', 3)).toBe(3);
  });

  it('is marked by the widths of its letters', () => {
    const widthOf = (text: string) => Array.from(text).reduce((sum, letter) => sum + (letter === 'W' ? 3 : 1), 0);
    expect(shareOf('WWii', 2, widthOf)).toBe(0.75);
    expect(shareOf('', 0, widthOf)).toBe(0);
  });
});

describe('a place in a document', () => {
  it('is marked as long as the text is the one that was cited, whoever may read it by now', () => {
    const version = `${'a'.repeat(16)}${'b'.repeat(32)}${'c'.repeat(16)}`;
    const opened = openedWith([{ start: 0, end: 10 }], version);
    const place = { ...NOWHERE, start: 2, end: 5 };
    expect(hasChanged(opened, { ...place, version: version.replace(/c/g, 'd') })).toBe(false);
    expect(hasChanged(opened, { ...place, version: version.replace(/b/g, 'd') })).toBe(true);
    expect(targetOf(opened, { ...place, version: version.replace(/b/g, 'd') })).toBeNull();
    expect(targetOf(opened, place)).toMatchObject({ start: 2, end: 5, passage: { ordinal: 0 } });
  });

  it('is that of a passage, or of a page', () => {
    const opened = openedWith([
      { start: 0, end: 10, page: 1 },
      { start: 10, end: 30, page: 2 },
    ]);
    expect(targetOf(opened, { ...NOWHERE, ordinal: 1 })).toMatchObject({ start: 10, end: 30, page: 2 });
    expect(targetOf(opened, { ...NOWHERE, page: 2 })).toMatchObject({ start: 10, end: 30 });
    expect(targetOf(opened, NOWHERE)).toBeNull();
  });
});

describe('links between documents', () => {
  it.each([
    ['crane.md#bookings', { id: 'harbour/rules/crane.md', hash: 'bookings' }],
    ['../office.md', { id: 'harbour/office.md', hash: '' }],
    ['/office.md', { id: 'harbour/office.md', hash: '' }],
    ['a b/ü.md', { id: 'harbour/rules/a b/ü.md', hash: '' }],
    ['../../other/secret.md', null],
    ['javascript:alert(1)', null],
    ['//evil.example/x', null],
  ])('%s', (address, expected) => {
    expect(linkedDocument('harbour/rules/fees.md', 'harbour', address)).toEqual(expected);
  });
});

describe('addresses', () => {
  it('name a place, by their older names too, and nothing that is none', () => {
    expect(documentSearch({ start: 3, end: 9, page: 2, version: 'ab', other: 1 })).toEqual({
      start: 3,
      end: 9,
      page: 2,
      version: 'ab',
    });
    expect(documentSearch({ from: 3, to: 9 })).toEqual({ start: 3, end: 9 });
    expect(documentSearch({ start: 9, end: 3, page: -1 })).toEqual({});
  });

  it('hold a search with its filters and what it is compared with', () => {
    expect(playgroundSearch({ q: 2026, collection: 'hr', with: 'fees', limit: 20, nothing: '' })).toEqual({
      q: '2026',
      collection: ['hr'],
      with: 'fees',
      limit: 20,
    });
    expect(playgroundSearch({ limit: 900, owner: '' })).toEqual({});
  });
});
