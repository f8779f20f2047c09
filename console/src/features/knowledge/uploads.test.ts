import { describe, expect, it } from 'vitest';

import { nameFault, sendAll, type Upload } from './uploads';

function upload(id: string): Upload {
  return { document: `notes/${id}`, file: new File(['x'], id), state: 'waiting', sent: 0, error: '' };
}

describe('sending files', () => {
  it('sends all of them, three at a time, and says how each went', async () => {
    const states = new Map<string, Partial<Upload>>();
    let under = 0;
    let most = 0;
    const uploads = Array.from({ length: 8 }, (_, index) => upload(`${index}.md`));
    await sendAll(
      uploads,
      (id, to) => states.set(id, { ...states.get(id), ...to }),
      async (each, progress) => {
        under += 1;
        most = Math.max(most, under);
        await Promise.resolve();
        progress(1);
        await Promise.resolve();
        under -= 1;
        if (each.document === 'notes/3.md') throw new Error('has no suffix that Ken reads');
      },
    );
    expect(most).toBe(3);
    expect([...states.values()].map((each) => each.state).filter((each) => each === 'done')).toHaveLength(7);
    expect(states.get('notes/3.md')).toMatchObject({ state: 'failed', error: 'has no suffix that Ken reads' });
  });

  it('tells a file that is sent from one that Ken is done with', async () => {
    const seen: string[] = [];
    await sendAll(
      [upload('a.md')],
      (_, to) => to.state !== undefined && seen.push(to.state),
      (_, progress) => {
        progress(0.5);
        progress(1);
        return Promise.resolve();
      },
    );
    expect(seen).toEqual(['sending', 'sending', 'reading', 'done']);
  });
});

it('says what is wrong with a name', () => {
  expect(nameFault('handbook')).toBeNull();
  expect(nameFault('')).toContain('which collection');
  expect(nameFault('a/b')).toContain('/');
});
