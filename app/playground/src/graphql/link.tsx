import { pick, ToolbarButton, useGraphiQL } from '@graphiql/react';
import { useState } from 'react';
import { copy } from '../copy';
import { linkTo } from './start';

/** Copies an address that opens this operation with its variables; headers are never in it. */
export function LinkButton() {
  const { queryEditor, variableEditor, operationName } = useGraphiQL(pick('queryEditor', 'variableEditor', 'operationName'));
  const [done, setDone] = useState(false);

  async function onClick() {
    const link = linkTo(queryEditor?.getValue() ?? '', variableEditor?.getValue() ?? '', operationName ?? null);
    setDone(await copy(link));
    setTimeout(() => setDone(false), 2000);
  }

  return (
    <ToolbarButton onClick={() => void onClick()} label={done ? 'Copied' : 'Copy a link to this operation (without headers)'}>
      <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        {done ? <path d="m5 13 4.5 4.5L19 8" /> : <path d="M10 14a4.5 4.5 0 0 0 6.4 0l3-3A4.5 4.5 0 0 0 13 4.6l-1 1M14 10a4.5 4.5 0 0 0-6.4 0l-3 3A4.5 4.5 0 0 0 11 19.4l1-1" />}
      </svg>
    </ToolbarButton>
  );
}
