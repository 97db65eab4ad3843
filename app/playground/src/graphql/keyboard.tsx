import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

/** Closes the open panel as a person does; to set none visible, which GraphiQL has too, leaves its empty place. */
export function closePanel(): void {
  const button = document.querySelector<HTMLElement>('.graphiql-sidebar button.active');
  button?.click();
  button?.focus();
}

const LEAVE = 'Control-M, then Tab, leaves the editor';

/** Closes the open panel with Escape, and says how to leave an editor, in which Tab indents. Shows nothing. */
export function Keyboard() {
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL(pick('queryEditor', 'variableEditor', 'headerEditor'));

  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      const at = event.target as Element;
      if (event.key !== 'Escape' || event.defaultPrevented || !at.closest('.graphiql-plugin, .graphiql-sidebar')) return;
      if (at instanceof HTMLInputElement && at.type === 'search' && at.value) return; // there it empties the field
      closePanel();
    };
    document.addEventListener('keydown', close);
    return () => document.removeEventListener('keydown', close);
  }, []);

  useEffect(() => {
    queryEditor?.updateOptions({ ariaLabel: `Operation. ${LEAVE}` });
    variableEditor?.updateOptions({ ariaLabel: `Variables. ${LEAVE}` });
    headerEditor?.updateOptions({ ariaLabel: `Headers. ${LEAVE}` });
  }, [queryEditor, variableEditor, headerEditor]);
  return null;
}
