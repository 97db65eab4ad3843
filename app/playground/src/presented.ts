/** The document as the page shows it: what Swagger UI would send unasked is told in words instead. */

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  example?: unknown;
  schema?: { default?: unknown; items?: { format?: string } };
}

interface Operation { parameters?: Parameter[] }
type PathItem = Record<string, Operation> & { parameters?: Parameter[] };

export interface OpenApi {
  servers: { url: string; description?: string }[];
  paths: Record<string, PathItem>;
  components: { parameters: Record<string, Parameter> };
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/** What is tried on this page is sent where the page is from: nothing else lets it. */
const HERE = { url: '/', description: 'The gateway that shows this page.' };

/**
 * Swagger UI fills every field with the example or the default of its parameter, and sends them all: an ETag that is
 * nobody's, a page number beside a cursor. So both become words, but for what must be sent; there, `If-Match` is `*`.
 */
export function presented(document: OpenApi): OpenApi {
  const shared = Object.values(document.components.parameters);
  const own = Object.values(document.paths).flatMap((item) => operations(item).flatMap((one) => one.parameters ?? []));
  for (const parameter of [...shared, ...own]) {
    if (parameter.required) {
      if (parameter.name === 'If-Match') tell(parameter, '*');
    } else if (!parameter.$ref) {
      tell(parameter);
    }
  }
  return { ...document, servers: [HERE] };
}

/** The operations of an address, each with the parameters that stand there for all of them. */
function operations({ parameters = [], ...item }: PathItem): Operation[] {
  const found = METHODS.flatMap((method) => item[method] ?? []);
  for (const one of found) one.parameters = [...parameters, ...(one.parameters ?? [])];
  return found;
}

/** Says example and default in the description, and leaves in the field what is given. */
function tell(parameter: Parameter, field?: string) {
  const told = [parameter.description];
  const shown = parameter.example;
  if (shown !== undefined && shown !== '') told.push(`Example: ${words(shown)}.`);
  const usual = parameter.schema?.default;
  if (usual !== undefined) told.push(`Default: ${words(usual)}.`);
  parameter.description = told.filter(Boolean).join(' ');
  delete parameter.schema?.default;
  // It has no field for such items of a list, and says so in the console.
  delete parameter.schema?.items?.format;
  delete parameter.example;
  if (field !== undefined) parameter.example = field;
}

function words(value: unknown): string {
  return (Array.isArray(value) ? value : [value]).map((one) => `\`${String(one)}\``).join(', ');
}
