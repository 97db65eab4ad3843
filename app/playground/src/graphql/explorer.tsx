import { explorerPlugin } from '@graphiql/plugin-explorer';
import type { GraphiQLPlugin } from '@graphiql/react';
import { useEffect, useRef } from 'react';

const original = explorerPlugin();
const Original = original.content;

/** GraphiQL's explorer, whose fields without a name get one. */
function Explorer() {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const name = () => {
      for (const one of panel.current!.querySelectorAll<HTMLElement>('input, select')) {
        const argument = one.closest<HTMLElement>('[data-arg-name]')?.dataset['argName'];
        one.ariaLabel ??= argument ? `Value of ${argument}` : one instanceof HTMLSelectElement ? 'Kind of the operation to add' : null;
      }
    };
    const watched = new MutationObserver(name);
    watched.observe(panel.current!, { childList: true, subtree: true });
    name();
    return () => watched.disconnect();
  }, []);
  return <div ref={panel}><Original /></div>;
}

export const explorer: GraphiQLPlugin = { ...original, content: Explorer };
