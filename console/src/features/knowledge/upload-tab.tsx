import { useQueryClient } from '@tanstack/react-query';
import { Trash2, Upload as UploadIcon } from 'lucide-react';
import { useId, useRef, useState, type DragEvent } from 'react';

import { bytes, plural } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Button, IconButton } from '@/ui/button';
import { TextField } from '@/ui/field';
import { Meter } from '@/ui/meter';
import { Panel } from '@/ui/page';

import { DocumentLink } from './document-link';
import styles from './knowledge.module.css';
import { useCollections } from './queries';
import { DeleteDialog } from './source-documents';
import { chosenFiles, droppedFiles, nameFault, sendAll, sendFile, type Found, type Upload } from './uploads';

const TONES: Readonly<Record<Upload['state'], Tone>> = {
  waiting: 'neutral',
  sending: 'accent',
  reading: 'accent',
  done: 'good',
  failed: 'fault',
};
const WORDS: Readonly<Record<Upload['state'], string>> = {
  waiting: 'waiting',
  sending: 'sending',
  reading: 'being read',
  done: 'taken',
  failed: 'not taken',
};

/** Puts files into a collection, dropped or chosen, and says of each what became of it. */
export function UploadTab({ collection }: { readonly collection: string | undefined }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(collection ?? '');
  const [groups, setGroups] = useState('');
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const [fault, setFault] = useState<string | null>(null);
  const change = (document: string, to: Partial<Upload>) =>
    setUploads((all) => all.map((each) => (each.document === document ? { ...each, ...to } : each)));
  const send = async (some: readonly Upload[]) => {
    const readers = groups.trim() === '' ? null : groups.trim();
    await sendAll(some, change, (upload, progress) => sendFile(upload, readers, progress));
    void queryClient.invalidateQueries();
  };
  const take = (found: readonly Found[]) => {
    const wrong = nameFault(name.trim());
    setFault(wrong ?? (found.length === 0 ? 'There was no file in it.' : null));
    if (wrong !== null || found.length === 0) return;
    const added = found.map(({ file, path }): Upload => {
      const document = `${name.trim()}/${path}`;
      return { document, file, state: 'waiting', sent: 0, error: '' };
    });
    setUploads((all) => [...added, ...all.filter((each) => !added.some((one) => one.document === each.document))]);
    void send(added);
  };
  return (
    <div className={styles.stack}>
      <Panel title="Add documents">
        <Target name={name} groups={groups} onName={setName} onGroups={setGroups} />
        <DropArea onFound={take} />
        {fault !== null && (
          <p role="alert" className={styles.wrong}>
            {fault}
          </p>
        )}
        <p className={styles.soft}>
          Ken reads Markdown, HTML, text, PDF, DOCX, PPTX, XLSX, CSV and e-mail. A document that is there already is
          replaced. For what changes where it lives, name a source in <code>ken.toml</code> instead: Ken follows it.
        </p>
      </Panel>
      {uploads.length > 0 && (
        <Uploads
          uploads={uploads}
          onRetry={(some) => void send(some)}
          onDeleted={(document) => setUploads((all) => all.filter((each) => each.document !== document))}
        />
      )}
    </div>
  );
}

interface TargetProps {
  readonly name: string;
  readonly groups: string;
  readonly onName: (name: string) => void;
  readonly onGroups: (groups: string) => void;
}

function Target({ name, groups, onName, onGroups }: TargetProps) {
  const id = useId();
  const known = useCollections().data ?? [];
  return (
    <div className={styles.fields}>
      <TextField
        label="Collection"
        hint="One that there is, or a new name."
        list={id}
        value={name}
        onChange={(event) => onName(event.target.value)}
      />
      <datalist id={id}>
        {known.map((each) => (
          <option key={each.name} value={each.name} />
        ))}
      </datalist>
      <TextField
        label="Who may read them"
        hint="Groups with commas between them. Empty: everyone, unless the documents themselves say otherwise."
        value={groups}
        onChange={(event) => onGroups(event.target.value)}
      />
    </div>
  );
}

function DropArea({ onFound }: { readonly onFound: (found: readonly Found[]) => void }) {
  const [isOver, setIsOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    void droppedFiles(event.dataTransfer).then(onFound);
  };
  const choose = (input: HTMLInputElement) => {
    if (input.files !== null) onFound(chosenFiles(input.files));
    input.value = ''; // so that the same file can be chosen again
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- who doesn't drop has the buttons within
    <div
      className={styles.drop}
      data-over={isOver}
      role="group"
      aria-label="Files"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <UploadIcon aria-hidden="true" />
      <p>Drop files or folders here, or</p>
      <div className={styles.row}>
        <Button look="primary" onClick={() => files.current?.click()}>
          Choose files
        </Button>
        <Button onClick={() => folder.current?.click()}>Choose a folder</Button>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files to add"
        onChange={(event) => choose(event.target)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        multiple
        hidden
        aria-label="Folder to add"
        onChange={(event) => choose(event.target)}
      />
    </div>
  );
}

interface UploadsProps {
  readonly uploads: readonly Upload[];
  readonly onRetry: (some: readonly Upload[]) => void;
  readonly onDeleted: (document: string) => void;
}

/** What became of the files is below what they were dropped on, and on a small screen below its end. */
function shownFirst(title: HTMLElement | null): void {
  title?.scrollIntoView({ block: 'nearest' });
}

function Uploads({ uploads, onRetry, onDeleted }: UploadsProps) {
  const [leaving, setLeaving] = useState<string | null>(null);
  const done = uploads.filter(({ state }) => state === 'done').length;
  const failed = uploads.filter(({ state }) => state === 'failed');
  return (
    <Panel
      title={
        <span
          ref={shownFirst}
          className={styles.result}
          role="status"
        >{`${done} of ${plural(uploads.length, 'file')} taken${failed.length > 0 ? `, ${failed.length} not` : ''}`}</span>
      }
      actions={failed.length > 0 && <Button onClick={() => onRetry(failed)}>Try again</Button>}
    >
      <Meter label="Files taken" share={done / uploads.length} told={`${done} of ${uploads.length}`} />
      <ul className={styles.files} aria-label="Files">
        {uploads.map((each) => (
          <li key={each.document} className={styles.file}>
            <span className={styles.path}>
              {each.state === 'done' ? <DocumentLink id={each.document} /> : each.document}{' '}
              <span className={styles.soft}>{bytes(each.file.size)}</span>
            </span>
            <span className={styles.row}>
              <Badge tone={TONES[each.state]}>{WORDS[each.state]}</Badge>
              {each.state === 'done' && (
                <IconButton small label={`Delete ${each.document}`} onClick={() => setLeaving(each.document)}>
                  <Trash2 />
                </IconButton>
              )}
            </span>
            {each.state === 'sending' && <Meter label={`Sent of ${each.document}`} share={each.sent} />}
            {each.error !== '' && <p className={styles.wrong}>{each.error}</p>}
          </li>
        ))}
      </ul>
      <DeleteDialog id={leaving} onClose={() => setLeaving(null)} onDeleted={onDeleted} />
    </Panel>
  );
}
