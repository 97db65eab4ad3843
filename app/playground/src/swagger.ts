/** What is other in Swagger UI here: nothing is resolved that needs no resolving, and what helps those who cannot see. */
type React = typeof import('react');
interface System { React: React; specActions: { updateResolvedSubtree(path: string[], value: unknown): void } }
interface Link { enabled?: boolean; path?: string }

/**
 * A part of the document with its references replaced by what they lead to.
 *
 * Swagger UI's own resolver reads and normalises the whole document before it shows anything, which takes seconds. This
 * document refers to itself alone, never in a circle (a test sees to both), and leaves nothing to be normalised.
 */
export function resolved(spec: unknown, path: string[]): unknown {
  const at = (node: unknown, name: string) => (node as Record<string, unknown> | undefined)?.[name];
  const replaced = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(replaced);
    if (!node || typeof node !== 'object') return node;
    const reference = at(node, '$ref');
    if (typeof reference === 'string') return replaced(reference.slice(2).split('/').reduce(at, spec));
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, replaced(value)]));
  };
  return replaced(path.reduce(at, spec));
}

/** The plugin for this document. */
export function ours(spec: unknown) {
  return ({ React }: System) => ({
    statePlugins: {
      spec: {
        wrapActions: {
          requestResolvedSubtree: (_: unknown, { specActions }: System) => (path: string[]) =>
            specActions.updateResolvedSubtree(path, resolved(spec, path)),
        },
      },
    },
    wrapComponents: {
      // A link inside the button of an operation is a second stop of Tab that does what the button does.
      DeepLink: (Original: React.ComponentType<Link>) => (props: Link) =>
        React.createElement(Original, { ...props, enabled: props.enabled === true && !props.path?.includes('/') }),
    },
  });
}

/** Swagger UI puts its operations into a second `main`, which is a group in the page's own. */
export function keepOneMain(page: HTMLElement): void {
  const regroup = () => document.getElementById('operations')?.setAttribute('role', 'group');
  new MutationObserver(regroup).observe(page, { childList: true, subtree: true });
}
