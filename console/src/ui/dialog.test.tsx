import { render, screen } from '@testing-library/react';
import { beforeAll, expect, test } from 'vitest';

import { Confirm, Dialog } from './dialog';
import { TextField } from './field';

beforeAll(() => {
  // jsdom knows the element and not its methods.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = function close() {
    this.removeAttribute('open');
  };
});

test('a dialog that asks for something begins in its field, with what stands there selected', () => {
  render(
    <Dialog open title="Rename" onClose={() => undefined}>
      <TextField label="Title" defaultValue="Old" />
    </Dialog>,
  );
  const field = screen.getByLabelText<HTMLInputElement>('Title');
  expect(document.activeElement).toBe(field);
  expect([field.selectionStart, field.selectionEnd]).toEqual([0, 3]);
});

test('a question whether to delete begins at Cancel', () => {
  render(
    <Confirm open title="Delete?" verb="Delete" onConfirm={() => undefined} onClose={() => undefined}>
      It does not come back.
    </Confirm>,
  );
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Cancel', hidden: true }));
});
