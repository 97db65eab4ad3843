import './native-links';
import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import './docs.css';
import { demoKey } from './demo-key';
import { type OpenApi, presented } from './presented';
import { keepOneMain, ours } from './swagger';

const SECURITY_SCHEME = 'apiKey';
/** Where the document's examples are: on this page they are here, so that what is copied works and links lead somewhere. */
const EXAMPLE_HOST = 'https://api.example.com';

const dark = matchMedia('(prefers-color-scheme: dark)');
const followTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followTheme);
followTheme();

const key = demoKey();

function show(spec: OpenApi) {
  const page = document.getElementById('main')!;
  keepOneMain(page);
  const ui = SwaggerUI({
    spec,
    domNode: page,
    presets: [SwaggerUI.presets.apis],
    plugins: [ours(spec)],
    layout: 'BaseLayout',
    deepLinking: true,
    filter: true,
    tryItOutEnabled: true,
    persistAuthorization: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // The badge asks an outside server about our document; nothing here leaves this origin.
    validatorUrl: null,
    onComplete() {
      const given = JSON.parse(localStorage.getItem('authorized') ?? '{}') as Record<string, unknown>;
      if (key && !(SECURITY_SCHEME in given)) ui.preauthorizeApiKey(SECURITY_SCHEME, key);
    },
  });
}

async function load() {
  const answer = await fetch('/openapi.json');
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  const text = (await answer.text()).replaceAll(EXAMPLE_HOST, location.origin);
  show(presented(JSON.parse(text) as OpenApi));
}

load().catch((error: unknown) => {
  const told = document.querySelector('.gateway-loading');
  if (told) told.textContent = `The documentation could not be loaded: ${String(error)}`;
});
