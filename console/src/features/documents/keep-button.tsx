import { useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';

import { ApiError } from '@/lib/api/error';
import { Button } from '@/ui/button';

import styles from './document.module.css';
import { keep, originalQuery } from './original';
import type { OpenedDocument } from './place';

/** Keeps the file that the document was read from; says why where it can't be had. */
export function KeepButton({ opened }: { readonly opened: OpenedDocument }) {
  const { id, path, version } = opened.document;
  const client = useQueryClient();
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);
  const fetched = async () => {
    setBusy(true);
    setFault('');
    try {
      keep(await client.query(originalQuery(id, version)), path.split('/').at(-1) ?? 'original');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFault(error.message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button small icon={<Download />} busy={isBusy} onClick={() => void fetched()}>
        Original file
      </Button>
      <span role="status" className={styles.fault}>
        {fault}
      </span>
    </>
  );
}
