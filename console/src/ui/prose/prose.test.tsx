import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Prose, type ProseMark, type ProseProps } from '../prose';

const scrolled = vi.fn();

beforeEach(() => {
  scrolled.mockReset();
  Element.prototype.scrollIntoView = scrolled;
});

/** The mark of a phrase, by code points as the API counts them. */
function markOf(source: string, phrase: string, told: Partial<ProseMark> = {}): ProseMark {
  const at = source.indexOf(phrase);
  expect(at).toBeGreaterThanOrEqual(0);
  const start = Array.from(source.slice(0, at)).length;
  return { start, end: start + Array.from(phrase).length, ...told };
}

function drawn(source: string, props: Partial<ProseProps> = {}) {
  return render(<Prose source={source} {...props} />).container;
}

function markedText(container: HTMLElement): string {
  return [...container.querySelectorAll('mark')].map((mark) => mark.textContent).join('|');
}

describe('Markdown', () => {
  it('draws headings, lists, task lists, tables, listings, quotes and footnotes', () => {
    const container = drawn(
      '# Leave\n\nA *week* of **leave**, ~~not~~ `one`[^1].\n\n- one\n  1. deep\n- [x] done\n\n> said\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n```py\nx = 1\n```\n\n[^1]: A note.\n',
    );
    expect(screen.getByRole('heading', { level: 1, name: 'Leave' })).toBeTruthy();
    expect(container.querySelector('em')?.textContent).toBe('week');
    expect(container.querySelector('s')?.textContent).toBe('not');
    expect(container.querySelector('ul ol li')?.textContent).toBe('deep');
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Done' }).checked).toBe(true);
    expect(container.querySelector('blockquote')?.textContent).toBe('said');
    expect(screen.getByRole('columnheader', { name: 'a' }).dataset.align).toBe('left');
    expect(container.querySelector('pre')?.textContent).toBe('x = 1');
    expect(screen.getByRole('note').textContent).toContain('A note.');
  });

  it('shows raw HTML as text and makes no element of it', () => {
    const container = drawn(
      '<script>alert(1)</script>\n\nwords <img src=x onerror=alert(1)> more\n\n<iframe src="/"></iframe>',
    );
    expect(container.querySelector('script, img, iframe')).toBeNull();
    expect(container.textContent).toContain('<script>alert(1)</script>');
    expect(container.textContent).toContain('onerror=alert(1)');
  });

  it('links the web alone, loads no picture, and follows no script', () => {
    const container = drawn(
      '[go](https://example.org/a) [run](javascript:alert(1)) [net](//evil.example) ![a map](https://example.org/m.png)',
    );
    const links = [...container.querySelectorAll('a')];
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      'https://example.org/a',
      'https://example.org/m.png',
    ]);
    expect(links.every((link) => link.rel === 'noopener noreferrer')).toBe(true);
    expect(container.querySelector('img')).toBeNull();
    expect(container.textContent).toBe('go run net Picture: a map');
  });

  it('asks its owner where a link to another document leads', () => {
    drawn('[leave](../hr/leave.md) and [gone](nowhere.md)', {
      renderLink: (address, children) =>
        address === '../hr/leave.md' ? <a href="/documents/hr/leave.md">{children}</a> : null,
    });
    expect(screen.getByRole('link', { name: 'leave' }).getAttribute('href')).toBe('/documents/hr/leave.md');
    expect(screen.queryByRole('link', { name: 'gone' })).toBeNull();
  });

  it('resolves links that are defined far away, in another piece', () => {
    drawn('See [the rules][r].\n\nMore.\n\n[r]: https://example.org/rules\n');
    expect(screen.getByRole('link', { name: 'the rules' }).getAttribute('href')).toBe('https://example.org/rules');
  });

  it('goes to a heading that a link of the text names', async () => {
    drawn('[down](#the-end)\n\nwords\n\n## The end\n');
    await userEvent.click(screen.getByRole('link', { name: 'down' }));
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'The end' }));
  });
});

describe('marks', () => {
  it.each([
    [
      'across bold and a link',
      'Staff get **ten days** of [paid leave](https://example.org) a year.',
      'get **ten days** of [paid',
      'get |ten days| of |paid',
    ],
    ['after emoji, counted in code points', '🎉🎉 Welcome 👩‍👩‍👧 to the team', 'the team', 'the team'],
    ['around emoji', 'so 🎉 it is', '🎉 it', '🎉 it'],
    ['with combining characters', 'Cafe\u0301 au lait', 'e\u0301 au', 'e\u0301 au'],
    ['in CRLF text', 'first line\r\nsecond line\r\n\r\nthird **bold** line\r\n', 'third **bo', 'third |bo'],
    ['over a line break of CRLF', 'first line\r\nsecond line', 'line\r\nsec', 'line\nsec'],
    [
      'in a table, over cells',
      '| Rank | Days |\n|---|---|\n| Junior | 20 |\n| Senior | 25 |',
      'Senior | 25',
      'Senior|25',
    ],
    ['in a nested list', '- one\n  - two **three**\n    - four five\n', 'three**\n    - four', 'three|four'],
    ['in nested quotes, without their signs', '> > alpha beta\n> > gamma delta\n', 'beta\n> > gamma', 'beta\ngamma'],
    ['after escapes and references', 'a \\* b &amp; c &#169; d \\_ end here', 'end', 'end'],
    ['in inline code', 'run `` a `tick` b `` now', '`tick` b', '`tick` b'],
    ['in a listing', '```sh\nmake up\nmake test\n```\n', 'make test', 'make test'],
    ['in an indented listing', 'x:\n\n    make up\n    make test\n', 'test', 'test'],
    ['in raw HTML', 'words <b>bold</b> words', '<b>bold</b>', '<b>|bold|</b>'],
    ['in a heading', '# The *big* one #\n\ntext', 'big* one', 'big| one'],
    ['with an escaped pipe in a cell', '| a | b |\n|---|---|\n| x \\| y | last |', 'y | last', 'y|last'],
    ['in a task', '- [ ] write the tests\n', 'the tests', 'the tests'],
  ])('%s', (_, source, phrase, expected) => {
    const text = markedText(drawn(source, { marks: [markOf(source, phrase)] }));
    expect(text.replaceAll('\r\n', '\n')).toBe(expected);
  });

  it('lie in one another, and each keeps its name', () => {
    const source = 'one two three four';
    const container = drawn(source, {
      marks: [markOf(source, 'two three', { id: 'a' }), markOf(source, 'three', { id: 'b' })],
    });
    expect(container.querySelector('[data-mark="a"] [data-mark="b"]')?.textContent).toBe('three');
    expect(container.textContent).toBe(source);
  });

  it('can be scrolled to and focused, and say what they are', () => {
    const source = 'one **two** three';
    drawn(source, {
      marks: [markOf(source, 'two** three', { id: 'q', label: 'Quoted' })],
      reveal: { at: 6, id: 'q', focus: true },
    });
    expect(scrolled).toHaveBeenCalledTimes(1);
    expect(document.activeElement?.tagName).toBe('MARK');
    expect(document.activeElement?.textContent).toBe('Quoted: two');
  });

  it('are kept off plain text that has Markdown in it', () => {
    const source = 'Dear *all*,\n\nsee # 4 🎉 below.';
    const container = drawn(source, { markup: 'plain', marks: [markOf(source, '4 🎉')] });
    expect(container.querySelector('em, h1')).toBeNull();
    expect(markedText(container)).toBe('4 🎉');
    expect(container.querySelectorAll('p')).toHaveLength(2);
  });
});

describe('inserts', () => {
  const button = (name: string) => <button type="button">{name}</button>;

  it('stand between the words where they belong', () => {
    const container = drawn('Ten days. **Paid.** Also `code` x.', {
      inserts: [
        { at: 9, node: button('1') },
        { at: 19, node: button('2') },
        { at: 34, node: button('3') },
      ],
    });
    expect(container.textContent).toBe('Ten days.1 Paid.2 Also code x.3');
    expect(container.querySelector('strong')?.textContent).toBe('Paid.');
  });

  it('take the place of what they stand for, in lists and tables too', () => {
    const source = '- Ten days [1].\n- More [2]\n\n| a | b |\n|---|---|\n| x [3] | y |';
    const inserts = ['[1]', '[2]', '[3]'].map((sign) => {
      const { start, end } = markOf(source, sign);
      return { at: start, end, node: button(`source ${sign.charAt(1)}`) };
    });
    drawn(source, { inserts });
    const items = screen.getAllByRole('listitem');
    expect(items[0]?.textContent).toBe('Ten days source 1.');
    expect(items[1]?.textContent).toBe('More source 2');
    expect(within(screen.getByRole('cell', { name: /x/ })).getByRole('button', { name: 'source 3' })).toBeTruthy();
  });

  it('are never put into a link or a listing', () => {
    const container = drawn('[a link](https://example.org)\n\n```\ncode\n```\n', {
      inserts: [
        { at: 4, node: button('1') },
        { at: 38, node: button('2') },
      ],
    });
    expect(container.querySelector('a button, pre button')).toBeNull();
    expect(screen.getAllByRole('button')).toHaveLength(2);
  });
});

describe('outlines', () => {
  it('draw each passage with its label, and mark the current one', () => {
    const source = '# A\n\none\n\n# B\n\ntwo\n\nthree\n';
    const container = drawn(source, {
      outlines: [
        { start: 0, end: 10, label: 'Passage 0', id: 'p0' },
        { start: 10, end: source.length, label: 'Passage 1', id: 'p1', isCurrent: true },
      ],
    });
    const inside = (id: string) =>
      [...container.querySelectorAll(`[data-outline~="${id}"]`)].map((each) => each.textContent);
    expect(inside('p0')).toEqual(['Passage 0A', 'one']);
    expect(inside('p1')).toEqual(['Passage 1B', 'two', 'three']);
  });

  it('label a passage that begins in the middle of a table, at its row', () => {
    const source = '| a | b |\n|---|---|\n| x | 1 |\n| y | 2 |';
    drawn(source, {
      outlines: [
        { start: 0, end: 30, label: 'Passage 0', id: 'p0' },
        { start: 30, end: source.length, label: 'Passage 1', id: 'p1' },
      ],
    });
    expect(screen.getByRole('row', { name: /y/ }).textContent).toContain('Passage 1');
  });
});

describe('a text that is still being written', () => {
  const whole =
    '## Leave\n\nStaff get **ten days** of *paid* [leave](https://example.org/x) a `year`, ~~not~~ more.\n\n- one **two**\n- three\n\n| Rank | Days |\n|---|---|\n| Junior | 20 |\n\n```sh\nmake up\n```\n\nEnd.';

  it('never shows a sign that turns into something else', () => {
    const { container, rerender } = render(<Prose source="" isStreaming />);
    for (let length = 1; length <= whole.length; length += 1) {
      rerender(<Prose source={whole.slice(0, length)} isStreaming />);
      const text = container.textContent;
      expect(text, whole.slice(0, length)).not.toMatch(/\*|~~|`|\]\(|\| |--|##/);
    }
    rerender(<Prose source={whole} />);
    expect(container.querySelectorAll('strong')).toHaveLength(2);
  });

  it('leaves what is drawn in place while more arrives', () => {
    const { container, rerender } = render(<Prose source={'One.\n\nTwo **b'} isStreaming />);
    const first = container.querySelector('p');
    const second = container.querySelectorAll('p')[1];
    rerender(<Prose source={'One.\n\nTwo **bold** and more.\n\nThree'} isStreaming />);
    expect(container.querySelector('p')).toBe(first);
    expect(container.querySelectorAll('p')[1]).toBe(second);
    expect(second?.textContent).toBe('Two bold and more.');
  });

  it('shows signs that mean nothing once it ends', () => {
    const container = drawn('5 * 3 and [1] and 2 ** 8');
    expect(container.textContent).toBe('5 * 3 and [1] and 2 ** 8');
  });
});

describe('a text of a megabyte', () => {
  it('is drawn around the place that was asked for, at once, and the rest later', () => {
    const paragraph = (index: number) =>
      `## Part ${index}\n\nWords of part ${index} with **bold** and more of it to fill a line or two of the page.\n\n`;
    const source = Array.from({ length: 10_000 }, (_, index) => paragraph(index)).join('');
    const mark = markOf(source, 'Words of part 7000', { id: 'm' });
    const began = performance.now();
    const container = drawn(source, { marks: [mark], reveal: { at: mark.start, id: 'm' } });
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(markedText(container)).toBe('Words of part 7000');
    expect(scrolled).toHaveBeenCalled();
    expect(container.querySelectorAll('h2').length).toBeLessThan(400);
  });

  it('keeps the header of a table that is cut, and the marks behind the cut', () => {
    const rows = Array.from({ length: 6_000 }, (_, index) => `| name ${index} | value ${index} |`).join('\n');
    const source = `| Name | Value |\n|---|---|\n${rows}\n`;
    const mark = markOf(source, 'value 5999', { id: 'm' });
    const container = drawn(source, { marks: [mark], reveal: { at: mark.start, id: 'm' } });
    expect(markedText(container)).toBe('value 5999');
    const heads = [...container.querySelectorAll('thead')].map((head) => head.textContent);
    expect(heads.length).toBeGreaterThan(1);
    expect(new Set(heads)).toEqual(new Set(['NameValue']));
  });
});
