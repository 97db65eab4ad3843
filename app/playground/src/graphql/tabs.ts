import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { closePanel } from './keyboard';
import { pretty } from './start';

/** A function that opens an operation in a new tab, with the headers of the tab one comes from. */
export function useOpenTab(): (query: string, variables: Record<string, unknown>) => void {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  return (query, variables) => {
    const headers = headerEditor?.getValue() ?? '';
    addTab();
    headerEditor?.setValue(headers);
    variableEditor?.setValue(pretty(variables));
    queryEditor?.setValue(query);
    if (matchMedia('(max-width: 900px)').matches) closePanel(); // the panel lies over the editors
    queryEditor?.focus();
  };
}
