import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';

export interface Written { query: string; variables: string; operationName: string | null }

/** What stands in the editors, a moment after it has changed. */
export function useWritten(): Written {
  const { queryEditor, variableEditor, operationName } = useGraphiQL(pick('queryEditor', 'variableEditor', 'operationName'));
  const [written, setWritten] = useState<Written>({ query: '', variables: '', operationName: null });

  useEffect(() => {
    let timer = 0;
    const read = () => setWritten({ query: queryEditor?.getValue() ?? '', variables: variableEditor?.getValue() ?? '', operationName: operationName ?? null });
    const later = () => {
      clearTimeout(timer);
      timer = window.setTimeout(read, 150);
    };
    read();
    const watched = [queryEditor, variableEditor].map((editor) => editor?.onDidChangeModelContent(later));
    return () => {
      clearTimeout(timer);
      for (const one of watched) one?.dispose();
    };
  }, [queryEditor, variableEditor, operationName]);
  return written;
}
